"""How a text table is written, by its first lines: encoding, delimiter, and whether the first line has names."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vaelab.commands.init.recognise.named_columns import LONGEST, is_number
from vaelab.data.sources.tables import DELIMITERS, Header, Text
from vaelab.data.sources.text_files import OPENERS, UNREADABLE, opened_text, table_ending

MOST_ABOVE = 8  # lines above a table
LINES, LINE_CHARACTERS = 500, 2**20  # that are looked at, and of one
READ = 2**26  # characters, to see whether a text is UTF-8
WESTERN = "cp1252"
OTHERS = ("shift_jis", "gb18030", "euc_kr", "cp1251", "iso8859-7")
NUMBERS = re.compile(r"-?\d+(?:[.,]\d+)*", re.ASCII)
REUSED, FREQUENT, WIDTHS = 3, 5, 3  # of the tags of lists: times that each is there, half of them; lengths of lists
QUOTES = "‘’“”„‚«»–—…•€°´"  # that Western texts hold beside letters


class Written(NamedTuple):
    """How a text is written, and why it is thought so, by option."""

    text: Text
    why: dict[str, str]


def written(path: Path) -> Written:
    """Return how a text is written; nothing of what is as usual."""
    text, why = Text(), dict[str, str]()
    if encoding := encoding_of(path):
        text, why["encoding"] = text._replace(encoding=encoding), "guessed, as it is not UTF-8: are accents right?"
    lines = list(_lines(path, encoding))
    usual = DELIMITERS[table_ending(path)]
    cells = {mark: _rows(lines, mark) for mark in (*_marks(usual), " ")}
    same = {mark: rows for mark, rows in cells.items() if _are_even(rows) and mark != " "}
    same = {mark: rows for mark, rows in same.items() if mark == usual or len(rows[0]) > 1}
    if max((len(rows[0]) for rows in same.values()), default=0) < 2 and _is_matrix(cells[" "]):
        same = {" ": cells[" "]}
    mark = max(same, key=lambda mark: len(same[mark][0]), default=usual)
    header: Header = "names"
    if same and len(same[mark][0]) > 1:
        header = "none" if _is_row(same[mark]) else "names"
    elif lists := {mark: rows for mark, rows in cells.items() if _are_lists(rows, mark)}:
        mark, header = max(lists, key=lambda mark: sum(map(len, lists[mark]))), "lists"
    elif same and _recurs(same[mark]):
        header = "none"
    if mark != usual:
        text, why["delimiter"] = text._replace(delimiter=mark), "guessed: between two cells"
    if header != "names":
        text, why["header"] = text._replace(header=header), _because(header)
    return Written(text, why)


def preamble(path: Path) -> int:
    """Return how many lines at the beginning of a text stand above its table: comments, titles, Excel's sep=."""
    lines = list(_lines(path, encoding_of(path)))
    for number in range(1, MOST_ABOVE):
        for mark in _marks(DELIMITERS.get(table_ending(path), ",")):
            rows = _rows(lines[number:], mark)
            if len(rows) > 1 and _are_even(rows) and len(rows[0]) > 1 and lines[number].strip():
                return number
    return 0


def encoding_of(path: Path) -> str | None:
    """Return the encoding of a text that is not UTF-8, nor UTF-16 with its mark; None where none is likely."""
    try:
        with opened_text(path) as file:
            for _ in range(READ // LINE_CHARACTERS):
                if not file.read(LINE_CHARACTERS):
                    break
        return None
    except UnicodeDecodeError:
        with OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
            content = file.read(READ)
    except UNREADABLE:
        return None
    content = content[: content.rfind(b"\n") + 1] or content  # whole characters
    return next((name for name in (WESTERN, *OTHERS) if _fits(content, name)), None)


def _fits(content: bytes, encoding: str) -> bool:
    """Whether bytes are a text in an encoding; of Western ones, letters with accents stand alone in a word."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    inner = sum(a.islower() and b.isupper() for a, b in pairwise(text) if ord(b) > 127)
    if encoding != WESTERN:
        return 50 * inner <= sum(ord(c) > 127 for c in text)  # capital letters within words say that it is another
    foreign = [c for c in text if ord(c) > 127]
    pairs = sum(ord(a) > 127 and ord(b) > 127 and a.isalpha() and b.isalpha() for a, b in pairwise(text))
    return sum(c.isalpha() or c in QUOTES for c in foreign) > 0.8 * len(foreign) and 4 * pairs < len(foreign)


def _lines(path: Path, encoding: str | None) -> Iterator[str]:
    try:
        with opened_text(path, "replace", encoding) as file:
            for _ in range(LINES):
                if not (line := file.readline(LINE_CHARACTERS)):
                    return
                yield line
    except UNREADABLE:
        return


def _marks(usual: str) -> list[str]:
    return [usual, *(mark for mark in (",", ";", "\t", "|", "::") if mark != usual)]


def _rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    """The cells of the first lines; none where they cannot be told apart."""
    if mark in (" ", "::"):
        return [line.strip("\r\n ").split(mark) for line in lines if line.strip()]
    try:
        rows = [row for row in csv.reader(lines, delimiter=mark) if row]
    except csv.Error:
        return []
    return rows[:-1] if len(lines) == LINES else rows  # a cell may go on in lines that were not read


def _are_even(rows: Sequence[Sequence[str]]) -> bool:
    return len({*map(len, rows)}) == 1


def _is_matrix(rows: Sequence[Sequence[str]]) -> bool:
    return _are_even(rows) and len(rows[0]) > 1 and all(is_number(cell) for row in rows[1:] for cell in row)


def _is_row(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is a row like the others: numbers where these are, or else values that they have too."""
    first, body = rows[0], list(zip(*rows[1:], strict=True))
    if not body:
        return False
    numbers = [n for n, column in enumerate(body) if all(NUMBERS.fullmatch(cell.strip()) for cell in column if cell)]
    numbers = [n for n in numbers if any(body[n])]
    if numbers and all(NUMBERS.fullmatch(first[number].strip()) for number in numbers):
        inside = sum(_is_inside(first[number], body[number]) for number in numbers)
        return 2 * inside >= len(numbers)  # names may be numbers, too, such as years
    if numbers:
        return False
    return _recurs(rows)


def _is_inside(cell: str, column: Sequence[str]) -> bool:
    """Whether a number lies among those of a column, or not far from them."""
    with suppress(ValueError):
        numbers = [float(other.replace(",", ".")) for other in column if other]
        span = max(numbers) - min(numbers)
        return min(numbers) - span <= float(cell.replace(",", ".")) <= max(numbers) + span
    return True  # several in a cell


def _recurs(rows: Sequence[Sequence[str]]) -> bool:
    """Whether half of the first row's cells are in its columns again."""
    body = list(zip(*rows[1:], strict=True))
    return 2 * sum(cell in column for cell, column in zip(rows[0], body, strict=False)) >= len(rows[0]) > 0


def _are_lists(rows: Sequence[Sequence[str]], mark: str) -> bool:
    """Whether lines are lists of tags: of different lengths, of the same few words, as is the first."""
    lists = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    counts = Counter(cell for row in lists for cell in row)
    if len({*map(len, lists)}) < WIDTHS or counts.total() < REUSED * len(counts) or not lists[0]:
        return False
    if sum(map(len, counts)) > LONGEST * len(counts):
        return False
    known = 2 * sum(counts[cell] > 1 for cell in lists[0]) >= len(lists[0])
    alone = sum(len(set(row)) == len(row) for row in lists) > 0.9 * len(lists)
    often = sorted(counts.values())[len(counts) // 2] >= FREQUENT
    return known and alone and (mark != " " or often) and not all(is_number(cell) and "." in cell for cell in counts)


def _because(header: Header) -> str:
    if header == "lists":
        return "guessed: no line of names; each line is a list of tags, of any length"
    return "guessed: the first line is a row like the others; columns are 1, 2, ..."
