"""Columns of 0 and 1, one for each tag, or of one value each, as rows of tags; cells that say nothing. n rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import Column
from vaelab.data.sources.tags.rows import Rows
from vaelab.errors import InputError

NO = ("0", "false", "0.0", "no", "n", "f", "-")
YES = ("1", "true", "1.0", "yes", "y", "t", "+")
MARKS = {**dict.fromkeys(NO, 0), **dict.fromkeys(YES, 1)}  # cells of a column that is of one tag, in small letters
TICKS = ("x", "✓", "✔")  # 1, where 0 is an empty cell
MISSING = frozenset(("", "?", "na", "n/a", "nan", "null", "none", "<na>"))  # cells that say nothing, in small letters
MAX_IGNORED, MAX_IGNORED_CHARACTERS = 20, 150  # columns in an error


class _Marks(dict[str, int]):
    def __missing__(self, cell: str) -> int:
        if (plain := cell.strip().lower()) == cell:
            raise KeyError(cell)
        return self[plain]


_MARKS = _Marks(MARKS)  # cells as they usually are, and the others by way of `__missing__`
OR_MISSING = _Marks({**MARKS, **dict.fromkeys(MISSING, 0), **dict.fromkeys(TICKS, 1)})


def marked_rows(
    columns: Sequence[Column], names: Sequence[str], at: Callable[[int], str], missing: bool = False
) -> Rows:
    """Return the rows of columns of 0 and 1, one per tag; `missing`: cells may be empty, which is 0.

    Raises:
        InputError: a cell is anything else.
    """
    found = [_ones(column, OR_MISSING if missing else _MARKS) for column in columns]
    bad = {name: wrong for name, wrong in zip(names, found, strict=True) if isinstance(wrong, int)}
    if bad:
        raise InputError(_no_marks(dict(zip(names, columns, strict=True)), bad, at))
    x = np.stack(cast("list[np.ndarray]", found), axis=1)
    column = np.nonzero(x)[1]
    return Rows(np.count_nonzero(x, axis=1).astype(np.int32), column.astype(np.min_scalar_type(len(names))))


def _ones(column: Column, known: Mapping[str, int]) -> np.ndarray | int:
    """1 where the tag is given, 0 elsewhere, uint8 [n]; or the first row whose cell is neither."""
    if isinstance(column, np.ndarray):
        wrong = (column != 1) & (column != 0)
        return int(wrong.argmax()) if wrong.any() else (column == 1).astype(np.uint8)
    try:
        return np.frombuffer(bytes(map(known.__getitem__, cast("Sequence[str]", column))), dtype=np.uint8)
    except (KeyError, AttributeError, TypeError):  # text, or a list
        return next(row for row, cell in enumerate(column) if str(cell).strip().lower() not in known)


def _no_marks(columns: Mapping[str, Column], bad: Mapping[str, int], at: Callable[[int], str]) -> str:
    """What is wrong with columns that are to be of tags, and the option that leaves them out or reads their splits."""
    name, row = min(bad.items(), key=lambda item: item[1])
    cell = str(columns[name][row])
    found = f"holds {cell[:40]!r}" if cell.strip() else "is empty"
    others = f"; so have {len(bad) - 1} more columns others" if len(bad) > 1 else ""
    listed = ", ".join([name, *(other for other in bad if other != name)][:MAX_IGNORED])[:MAX_IGNORED_CHARACTERS]
    where = at(row).partition(".path:")[0]
    option = f"{where}.split_column: {name}" if split_named(cell) else f"{where}.ignore: [{listed}]"
    zero = f"; if that is 0: {where}.missing: absent" if cell.strip().lower() in MISSING else ""
    expected = "expected 0 or 1, true or false, yes or no"
    return f"{at(row)}: column {name!r} {found}; {expected}{others}{zero}; if they are no tags: {option}"


def valued_columns(columns: Sequence[Any], names: Sequence[str]) -> list[list[str]]:
    """Return the tags of each row, column=value, in several columns of one value each; a list has several."""
    return [
        [f"{name}={value}" for name, cell in zip(names, row, strict=True) for value in _values(cell)]
        for row in zip(*columns, strict=True)
    ]


def _values(cell: str | list[str]) -> list[str]:
    values = [cell] if isinstance(cell, str) else cell
    return [text for value in values if (text := value.strip()).lower() not in MISSING]
