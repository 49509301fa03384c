"""The table in a file, by its ending."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vaelab.data.sources.tables import DELIMITERS, Table, csv_table
from vaelab.data.sources.tags.json_tables import json_table
from vaelab.data.sources.tags.parquet_tables import parquet_table
from vaelab.data.sources.tags.split_files import table_of_splits
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

TABLES: dict[str, Callable[[Path, str], Table]] = {
    ".parquet": parquet_table,
    ".jsonl": json_table,
    ".ndjson": json_table,
    ".json": json_table,
}
WHOLE = (".parquet", ".json")  # not compressed


def open_table(path: Path, place: str, delimiter: str | None = None) -> Table:
    """Return the table in a file, by its ending. Raises InputError, which begins with `place`.

    Args:
        path: of the file.
        place: of the table, for errors: its option in params, and the file.
        delimiter: between two cells of a text; None: as the ending says.
    """
    if path.is_dir():
        return table_of_splits(path, place, is_table, partial(_opened_in, place.partition(".path:")[0], delimiter))
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    return _opened_in(place.partition(".path:")[0], delimiter, path, place)


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its ending."""
    ending = table_ending(path)
    return ending in DELIMITERS or ending in TABLES


def _opened_in(where: str, delimiter: str | None, path: Path, place: str) -> Table:
    ending, option = table_ending(path), f"{where}.delimiter"
    if ending in DELIMITERS:
        return csv_table(path, place, delimiter, option)
    if ending not in TABLES or (path.suffix.lower() == ".gz" and ending in WHOLE):
        expected = "expected .csv, .tsv or .parquet, or .jsonl; text may be compressed: .csv.gz"
        raise InputError(f"{place}: ends in {''.join(path.suffixes[-2:])!r}; {expected}")
    if delimiter is not None:
        raise InputError(f"{option}: {delimiter!r}: is of text tables, {' '.join(DELIMITERS)}; given {path}")
    return TABLES[ending](path, place)
