"""How files of a run are read for its diagnosis: what is not there is empty, and what is damaged is said."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab import storage
from vaelab.errors import InputError, shortened

AGAIN = "delete it, and `dvc repro` makes it again"
EVERY = "*"  # stands for every name
WHOLE = {"epoch", "group"}
SAID: dict[type[Any], str] = {
    dict: "names with values", list: "a list", float: "a number", int: "a whole number", str: "a text",
}  # fmt: skip


def record(path: Path, places: Mapping[str, type[Any]] = {}) -> dict[str, Any]:
    """Return the content of a JSON file, empty where there is none; null where another type belongs is left out.

    Args:
        path: of the file.
        places: type of what stands at a place, where it is there: "statistics.*" is each value in `statistics`.

    Raises:
        InputError: it is not JSON, or something in it is of another type.
    """
    if not path.is_file():
        return {}
    try:
        value = storage.read_json(path)
    except InputError as error:
        raise InputError(f"{error}; {AGAIN}") from None
    _check(path, "", value, dict)
    for place, kind in places.items():
        for inside, name, where in _at(value, place.split(".")):
            if inside[name] is None:
                del inside[name]
            else:
                _check(path, where, inside[name], kind)
    return value


def table(path: Path, columns: Collection[str], numbers: Collection[str] = ()) -> Sequence[Mapping[str, str]]:
    """Return the rows of a CSV file, none where there is no such file.

    Args:
        path: of the file.
        columns: that it has to have.
        numbers: columns of numbers, `epoch` and `group` of whole ones, others may be empty; "*" is all but `phase`.

    Raises:
        InputError: it is not a table, it is cut off or lacks a column, or a cell is no number.
    """
    if not path.is_file():
        return ()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # a spreadsheet writes a mark in front
            reader = csv.DictReader(file)
            rows, found = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {shortened(error)}; {AGAIN}") from None
    if not path.stat().st_size:
        raise InputError(f"{path}: is empty; {AGAIN}")
    if rows and (missing := [name for name in columns if name not in found]):
        raise InputError(f"{path}: no column {missing[0]!r}; expected a table with {', '.join(columns)}; {AGAIN}")
    for place, row in enumerate(rows, 1):
        _check_row(f"{path}: row {place}", row, numbers)
    return rows


def _check_row(where: str, row: Mapping[str, Any], numbers: Collection[str]) -> None:
    if None in row or None in row.values():
        raise InputError(f"{where} has not as many cells as the header; {AGAIN}")
    for name in row.keys() - {"phase"} if EVERY in numbers else row.keys() & numbers:
        cell, whole = row[name], name in WHOLE
        if (cell or whole) and not _is_number(cell, whole):
            raise InputError(f"{where}: {name} is {cell!r}; expected a {'whole ' if whole else ''}number; {AGAIN}")


def _is_number(cell: str, whole: bool) -> bool:
    try:
        return (int if whole else float)(cell) >= 0 or not whole
    except ValueError:
        return False


def _check(path: Path, place: str, value: Any, kind: type[Any]) -> None:
    number = kind in (int, float) and not isinstance(value, bool) and isinstance(value, (int, kind))
    if not number and not (kind not in (int, float) and isinstance(value, kind)):
        at = f" at {place}" if place else ""
        raise InputError(f"{path}: expected {SAID[kind]}{at}, found {shortened(Exception(repr(value)), 40)}; {AGAIN}")


def _at(value: Any, place: Sequence[str], above: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each mapping that holds such a place, with the name of it there and the whole path."""
    first, *rest = place
    names = list(value) if first == EVERY else [first] if first in value else []
    for name in names:
        if not rest:
            yield value, name, f"{above}{name}"
        elif isinstance(value[name], dict):
            yield from _at(value[name], rest, f"{above}{name}.")
