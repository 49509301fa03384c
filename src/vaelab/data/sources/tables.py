"""Text tables of which only some columns are wanted, read in bounded memory, every cell as the text that is there.

The module csv reads .csv and .tsv files, not pandas: pandas fills lines up that are too short, takes a first line that
is too long for one with an index, and so turns a damaged file into other data.
"""

import csv
import difflib
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO, cast

import numpy as np

from vaelab.errors import InputError, shortened
from vaelab.params.problems import suggestion

CHUNK_ROWS = 2**14  # in memory at once, at most
CHUNK_CHARACTERS = 2**22  # of a text, in memory at once, and the rest of a line
LINE_CHARACTERS = 2**26  # of a line, which is a row or less
CELL_CHARACTERS = 2**25  # a cell of more is a quotation mark that is not closed
MAX_LISTED = 10  # columns in an error
DELIMITERS = {".csv": ",", ".tsv": "\t"}
UNREADABLE = (OSError, EOFError, zlib.error)  # of a file, compressed or not

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
        if not count and (hint := self.delimiter_hint()):
            raise InputError(f"{self.place}: has no column {name!r} ({option}); {hint}")
        if not count:
            near = difflib.get_close_matches(name, self.names, n=1)
            shown = list(dict.fromkeys([*near, *self.names]))[:MAX_LISTED]
            more = f" and {len(self.names) - len(shown)} more" if len(self.names) > len(shown) else ""
            raise InputError(f"{self.place}: has no column {name!r} ({option}); {suggestion(name, shown)}{more}")

    def delimiter_hint(self) -> str:
        """Return what to say of a header that is one name, in which another delimiter stands; else nothing."""
        header = self.names[0] if len(self.names) == 1 else ""
        mark = max(";\t|,", key=header.count)
        looks = f"its header, {header[:60]!r}, looks separated by {mark!r}"
        return f"{looks}: save it with commas as .csv, or with tabs as .tsv" if mark in header else ""


def csv_table(path: Path, place: str) -> Table:
    """Return the table in a .csv or .tsv file, compressed or not. Raises InputError, which begins with `place`."""
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
            with opened_text(self.path) as file, _long_cells():
                lines = text_lines(file, self.place, self._count)
                reader = csv.reader(lines, delimiter=DELIMITERS[table_ending(self.path)], strict=True)
                for row in reader:
                    line, width = reader.line_num, width or len(row)
                    if row or width == 1:
                        yield line, row or [""]
        except UnicodeDecodeError:
            raise not_utf8(self.path, self.place) from None
        except csv.Error as error:
            text = f"cannot be read ({shortened(error)}): is a quotation mark not closed, or not doubled in a cell?"
            raise InputError(f"{self.place}: the row after line {line} {text}") from None
        except UNREADABLE as error:
            raise InputError(f"{self.place}: cannot be read: {shortened(error)}") from None

    def _count(self, characters: int) -> None:
        self.characters += characters


def table_ending(path: Path) -> str:
    """Return the ending that says what a table is, such as .csv of films.csv.gz."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower()


def opened_text(path: Path, errors: str = "strict") -> TextIO:
    """Return a text file, line ends as they are; what is compressed is read as it is unpacked."""
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", errors=errors, newline=""))
    return path.open(encoding="utf-8-sig", errors=errors, newline="")


def text_lines(file: TextIO, place: str, count: Callable[[int], None] = lambda characters: None) -> Iterator[str]:
    """Yield the lines of a text. Raises InputError where one is no text, or too long to be a row."""
    for number, line in enumerate(iter(partial(file.readline, LINE_CHARACTERS), ""), 1):
        if "\0" in line:
            raise InputError(f"{place}: line {number} holds a NUL character; expected text")
        if len(line) == LINE_CHARACTERS:
            raise InputError(f"{place}: line {number} has {LINE_CHARACTERS} characters and more; expected a row")
        count(len(line))
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


def not_utf8(path: Path, place: str) -> InputError:
    """Return what names the first line that cannot be decoded; the decoder knows only a place in its buffer."""
    line = 0
    with suppress(*UNREADABLE), opened_text(path, "surrogateescape") as file:
        for text in iter(partial(file.readline, LINE_CHARACTERS), ""):
            line += 1
            if any("\udc80" <= c <= "\udcff" for c in text):
                break
    return InputError(f"{place}: line {line} is not UTF-8; save the table as UTF-8")
