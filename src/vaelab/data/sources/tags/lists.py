"""Lists of tags in one cell of text, in brackets: JSON, or as Python and NumPy print lists, tuples and sets.

Also <a><b>, as Stack Exchange has them, {a,b}, lists of objects, [{"id": 28, "name": "Action"}], and of one object of
numbers, {"a": 7, "b": 2}, the keys.
"""

import ast
import csv
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from vaelab.errors import InputError

BRACKETS, QUOTES = ("[]", "()", "{}"), {"'", '"'}
PIECE = re.compile(
    r"""\s*(?:u?(?P<single>'(?:[^'\\]|\\.)*')|u?(?P<double>"(?:[^"\\]|\\.)*")|(?P<bare>[-+.\w]+))\s*(?:,|\s|\Z)""",
    re.DOTALL,
)
QUOTED = re.compile(r"""\{\s*(?:'[^']*'|"[^"]*")\s*[,}]""")  # a set of texts
ANGLES = re.compile(r"(?:<[^<>]+>\s*)+")
NAMES = ("name", "tag", "label", "title", "text", "value", "term", "id")  # of an object, the first it has is its tag
NONE = ("None", "null", "nan", "NaN")  # pieces that are no tag
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
LOOKED_AT = 1000  # cells that say whether a column is of lists


def list_in(cell: str) -> list[str] | None:
    """Return the tags of a cell that is a list in brackets; None where it is none."""
    text, tags, at = cell.strip(), [], 0
    if ANGLES.fullmatch(text):
        return [tag.strip() for tag in re.split("[<>]", text) if tag.strip()]
    if text.startswith("[{"):
        return _of_objects(text)
    if text[:1] + text[-1:] == "{}" and not QUOTED.match(text):
        return _in_braces(text)
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


def tag_of(value: Any) -> str | None:
    """Return the tag that an object of a list stands for: its name; None where it has none."""
    if not isinstance(value, dict):
        return None
    names = [value[name] for name in NAMES if isinstance(value.get(name), str | int)]
    texts = [text for text in value.values() if isinstance(text, str)]
    return str(names[0]) if names else texts[0] if len(texts) == 1 else None


def _in_braces(text: str) -> list[str] | None:
    """Tags as PostgreSQL prints arrays, {a,"b c"}; or the keys of an object of numbers, {"a": 7}."""
    if ":" not in text:
        return [tag.strip() for tag in next(csv.reader([text[1:-1]], skipinitialspace=True), []) if tag.strip()]
    found = _read(text)
    if not isinstance(found, dict) or not all(type(value) in (int, float) for value in found.values()):
        return None
    return [str(key) for key, value in found.items() if value]


def _read(text: str) -> Any:
    """The value of a text in JSON or Python; None where it is neither."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return read(text)
    return None


def _of_objects(text: str) -> list[str] | None:
    found = _read(text)
    tags = [tag_of(value) for value in found] if isinstance(found, list) else [None]
    return None if None in tags else [tag for tag in tags if tag]


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
