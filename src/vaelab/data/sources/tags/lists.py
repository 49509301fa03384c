"""Lists of tags in one cell of text, in brackets: JSON, or as Python prints lists, tuples and sets."""

import ast
import json
import re
from collections.abc import Callable, Sequence

from vaelab.errors import InputError

BRACKETS, QUOTES = ("[]", "()", "{}"), {"'", '"'}
PIECE = re.compile(
    r"""\s*(?:u?(?P<single>'(?:[^'\\]|\\.)*')|u?(?P<double>"(?:[^"\\]|\\.)*")|(?P<bare>[-+.\w]+))\s*(?:,|\Z)""",
    re.DOTALL,
)
NONE = ("None", "null", "nan", "NaN")  # pieces that are no tag
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
LOOKED_AT = 1000  # cells that say whether a column is of lists


def list_in(cell: str) -> list[str] | None:
    """Return the tags of a cell that is a list in brackets; None where it is none."""
    text, tags, at = cell.strip(), [], 0
    if text[:1] + text[-1:] not in BRACKETS or (text[:1] != "[" and not QUOTES & set(text)):
        return None
    inner = text[1:-1].strip()
    while at < len(inner):
        found = PIECE.match(inner, at)
        tag = _piece(found) if found else None
        if found is None or tag is None:
            return None
        tags.append(tag)
        at = found.end()
    return [tag for tag in tags if tag]


def _piece(found: re.Match[str]) -> str | None:
    """The text of a piece, empty where it stands for nothing; None where it is none."""
    if bare := found["bare"]:
        return "" if bare in NONE else bare if NUMBER.fullmatch(bare) else None
    quoted = found["single"] or found["double"]
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return str(json.loads(quoted) if found["double"] else ast.literal_eval(quoted))
    except (ValueError, SyntaxError):
        return None


def are_lists(cells: Sequence[str]) -> bool:
    """Return whether a column is of lists: more than half of the first cells that are not empty are."""
    given = [cell for cell in cells if cell.strip()][:LOOKED_AT]
    return bool(given) and 2 * sum(list_in(cell) is not None for cell in given) > len(given)


def lists_of(cells: Sequence[str], at: Callable[[int], str]) -> list[list[str]]:
    """Return the tags of cells that are lists, or empty. Raises InputError where one is neither."""
    found = []
    for row, cell in enumerate(cells):
        tags = list_in(cell) if cell.strip() else []
        if tags is None:
            expected = "expected a list such as ['a', 'b'] or [\"a\", \"b\"], as in other rows"
            raise InputError(f"{at(row)} holds {cell.strip()[:40]!r}; {expected} (cells: joined, if it is text)")
        found.append(tags)
    return found
