"""Tables in .csv and .tsv files.

The module csv reads them, not pandas: pandas fills lines up that are too short, takes a first line that is too long for
one with an index, and so turns a damaged file into other data.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from vaelab.data.sources.tags.tables import CHUNK_ROWS, Chunk, Table
from vaelab.errors import InputError, shortened

CHUNK_CHARACTERS = 2**22  # in memory at once, and the rest of a line
CELL_CHARACTERS = 2**25  # a cell of more is a quotation mark that is not closed
DELIMITERS = {".csv": ",", ".tsv": "\t"}


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

    def _lines(self, file: Iterable[str]) -> Iterator[str]:
        for number, line in enumerate(file, 1):
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
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0
