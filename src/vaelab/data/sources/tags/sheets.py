"""The first sheet of an Excel workbook (.xlsx), read with the standard library: a zip of XML (ECMA-376).

Formulas have their saved results; dates are the numbers that Excel stores.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from vaelab.data.sources.tables import CHUNK_ROWS, Chunk, Column, Table
from vaelab.errors import InputError, shortened

MAX_BYTES = 2**29  # of a part, unpacked
LETTERS = re.compile(r"[A-Z]+")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
BOOLEANS = {"0": "false", "1": "true"}


def sheet_table(path: Path, place: str) -> Table:
    """Return the table of the first sheet, whose first row has the names. Raises InputError: `place`, and why."""
    try:
        with zipfile.ZipFile(path) as book:
            rows = list(_rows(book))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, StopIteration, ElementTree.ParseError) as error:
        text = "damaged, locked with a password, or no Excel workbook"
        raise InputError(f"{place}: {text} ({shortened(error)}); save the sheet as .csv") from None
    if not rows:
        raise InputError(f"{place}: its first sheet is empty; expected names of columns, and rows below them")
    names = [name.strip() for name in rows[0]]

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        for start in range(1, len(rows), CHUNK_ROWS):
            part = [row + [""] * (len(names) - len(row)) for row in rows[start : start + CHUNK_ROWS]]
            columns: dict[str, Column] = {name: [row[names.index(name)] for row in part] for name in (*texts, *marks)}
            yield Chunk(range(start + 1, start + 1 + len(part)), columns)

    return Table(place, "row", names, read)


def _rows(book: zipfile.ZipFile) -> Iterator[list[str]]:
    """The cells of each row that has some."""
    sheet = _first_sheet(book)
    shared = []
    if "xl/sharedStrings.xml" in book.namelist():
        shared = [_text(item) for item in _part(book, "xl/sharedStrings.xml").iterfind("{*}si")]
    for row in _part(book, sheet).iterfind("{*}sheetData/{*}row"):
        cells: list[str] = []
        for cell in row.iterfind("{*}c"):
            match = LETTERS.match(cell.get("r", ""))
            cells += [""] * ((_number(match[0]) if match else len(cells)) - len(cells))
            cells.append(_cell(cell, shared))
        if any(cells):
            yield cells


def _first_sheet(book: zipfile.ZipFile) -> str:
    first = next(_part(book, "xl/workbook.xml").iterfind("{*}sheets/{*}sheet"))
    relations = _part(book, "xl/_rels/workbook.xml.rels")
    target = next(one.get("Target", "") for one in relations if one.get("Id") == first.get(RELATION))
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _part(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).file_size > MAX_BYTES:
        raise ValueError(f"{name} has more than {MAX_BYTES} bytes")
    text = book.read(name)
    if b"<!DOCTYPE" in text[:1000]:  # which may declare entities that grow without end
        raise ValueError(f"{name} declares a document type")
    return ElementTree.fromstring(text)


def _number(letters: str) -> int:
    """Column of its letters: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _cell(cell: ElementTree.Element, shared: Sequence[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext("{*}v", "")
    if kind == "inlineStr":
        return "".join(_text(part) for part in cell.iterfind("{*}is"))
    if kind == "s":
        return shared[int(value)]
    return BOOLEANS.get(value, value) if kind == "b" else value


def _text(item: ElementTree.Element) -> str:
    """Text of a string, without the readings that Japanese cells have beside it."""
    parts = [item.findtext("{*}t"), *(run.findtext("{*}t") for run in item.iterfind("{*}r"))]
    return "".join(part for part in parts if part)
