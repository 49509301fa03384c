"""Tables in WEKA's format (.arff), dense or sparse.

Of multi-label sets only the labels are columns: those of the .xml beside the file (Mulan), or the first or last ones,
as -C in the name of the relation says (MEKA). In all others, every attribute is.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from vaelab.data.sources.tables import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, Table
from vaelab.data.sources.text_files import UNREADABLE, not_utf8, opened_text, text_lines
from vaelab.errors import InputError, shortened

ATTRIBUTE = re.compile(
    r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{'"]+)(?:\s+|(?=\{))(\{.*\}|\S+).*""",
    re.IGNORECASE | re.DOTALL,
)
UNESCAPED = re.compile(r"@attribute\s+('.*'|\".*\")\s+(\{.*\}|\S+)", re.IGNORECASE)  # a quotation mark in the name
LABELS = re.compile(r"-C\s+(-?\d+)")
MISSING = "?"


def arff_table(path: Path, place: str) -> Table:
    """Return the table in an .arff file, its columns the labels where it says them. Raises InputError."""
    relation, attributes = "", dict[str, str]()  # values of each that are 0 in a sparse row
    for number, line in _lines(path, place):
        word = line.split(maxsplit=1)[0].lower()
        relation = line if word == "@relation" else relation
        if word == "@data":
            break
        if word == "@attribute":
            match = ATTRIBUTE.fullmatch(line) or UNESCAPED.fullmatch(line)
            if match is None or _unquoted(match[1]) in attributes:
                wrong = "is there before" if match else "expected a name, and {values} or a type"
                raise InputError(f"{place}: line {number} is {line[:60]!r}; {wrong}")
            attributes[_unquoted(match[1])] = _first_value(match[2])
    if not attributes:
        raise InputError(f"{place}: has no line @attribute; expected an .arff file")
    stored = list(attributes)
    names = _labels(path, relation, stored)

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        wanted = [stored.index(name) for name in (*texts, *marks)]
        places, rows, characters = list[int](), list[list[str]](), 0
        for line, text in _data(path, place):
            cells = _cells(text, list(attributes.values()), f"{place}: line {line}")
            places.append(line)
            rows.append([cells[number] for number in wanted])
            characters += len(text)
            if characters > CHUNK_CHARACTERS or len(rows) == CHUNK_ROWS:
                yield Chunk(places, dict(zip((*texts, *marks), zip(*rows, strict=True), strict=True)))
                places, rows, characters = [], [], 0
        if rows:
            yield Chunk(places, dict(zip((*texts, *marks), zip(*rows, strict=True), strict=True)))

    return Table(place, "line", [name.strip() for name in names], read)


def _labels(path: Path, relation: str, names: list[str]) -> list[str]:
    """The columns that are labels; all, where nothing says which."""
    beside = path.with_suffix(".xml")
    others = sorted(path.parent.glob("*.xml"))
    beside = beside if beside.is_file() or len(others) != 1 else others[0]
    if beside.is_file():
        try:
            found = {element.get("name", "") for element in ElementTree.parse(beside).iterfind(".//{*}label")}
        except (OSError, ElementTree.ParseError):
            found = set()
        if labels := [name for name in names if name in found]:
            return labels
    number = int(match[1]) if (match := LABELS.search(relation)) else 0
    return names[:number] if number > 0 else names[number:] if number else names


def _lines(path: Path, place: str) -> Iterator[tuple[int, str]]:
    try:
        with opened_text(path) as file:
            for number, line in enumerate(text_lines(file, place), 1):
                if line.strip() and not line.startswith("%"):
                    yield number, line.strip()
    except UnicodeDecodeError:
        raise not_utf8(path, place) from None
    except UNREADABLE as error:
        raise InputError(f"{place}: cannot be read: {shortened(error)}") from None


def _data(path: Path, place: str) -> Iterator[tuple[int, str]]:
    lines = _lines(path, place)
    for _, line in lines:
        if line.lower() == "@data":
            break
    yield from lines


def _cells(text: str, absent: Sequence[str], place: str) -> Sequence[str]:
    if text.startswith("{"):
        cells = list(absent)
        for pair in filter(str.strip, _split(text.strip("{} "))):
            number, _, value = pair.strip().partition(" ")
            if not number.isdecimal() or int(number) >= len(cells):
                raise InputError(f"{place}: {pair[:40]!r}; expected the number of an attribute and its value")
            cells[int(number)] = _unquoted(value)
    else:
        cells = [_unquoted(cell) for cell in _split(text)]
        if len(cells) not in (len(absent), len(absent) + 1):  # a weight may stand behind
            raise InputError(f"{place} has {len(cells)} cells; expected {len(absent)}, one for each attribute")
    return ["" if cell == MISSING else cell for cell in cells]


def _split(text: str) -> list[str]:
    quote = "'" if "'" in text else '"'
    return next(csv.reader([text], quotechar=quote, escapechar="\\", skipinitialspace=True), [])


def _first_value(kind: str) -> str:
    """What an attribute is where a sparse row does not say it: 0, or the first of its values."""
    return _unquoted(_split(kind.strip("{} "))[0]) if kind.startswith("{") else "0"


def _unquoted(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
