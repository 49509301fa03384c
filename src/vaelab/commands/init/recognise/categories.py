"""Columns of few values each, such as those of a survey: each value is a tag, smokes=yes."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from vaelab.commands.init.recognise.named_columns import LONGEST, is_number
from vaelab.data.sources.tags.marks import MARKS, MISSING, TICKS, YES

FEWEST = 3  # columns
MOST_VALUES, ROWS = 30, 5  # of a column, and of each value on average
MOST_NUMBERS = 12
PIXELS, SOME = 64, 50  # columns at least; rows that say what they hold
BITS = ("0", "1", "0.0", "1.0")


def is_mark(column: Sequence[str], blank: bool = False) -> bool:
    """Return whether a column is of 0 and 1; `blank`: of those, or ticks, and empty cells, which are 0."""
    values = {value.lower() for value in set(column)}
    if not blank:
        return bool(values) and values <= MARKS.keys()
    said = values - MISSING
    return bool(said) and bool(values & MISSING) and (said <= {*TICKS, *YES} or said <= {*BITS})


def categories(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns of few values; numbers are such where texts are too, or where none is 0: a scale of 1 to 5."""
    found = {name: values for name, column in columns.items() if (values := _values(column))}
    texts = [name for name, values in found.items() if not all(map(is_number, values))]
    scales = [name for name, values in found.items() if name not in texts and not _counts(values)]
    marks = [name for name in found if is_mark(columns[name])]
    kept = [*found] if len(texts) >= FEWEST else [*texts, *scales, *marks]
    return [name for name in columns if name in kept] if len(kept) >= FEWEST else []


def _counts(values: Counter[str]) -> bool:
    """Whether numbers may be counts: one is 0, and none is negative, as those of answers may be."""
    numbers = {float(value.replace(",", ".")) for value in values}
    return min(numbers) == 0


def _values(column: Sequence[str]) -> Counter[str]:
    """The values of a column and their rows; none where it has too many, or one."""
    counts = Counter(cell for cell in column if cell.lower() not in MISSING)
    numbers = all(map(is_number, counts))
    whole = not numbers or all(float(value.replace(",", ".")).is_integer() for value in counts)
    most = MOST_NUMBERS if numbers else MOST_VALUES
    few = 2 <= len(counts) <= most and counts.total() >= ROWS * len(counts)
    short = sum(map(len, counts)) <= LONGEST * len(counts)
    return counts if few and whole and short else Counter()


def are_pixels(columns: Mapping[str, Sequence[str]]) -> int:
    """Return the side of square images of which each row seems to be one, a column a pixel; 0 where they do not."""
    numbers = [column[:SOME] for name, column in columns.items() if name and all(map(str.isdecimal, column[:SOME]))]
    if len(numbers) < PIXELS or len(numbers) < 0.9 * len(columns) or max(map(int, chain(*numbers))) < 2:
        return 0
    counts = (len(numbers), len(numbers) - 1)  # one may be the label
    return next((side for count in counts if (side := math.isqrt(count)) ** 2 == count), 0)


def text_pixels(column: Sequence[str]) -> int:
    """Return the side of square images of which each cell is one, its pixels with blanks between them; 0 for others."""
    lengths = {len(cell.split()) for cell in column[:SOME]}
    length = next(iter(lengths), 0)
    side = math.isqrt(length)
    numbers = len(lengths) == 1 and length >= PIXELS and all(map(str.isdecimal, column[0].split()))
    return side if numbers and side * side == length else 0
