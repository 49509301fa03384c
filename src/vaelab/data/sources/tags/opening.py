"""The table in a file, by its ending."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources.tables import DELIMITERS, Table, csv_table
from vaelab.data.sources.tags.json_tables import json_table
from vaelab.data.sources.tags.parquet_tables import parquet_table
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
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    ending = table_ending(path)
    option = f"{place.partition('.path:')[0]}.delimiter"
    if ending in DELIMITERS:
        return csv_table(path, place, delimiter, option)
    if ending not in TABLES or (path.suffix.lower() == ".gz" and ending in WHOLE):
        expected = "expected .csv, .tsv or .parquet, or .jsonl; text may be compressed: .csv.gz"
        raise InputError(f"{place}: ends in {''.join(path.suffixes[-2:])!r}; {expected}")
    if delimiter is not None:
        raise InputError(f"{option}: {delimiter!r}: is of text tables, {' '.join(DELIMITERS)}; given {path}")
    return TABLES[ending](path, place)
