"""The table in a file, by its ending."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vaelab.data.sources.tables import AS_USUAL, DELIMITERS, Table, Text, csv_table
from vaelab.data.sources.tags.arff_tables import arff_table
from vaelab.data.sources.tags.json_tables import json_table
from vaelab.data.sources.tags.labelled_lines import is_labelled, labels_table
from vaelab.data.sources.tags.parquet_tables import parquet_table
from vaelab.data.sources.tags.sheets import sheet_table
from vaelab.data.sources.tags.split_files import table_of_splits
from vaelab.data.sources.text_files import OPENERS, table_ending
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv

TABLES: dict[str, Callable[[Path, str], Table]] = {
    ".parquet": parquet_table,
    ".jsonl": json_table,
    ".ndjson": json_table,
    ".json": json_table,
    ".arff": arff_table,
    ".xlsx": sheet_table,
    ".svm": labels_table,
    ".libsvm": labels_table,
}
WHOLE = (".parquet", ".json", ".xlsx")  # not compressed


def open_table(path: Path, place: str, text: Text = AS_USUAL) -> Table:
    """Return the table in a file, by its ending. Raises InputError, which begins with `place`.

    Args:
        path: of the file.
        place: of the table, for errors: its option in params, and the file.
        text: how it is written, where it is a text.
    """
    where, option, _ = place.partition(".path:")
    text = text._replace(where=where if option else "")
    if path.is_dir():
        return table_of_splits(path, place, is_table, partial(_opened_in, text))
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    return _opened_in(text, path, place)


def text_of(settings: TagsCsv) -> Text:
    """Return how the table of a data set is written."""
    return Text(settings.delimiter, settings.header, settings.encoding)


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its ending."""
    ending = table_ending(path)
    return ending in DELIMITERS or ending in TABLES


def _opened_in(text: Text, path: Path, place: str) -> Table:
    ending = table_ending(path)
    if ending in DELIMITERS:
        return labels_table(path, place) if is_labelled(path) else csv_table(path, place, text)
    if ending not in TABLES or (path.suffix.lower() in OPENERS and ending in WHOLE):
        expected = "expected .csv, .tsv or .parquet, or .jsonl; text may be compressed: .csv.gz"
        raise InputError(f"{place}: ends in {''.join(path.suffixes[-2:])!r}; {expected}")
    if text.delimiter is not None:
        known = " ".join(DELIMITERS)
        raise InputError(f"{text.where}.delimiter: {text.delimiter!r}: is of text tables, {known}; given {path}")
    return TABLES[ending](path, place)
