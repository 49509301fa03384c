"""Text tables of which only some columns are wanted, read in bounded memory, every cell as the text that is there.

The module csv reads .csv and .tsv files, not pandas: pandas fills lines up that are too short, takes a first line that
is too long for one with an index, and so turns a damaged file into other data.
"""

import csv
import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from vaelab.data.sources.text_files import UNREADABLE, not_utf8, opened_text, table_ending, text_lines
from vaelab.errors import InputError, shortened
from vaelab.params.problems import suggestion

MARKS = (";", "\t", "|", ",", ":")  # that may be a delimiter
CHUNK_ROWS = 2**14  # in memory at once, at most
CHUNK_CHARACTERS = 2**22  # of a text, in memory at once, and the rest of a line
CELL_CHARACTERS = 2**25  # a cell of more is a quotation mark that is not closed
FILE = "(name of the file)"  # column of several tables that are read as one
MAX_LISTED = 10  # columns in an error
FILES = (
    "file",
    "filename",
    "file_name",
    "image",
    "image_name",
    "image_path",
    "img",
    "path",
)  # columns of names of files
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|", ".txt": ",", ".dat": ",", ".data": ","}  # of texts
BASKET = "tags"  # the column of a text that has a list on each line

Header = Literal["names", "none", "lists"]  # of the first line: names of the columns, a row, or a list, as all lines

Column = Sequence[str] | Sequence[list[str]] | np.ndarray


class Chunk(NamedTuple):
    """Some rows, column by column, and where each row is: the line of a text, or the number of the row."""

    places: Sequence[int | str]
    columns: dict[str, Column]


class Table(NamedTuple):
    """A table that is not read yet."""

    place: str  # which begins every error
    unit: str  # of the places: line or row
    names: list[str]  # of the columns, without blanks around them
    read: Callable[[Sequence[str], Sequence[str]], Iterator[Chunk]]  # of columns of text, and of columns of 0 and 1
    delimiter: str = ""  # between two cells of a text
    option: str = ""  # that says the delimiter, in params, where there is one

    def need(self, name: str, option: str, mend: Callable[[], str] = lambda: "") -> None:
        """Raise InputError where the table has no column of this name, or several; `mend` ends what is said of none."""
        count = self.names.count(name)
        if count > 1:
            raise InputError(f"{self.place}: has {count} columns {name!r} ({option}); expected one")
        if not count and (hint := self.delimiter_hint(name)):
            raise InputError(f"{self.place}: has no column {name!r} ({option}); {hint}")
        if not count:
            near = difflib.get_close_matches(name, self.names, n=1)
            shown = list(dict.fromkeys([*near, *self.names]))[:MAX_LISTED]
            more = f" and {len(self.names) - len(shown)} more" if len(self.names) > len(shown) else ""
            text = f"has no column {name!r} ({option}); {suggestion(name, shown)}{more}{'' if near else mend()}"
            raise InputError(f"{self.place}: {text}")

    def delimiter_hint(self, name: str | None = None) -> str:
        """Return what to say of a header in which another delimiter stands; else nothing.

        It is one name, or the column `name` is there with that delimiter.
        """
        names = [name for name in self.names if name != FILE]
        header = self.delimiter.join(names)
        marks = [mark for mark in MARKS if self.delimiter not in ("", mark) and mark in header]
        having = [mark for mark in marks if name in [piece.strip() for piece in header.split(mark)]]
        mark = max(having or marks * (len(names) == 1), key=header.count, default="")
        if not mark:
            return ""
        mark *= 1 + (header.count(mark) == 2 * header.count(2 * mark))  # as ::
        looks = f"its header, {header[:60]!r}, looks separated by {mark!r}"
        save = "save it with commas as .csv, or with tabs as .tsv"
        return f"{looks}: {f'set {self.option}: {json.dumps(mark)}' if self.option else save}"


def file_column(table: Table) -> str:
    """Return the column of a table that names files, by its usual names; `file` where there is none."""
    stored = {name.lower(): name for name in table.names}
    return next((stored[name] for name in FILES if name in stored), FILES[0])


class Text(NamedTuple):
    """How a text table is written, as params say it."""

    delimiter: str | None = None  # between two cells; None: as the ending says; of several characters, without quotes
    header: Header = "names"
    encoding: str | None = None  # None: UTF-8, or UTF-16 with its mark
    where: str = ""  # of the data set, in params, where these can be said


AS_USUAL = Text()


def csv_table(path: Path, place: str, text: Text = AS_USUAL) -> Table:
    """Return the table in a text file, compressed or not. Raises InputError, which begins with `place`."""
    mark = text.delimiter or DELIMITERS.get(table_ending(path), ",")
    _, first = next(_File(path, place, mark, text).rows(), (0, []))
    if not first:
        raise InputError(f"{place}: is empty; expected a line with the names of the columns, and rows below it")
    numbered = [str(number) for number, _ in enumerate(first, 1)]
    names = {"names": [name.strip() for name in first], "none": numbered, "lists": [BASKET]}[text.header]

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        positions = {name: names.index(name) for name in (*texts, *marks)}
        return _File(path, place, mark, text).chunks(positions, len(names))

    return Table(place, "line", names, read, mark, f"{text.where}.delimiter" if text.where else "")


class _File:
    def __init__(self, path: Path, place: str, delimiter: str, text: Text) -> None:
        self.path, self.place, self.delimiter, self.text, self.characters = path, place, delimiter, text, 0

    def chunks(self, positions: Mapping[str, int], width: int) -> Iterator[Chunk]:
        """Yield the columns at `positions`, of all rows below the header."""
        rows: list[list[Any]] = []
        places: list[int] = []
        below_header = self.rows()
        if self.text.header == "names":
            next(below_header)
        for line, row in below_header:
            lists = self.text.header == "lists"
            if not lists and len(row) != width:
                text = f"{len(row)} cells, the header {width}; a cell that holds the delimiter needs quotation marks"
                raise InputError(f"{self.place}: line {line} has {text}")
            rows.append([row] if lists else row)
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
            with opened_text(self.path, encoding=self.text.encoding) as file, _long_cells():
                for line, row in _split(text_lines(file, self.place, self._count), self.delimiter):
                    width = width or len(row)
                    if row or width == 1:
                        yield line, row or [""]
        except UnicodeDecodeError:
            option = f"{self.text.where}.encoding" if self.text.where else ""
            raise not_utf8(self.path, self.place, self.text.encoding, option) from None
        except csv.Error as error:
            text = f"cannot be read ({shortened(error)}): is a quotation mark not closed, or not doubled in a cell?"
            raise InputError(f"{self.place}: the row after line {line} {text}") from None
        except UNREADABLE as error:
            raise InputError(f"{self.place}: cannot be read: {shortened(error)}") from None

    def _count(self, characters: int) -> None:
        self.characters += characters


def _split(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line where each row ends, and its cells."""
    if len(delimiter) > 1:  # which the module csv does not know
        texts = (line.rstrip("\r\n") for line in lines)
        yield from ((number, text.split(delimiter) if text else []) for number, text in enumerate(texts, 1))
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    for row in reader:
        yield reader.line_num, row


def _chunk(places: list[int], rows: list[list[Any]], positions: Mapping[str, int]) -> Chunk:
    columns = list(zip(*rows, strict=True))
    return Chunk(places, {name: columns[position] for name, position in positions.items()})


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(CELL_CHARACTERS)
    try:
        yield
    finally:
        csv.field_size_limit(before)
