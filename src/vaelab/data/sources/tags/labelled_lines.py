"""Texts of labels before features, one item a line, as LIBSVM's multi-label sets and extreme classification have them.

`3,7 12:0.4 80:1` has the labels 3 and 7; the features are not read. The latter's first line has three numbers: items,
features, labels. An item without labels begins with a blank. Or before a text, as fastText has them: `__label__a word`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaelab.data.sources.tables import BASKET, CHUNK_ROWS, Chunk, Table
from vaelab.data.sources.text_files import UNREADABLE, not_utf8, opened_text, text_lines
from vaelab.errors import InputError, shortened

SIZES = re.compile(r"\d+ \d+ \d+\s*", re.ASCII)
ITEM = re.compile(r"(?P<labels>(?:[^\s:,]+(?:,[^\s:,]+)*)?)(?:\s+\d+:[-+.\deE]+)+\s*", re.ASCII)
LABEL = "__label__"
LOOKED_AT = 3  # lines


def is_labelled(path: Path) -> bool:
    """Return whether the first lines of a text are of labels and features."""
    try:
        with opened_text(path) as file:
            lines = [file.readline(2**20) for _ in range(LOOKED_AT)]
    except (UnicodeDecodeError, *UNREADABLE):
        return False
    lines = [line for line in lines[SIZES.fullmatch(lines[0]) is not None :] if line]
    return bool(lines) and (all(map(ITEM.fullmatch, lines)) or all(line.startswith(LABEL) for line in lines))


def labels_table(path: Path, place: str) -> Table:
    """Return the labels of each line as lists, in one column, tags. Raises InputError, which begins with `place`."""

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        places, rows = list[int](), list[list[str]]()
        for line, labels in _labels(path, place):
            places.append(line)
            rows.append(labels)
            if len(rows) == CHUNK_ROWS:
                yield Chunk(places, {BASKET: rows})
                places, rows = [], []
        if rows:
            yield Chunk(places, {BASKET: rows})

    return Table(place, "line", [BASKET], read)


def _labels(path: Path, place: str) -> Iterator[tuple[int, list[str]]]:
    try:
        with opened_text(path) as file:
            for number, line in enumerate(text_lines(file, place), 1):
                if (number == 1 and SIZES.fullmatch(line)) or not line.strip():
                    continue
                if line.startswith(LABEL):
                    yield number, [word.removeprefix(LABEL) for word in line.split() if word.startswith(LABEL)]
                    continue
                match = ITEM.fullmatch(line)
                if not match:
                    expected = "expected labels, then features: 3,7 12:0.4 80:1"
                    raise InputError(f"{place}: line {number} is {line.strip()[:40]!r}; {expected}")
                yield number, match["labels"].split(",") if match["labels"] else []
    except UnicodeDecodeError:
        raise not_utf8(path, place) from None
    except UNREADABLE as error:
        raise InputError(f"{place}: cannot be read: {shortened(error)}") from None
