"""Cells of a table to rows of tags: joined tags in one column, or a column of 0 and 1 for each tag."""

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import cast

import numpy as np

from vaelab.data.sources.tags.rows import Rows
from vaelab.data.sources.tags.tables import Column
from vaelab.errors import InputError

MAX_NAME = 1000  # characters of a tag; more are joined by another separator
MARKS = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}


class _Marks(dict[str, int]):
    def __missing__(self, cell: str) -> int:
        return MARKS[cell.strip().lower()]


def joined_rows(
    cells: Sequence[str] | Sequence[list[str]], separator: str, tags: dict[str, int], at: Callable[[int], str]
) -> tuple[Rows, int]:
    """Return the rows of cells of joined tags, and how many tags were in their row before.

    Args:
        cells: joined tags, or lists of them; an empty piece is no tag.
        separator: between two tags.
        tags: number of each tag; new ones are added.
        at: place of a row, for errors.

    Raises:
        InputError: a tag is too long to be one.
    """
    pieces = [cell.split(separator) if isinstance(cell, str) else cell for cell in cells]
    known, size = len(tags), np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
    names = map(str.strip, chain.from_iterable(pieces))
    column = np.array([tags.setdefault(name, len(tags)) if name else -1 for name in names], dtype=np.int64)
    row, given = np.repeat(np.arange(len(cells)), size), column >= 0
    for name in islice(tags, known, None):
        if len(name) > MAX_NAME:
            place = at(int(row[(column == tags[name]).argmax()]))
            text = f"a tag of {len(name)} characters, {name[:20]!r}...; at most {MAX_NAME} (separator: {separator!r})"
            raise InputError(f"{place} has {text}")
    rows = Rows.of_pairs(row[given], column[given], len(cells))
    return rows, int(given.sum() - rows.counts.sum())


def marked_rows(columns: Sequence[Column], names: Sequence[str], at: Callable[[int], str]) -> Rows:
    """Return the rows of columns of 0 and 1, one per tag. Raises InputError where a cell is anything else."""
    x = np.stack([_ones(column, name, at) for column, name in zip(columns, names, strict=True)], axis=1)
    column = np.nonzero(x)[1]
    return Rows(np.count_nonzero(x, axis=1).astype(np.int32), column.astype(np.min_scalar_type(len(names))))


def _ones(column: Column, name: str, at: Callable[[int], str]) -> np.ndarray:
    """1 where the tag is given, 0 elsewhere, uint8 [n]."""
    if isinstance(column, np.ndarray):
        marks: np.ndarray = (column == 1).astype(np.uint8)
        wrong = (marks == 0) & (column != 0)
        bad = int(wrong.argmax()) if wrong.any() else None
    else:
        try:
            return np.frombuffer(bytes(map(_MARKS.__getitem__, cast("Sequence[str]", column))), dtype=np.uint8)
        except KeyError:
            bad = next(row for row, cell in enumerate(column) if str(cell).strip().lower() not in MARKS)
    if bad is not None:
        found = f"holds {str(column[bad])[:40]!r}" if str(column[bad]).strip() else "is empty"
        raise InputError(f"{at(bad)}: column {name!r} {found}; expected 0 or 1, true or false")
    return marks


_MARKS = _Marks(MARKS)  # cells as they usually are, and the others by way of `__missing__`
