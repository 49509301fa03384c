"""Tables of one tag a row: an order and a product, a user and a film; rows of one order are one basket."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

ENDS = r"(?:[ _.-]?(?:id|ids|name|names|no|nr|number|num|code|key|title|description|desc))?"
PLACES = (  # what a basket is: the first that is there
    "order|basket|invoice|transaction|trans|receipt|ticket|cart|session|visit|playlist|bill",
    "document|doc|paper|article|post|question|movie|film|book|song|track|image|photo|recipe|game|sample|species|gene",
    "user|member|customer|client|person|reader|patient|subject|reviewer|listener",
)
ITEMS = (
    "tag|keyword|label|genre|category|topic|ingredient|symptom|diagnosis|icd|term",
    "product|item|article|stock|sku|good|description|desc",
    "movie|film|book|song|track|artist|anime|game|course|recipe|page|business|site|species|gene",
)
REPEATED, LARGEST = 1.5, 0.5  # rows of a basket on average, and of the largest one, of all
SOME = 1000  # rows that say whether a column is of codes
MOST_UNNAMED, FEWEST_UNNAMED = 4, 15  # columns: user, film, rating, time; baskets


def basket_columns(columns: Mapping[str, Sequence[str]], named: bool) -> tuple[str, str] | None:
    """Return the column of what has tags, and that of one tag a row; None where a table is of another kind.

    Args:
        columns: cells by name.
        named: whether the table has names; of one without, the first two columns are looked at.
    """
    if not named:
        first = [*columns][:2]
        several = len(first) == 2 and all(_repeats(columns[name]) for name in first) and len(columns) <= MOST_UNNAMED
        return (first[0], first[1]) if several and len(set(columns[first[0]])) >= FEWEST_UNNAMED else None
    items = [name for pattern in ITEMS for name in _called(columns, pattern) if _repeats(columns[name])]
    if not items:
        return None
    item = min(items, key=lambda name: (_class(name), _are_codes(columns[name])))
    order = (PLACES[0], PLACES[1], PLACES[2]) if _class(item) == 0 else (PLACES[0], PLACES[2], PLACES[1])
    found = [name for pattern in order for name in _called(columns, pattern) if name != item]
    found = [name for name in found if _repeats(columns[name]) and _are_sets(columns[name], columns[item])]
    return (found[0], item) if found else None


def _called(columns: Mapping[str, Sequence[str]], words: str) -> list[str]:
    return [name for name in columns if _is_called(name, words)]


def _is_called(name: str, words: str) -> bool:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.fullmatch(rf"(?:[^ _.-]+[ _.-])?(?:{words})s?{ENDS}", plain) is not None


def _class(name: str) -> int:
    return next(number for number, words in enumerate(ITEMS) if _is_called(name, words))


def _repeats(column: Sequence[str]) -> bool:
    counts = Counter(cell for cell in column if cell)
    return (
        len(counts) > 1 and counts.total() >= REPEATED * len(counts) and max(counts.values()) <= LARGEST * len(column)
    )


def _are_sets(units: Sequence[str], items: Sequence[str]) -> bool:
    """Whether baskets hold different items: an attribute of the unit, such as its artist, is the same in all rows."""
    pairs = {*zip(units, items, strict=True)}
    return len(pairs) >= REPEATED * len(set(units))


def _are_codes(column: Sequence[str]) -> bool:
    return 2 * sum(any(map(str.isdecimal, cell)) for cell in column[:SOME]) > len(column[:SOME])
