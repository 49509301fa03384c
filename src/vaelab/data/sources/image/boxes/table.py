"""Boxes of all images in one table, .csv or .tsv: a row for each box."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab.data.sources.account import MAX_NAMED
from vaelab.data.sources.image.boxes.corners import NONE, BadBoxError, Boxes, FileBoxes, check_order, numbers
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.tables import DELIMITERS, Chunk, Table, csv_table
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

CORNERS = ("x0", "y0", "x1", "y1")
MAX_BOXES = 20_000_000  # in memory, a gigabyte
NO_FILE = -1
FIRST_PAGE = 1.0


def table_boxes(path: Path, files: Sequence[Path], root: Path, place: str) -> Boxes:
    """Return the boxes in a table with columns file, x0, y0, x1, y1, and where files have several pages, page.

    Raises:
        InputError: it begins with `place`: what is wrong with the table, or none of its names is one of `files`.
    """
    if table_ending(path) not in DELIMITERS:
        ending = "".join(path.suffixes[-2:])
        raise InputError(
            f"{place}: ends in {ending!r}; expected a table, .csv or .tsv, or a folder of Tesseract's .tsv"
        )
    table = csv_table(path, place)
    for name in ("file", *CORNERS):
        table.need(name, "of boxes")
    reader = _Reader(table, files, root)
    which, page, corners = reader.read()
    if not len(which):
        raise InputError(f"{place}: has no row below its header; expected a row for each box")
    known = which != NO_FILE
    if not known.any():
        raise InputError(f"{place}: none of {len(which)} rows names a file below {root}: {reader.unknown_names()}")
    if corners[:, 2:].max() <= 1:
        text = f"all {len(which)} boxes lie within 0 to 1: shares of the side?"
        raise InputError(f"{place}: {text} Expected pixels of the file")
    order = np.argsort(which, kind="stable")
    which, page, corners = which[order], page[order], corners[order]

    def of(file: Path) -> FileBoxes:
        number = reader.number.get(file)
        if number is None:
            return NONE
        start, end = np.searchsorted(which, [number, number + 1])
        return FileBoxes(page[start:end], corners[start:end])

    count = int((~known).sum())
    named = f"{count} of {len(which)} boxes are of files that are not below {root}: {reader.unknown_names()}"
    return Boxes(of, [path], [named] if count else [])


class _Reader:
    def __init__(self, table: Table, files: Sequence[Path], root: Path) -> None:
        self.table, self.root, self.known = table, root, known_names(files)
        self.number: dict[Path, int] = {}  # of files that have boxes
        self.by_name: dict[str, int] = {}
        self.unknown: dict[str, None] = {}  # the first ones, in their order

    def unknown_names(self) -> str:
        return ", ".join(printable(name[:80]) for name in self.unknown) + ", ..." * (len(self.unknown) == MAX_NAMED)

    def read(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each box the number of its file, its page and its corners."""
        parts, count = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)))], 0
        paged = "page" in self.table.names
        if paged:
            self.table.need("page", "of boxes")
        for chunk in self.table.read(["file", *CORNERS, *(["page"] if paged else [])], []):
            parts.append(self._part(chunk, paged))
            count += len(chunk.places)
            if count > MAX_BOXES:
                raise InputError(f"{self.table.place}: more than {MAX_BOXES} boxes; expected at most so many")
        which, page, corners = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return which, page, corners

    def _part(self, chunk: Chunk, paged: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        try:
            corners = np.stack([numbers(_cells(chunk, name), name) for name in CORNERS], axis=1)
            check_order(corners)
            pages = numbers(_cells(chunk, "page"), "page") if paged else np.full(len(corners), FIRST_PAGE)
            if len(bad := np.flatnonzero((pages < 1) | (pages % 1 != 0) | (pages > np.iinfo(np.int32).max))):
                raise BadBoxError(int(bad[0]), f"page is {pages[bad[0]]:g}; expected a whole number from 1")
        except BadBoxError as error:
            raise InputError(f"{self.table.place}: line {chunk.places[error.row]}: {error}") from None
        rows = zip(_cells(chunk, "file"), chunk.places, strict=True)
        return np.array([self._file(name.strip(), line) for name, line in rows]), pages.astype(np.int64), corners

    def _file(self, name: str, line: int) -> int:
        if name not in self.by_name:
            found = files_named(name, self.known, self.root)
            if len(found) > 1:
                names = ", ".join(printable(file.as_posix()) for file in found[:MAX_NAMED])
                raise InputError(
                    f"{self.table.place}: line {line}: {name[:80]!r} may be any of {names}; expected its path"
                )
            if not found:
                if len(self.unknown) < MAX_NAMED:
                    self.unknown[name] = None
                return NO_FILE
            self.by_name[name] = self.number.setdefault(found[0], len(self.number))
        return self.by_name[name]


def _cells(chunk: Chunk, name: str) -> Sequence[str]:
    return chunk.columns[name]  # type: ignore[return-value]  # of text tables
