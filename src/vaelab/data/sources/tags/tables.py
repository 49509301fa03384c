"""A table of which only some columns are wanted, read in bounded memory, every cell as the text that is there.

The module csv reads .csv and .tsv files, not pandas: pandas fills lines up that are too short, takes a first line that
is too long for one with an index, and so turns a damaged file into other data.
"""

import csv
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from vaelab.errors import InputError, shortened
from vaelab.params.problems import suggestion

CHUNK_ROWS = 2**14  # in memory at once, at most
CHUNK_CELLS = 2**24  # of a .parquet file, in memory at once
CHUNK_CHARACTERS = 2**22  # of a text, in memory at once, and the rest of a line
CELL_CHARACTERS = 2**25  # a cell of more is a quotation mark that is not closed
MAX_LISTED = 10  # columns in an error
DELIMITERS = {".csv": ",", ".tsv": "\t"}

Column = Sequence[str] | Sequence[list[str]] | np.ndarray


class Chunk(NamedTuple):
    """Some rows, column by column, and where each row is: the line of a text, or the number of the row."""

    places: Sequence[int]
    columns: dict[str, Column]


class Table(NamedTuple):
    """A table that is not read yet."""

    place: str  # which begins every error
    unit: str  # of the places: line or row
    names: list[str]  # of the columns, without blanks around them
    read: Callable[[Sequence[str], Sequence[str]], Iterator[Chunk]]  # of columns of text, and of columns of 0 and 1

    def need(self, name: str, option: str) -> None:
        """Raise InputError where the table has no column of this name, or several."""
        count = self.names.count(name)
        if count > 1:
            raise InputError(f"{self.place}: has {count} columns {name!r} ({option}); expected one")
        if not count:
            near = difflib.get_close_matches(name, self.names, n=1)
            shown = list(dict.fromkeys([*near, *self.names]))[:MAX_LISTED]
            more = f" and {len(self.names) - len(shown)} more" if len(self.names) > len(shown) else ""
            raise InputError(f"{self.place}: has no column {name!r} ({option}); {suggestion(name, shown)}{more}")


def open_table(path: Path, place: str) -> Table:
    """Return the table in a file, by its ending. Raises InputError, which begins with `place`."""
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    if path.suffix.lower() in DELIMITERS:
        return csv_table(path, place)
    if path.suffix.lower() == ".parquet":
        return parquet_table(path, place)
    raise InputError(f"{place}: ends in {path.suffix!r}; expected .csv, .tsv or .parquet")


def csv_table(path: Path, place: str) -> Table:
    """Return the table in a .csv or .tsv file. Raises InputError, which begins with `place`, where there is none."""
    _, header = next(_File(path, place).rows(), (0, []))
    if not header:
        raise InputError(f"{place}: is empty; expected a line with the names of the columns, and rows below it")
    names = [name.strip() for name in header]

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        positions = {name: names.index(name) for name in (*texts, *marks)}
        return _File(path, place).chunks(positions, len(names))

    return Table(place, "line", names, read)


class _File:
    def __init__(self, path: Path, place: str) -> None:
        self.path, self.place, self.characters = path, place, 0

    def chunks(self, positions: Mapping[str, int], width: int) -> Iterator[Chunk]:
        """Yield the columns at `positions`, of all rows below the header."""
        rows: list[list[str]] = []
        places: list[int] = []
        below_header = self.rows()
        next(below_header)
        for line, row in below_header:
            if len(row) != width:
                text = f"{len(row)} cells, the header {width}; a cell that holds the delimiter needs quotation marks"
                raise InputError(f"{self.place}: line {line} has {text}")
            rows.append(row)
            places.append(line)
            if self.characters > CHUNK_CHARACTERS or len(rows) == CHUNK_ROWS:
                yield _chunk(places, rows, positions)
                rows, places, self.characters = [], [], 0
        if rows:
            yield _chunk(places, rows, positions)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line where a row ends, and its cells. An empty line is a row where there is but one column."""
        line, width = 0, 0
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file, _long_cells():
                reader = csv.reader(self._lines(file), delimiter=DELIMITERS[self.path.suffix.lower()], strict=True)
                for row in reader:
                    line, width = reader.line_num, width or len(row)
                    if row or width == 1:
                        yield line, row or [""]
        except UnicodeDecodeError:
            number = _not_utf8(self.path)
            raise InputError(f"{self.place}: line {number} is not UTF-8; save the table as UTF-8") from None
        except csv.Error as error:
            text = f"cannot be read ({shortened(error)}): is a quotation mark not closed, or not doubled in a cell?"
            raise InputError(f"{self.place}: the row after line {line} {text}") from None
        except OSError as error:
            raise InputError(f"{self.place}: cannot be read: {error.strerror or error}") from None

    def _lines(self, file: TextIO) -> Iterator[str]:
        for number, line in enumerate(iter(lambda: file.readline(CELL_CHARACTERS), ""), 1):
            if len(line) == CELL_CHARACTERS:
                raise InputError(f"{self.place}: line {number} has {CELL_CHARACTERS} characters or more")
            if "\0" in line:
                raise InputError(f"{self.place}: line {number} holds a NUL character; expected text")
            self.characters += len(line)
            yield line


def _chunk(places: list[int], rows: list[list[str]], positions: Mapping[str, int]) -> Chunk:
    columns = list(zip(*rows, strict=True))
    return Chunk(places, {name: columns[position] for name, position in positions.items()})


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(CELL_CHARACTERS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _not_utf8(path: Path) -> int:
    """Number of the first line that cannot be decoded; the decoder knows only a place in its buffer."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        lines = iter(lambda: file.readline(CELL_CHARACTERS), "")
        return next((number for number, line in enumerate(lines, 1) if any("\udc80" <= c <= "\udcff" for c in line)), 0)


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
