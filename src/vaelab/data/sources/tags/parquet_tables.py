"""Tables in .parquet files, whose cells may be lists."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.sources.tables import CHUNK_ROWS, Chunk, Column, Table
from vaelab.errors import InputError, shortened

CHUNK_CELLS = 2**24  # in memory at once


def parquet_table(path: Path, place: str) -> Table:
    """Return the table in a .parquet file. Raises InputError, which begins with `place`, where it cannot be read."""
    try:  # an optional dependency
        from pyarrow import ArrowException, parquet
    except ImportError:
        text = "needs pyarrow, which is not installed: pip install 'vaelab[parquet]', or save the table as .csv"
        raise InputError(f"{place}: {text}") from None
    try:
        names = parquet.ParquetFile(path).schema_arrow.names
    except (OSError, ArrowException) as error:
        raise InputError(f"{place}: damaged or not a parquet file ({shortened(error)})") from None
    stored_as = {name.strip(): name for name in names}

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        wanted, start = [stored_as[name] for name in (*texts, *marks)], 1
        rows = max(1, min(CHUNK_ROWS, CHUNK_CELLS // len(wanted)))
        try:
            for batch in parquet.ParquetFile(path).iter_batches(rows, columns=wanted):
                columns: dict[str, Column] = {name: _marks(batch.column(stored_as[name])) for name in marks}
                for name in texts:
                    columns[name] = _texts(batch.column(stored_as[name]), f"{place}: column {name!r}")
                yield Chunk(range(start, start + len(batch)), columns)
                start += len(batch)
        except (OSError, ArrowException) as error:
            raise InputError(f"{place}: damaged parquet file ({shortened(error)})") from None

    return Table(place, "row", [name.strip() for name in names], read)


def _texts(array: Any, place: str) -> Sequence[str] | Sequence[list[str]]:
    """Cells as text, or as lists of texts; an empty one for null."""
    values = array.to_pylist()
    if any(isinstance(value, list) for value in values):
        return [[str(tag) for tag in value or () if tag is not None] for value in values]
    if any(isinstance(value, dict | bytes) for value in values):
        raise InputError(f"{place} has the type {array.type}; expected text, numbers or lists of texts")
    return ["" if value is None else str(value) for value in values]


def _marks(array: Any) -> Sequence[str] | np.ndarray:
    """Cells as numbers where each is one, else as texts."""
    from pyarrow import types

    numeric = types.is_boolean(array.type) or types.is_integer(array.type) or types.is_floating(array.type)
    if array.null_count or not numeric:
        return ["" if value is None else str(value) for value in array.to_pylist()]
    values: np.ndarray = array.to_numpy(zero_copy_only=False)
    return values
