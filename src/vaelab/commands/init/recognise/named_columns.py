"""What columns hold whose names say it: genre1, genre2 are tags, one in each; artist is what rows have in common."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

REUSED = 1.5  # times that a tag is there on average
LONGEST = 40  # characters of a tag on average; more is text
NUMBERED = re.compile(r"(.*?)[ _.-]?\d+")
TWICE = 0.1  # rows that have a tag in two columns
SHARED = 0.2  # of the tags of such columns are in two of them
UNIT = re.compile(
    r"(?:.*[ _.-])?(?:artist|singer|band|author|director|patient|subject|participant|person|speaker|user|donor|animal"
    r"|specimen|customer|household)s?(?:[ _.-]?(?:id|name|no|nr|key|code|number))?",
    re.IGNORECASE,
)
FEWEST_UNITS, MOST_UNITS, LARGEST_UNIT = 10, 0.9, 0.2  # in all; for each row; and the rows of one


def numbered(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns whose names differ by a number at most, and that hold the same tags; most of them."""
    stems: dict[str, list[str]] = defaultdict(list)
    for name in columns:
        match = NUMBERED.fullmatch(name)
        stems[(match[1] if match else name).lower()].append(name)
    found = [names for names in stems.values() if len(names) > 1 and _are_tags([columns[name] for name in names])]
    return max(found, key=len, default=[])


def _are_tags(columns: Sequence[Sequence[str]]) -> bool:
    rows = [[cell for cell in row if cell] for row in zip(*columns, strict=True)]
    if sum(len(set(row)) < len(row) for row in rows) > TWICE * len(rows):
        return False  # answers, of which each column has one
    counts = Counter(cell for row in rows for cell in row)
    inside = Counter(cell for column in columns for cell in set(column) if cell)
    if len(counts) < 2 or counts.total() < REUSED * len(counts):
        return False
    if sum(map(len, counts)) > LONGEST * len(counts) or sum(map(is_number, counts)) > 0.9 * len(counts):
        return False
    return sum(number > 1 for number in inside.values()) >= SHARED * len(inside)


def is_unit(name: str, column: Sequence[str], ids: bool = False) -> bool:
    """Return whether a column says what rows have in common that must not be in two splits, such as the patient.

    `ids`: or the id, which is not that of one row.
    """
    counts = Counter(column)
    if not (UNIT.fullmatch(name) or (ids and name.lower() == "id")) or "" in counts:
        return False
    enough = FEWEST_UNITS <= len(counts) <= MOST_UNITS * len(column)
    return enough and max(counts.values()) <= LARGEST_UNIT * len(column)


def is_number(text: str) -> bool:
    """Return whether a cell is a number, also with a decimal comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
