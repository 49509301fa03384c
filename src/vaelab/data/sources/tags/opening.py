"""The table in a file, by its ending."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources.tables import Table, csv_table, table_ending
from vaelab.data.sources.tags.json_tables import json_table
from vaelab.data.sources.tags.parquet_tables import parquet_table
from vaelab.errors import InputError

TABLES: dict[str, Callable[[Path, str], Table]] = {
    ".csv": csv_table,
    ".tsv": csv_table,
    ".parquet": parquet_table,
    ".jsonl": json_table,
}


def open_table(path: Path, place: str) -> Table:
    """Return the table in a file, by its ending. Raises InputError, which begins with `place`."""
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    ending = table_ending(path)
    if ending not in TABLES or (path.suffix.lower() == ".gz" and ending == ".parquet"):
        expected = "expected .csv, .tsv or .parquet, or .jsonl; text may be compressed: .csv.gz"
        raise InputError(f"{place}: ends in {''.join(path.suffixes[-2:])!r}; {expected}")
    return TABLES[ending](path, place)
