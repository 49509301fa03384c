"""Rows of tags as they are put together from the cells of a table, split and stored.

A table has joined tags in one column, or a column of 0 and 1 for each tag. n rows, D tags; the tags of a row are
numbers below D, ascending, row after row, as in `vaelab.data.format.sparse`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES, tags_info
from vaelab.errors import InputError

DENSE_BYTES = 2**26  # of rows that are made dense at once
MAX_LISTED = 20  # tags in meta.json
MAX_NAME = 1000  # characters of a tag; more are joined by another separator


class Rows(NamedTuple):
    """Tags of n rows."""

    counts: np.ndarray  # int32 [n], tags of each row
    columns: np.ndarray  # integer [Σ counts]

    @classmethod
    def of_pairs(cls, row: np.ndarray, column: np.ndarray, rows: int) -> "Rows":
        """Return the rows that hold these pairs of row and tag, each pair once, in whatever order they are given."""
        width = int(column.max(initial=0)) + 1
        pairs = np.sort(row.astype(np.int64) * width + column)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # a hundred times as fast as np.unique, which hashes integers
        row, column = np.divmod(pairs, width)
        return cls(np.bincount(row, minlength=rows).astype(np.int32), column.astype(np.min_scalar_type(width)))

    @property
    def row(self) -> np.ndarray:
        """Number of the row of each tag, int64 [Σ counts]."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def chosen(self, rows: np.ndarray) -> "Rows":
        """Return the rows where `rows` is true, bool [n]."""
        return Rows(self.counts[rows], self.columns[np.repeat(rows, self.counts)])

    def renumbered(self, numbers: np.ndarray) -> "Rows":
        """Return the rows with new numbers of their tags, int [D before]; those below 0 are left out."""
        column = numbers[self.columns]
        kept = column >= 0
        return Rows.of_pairs(self.row[kept], column[kept], len(self.counts))

    def sums(self, numbers: np.ndarray) -> np.ndarray:
        """Return the sum over each row's tags of a number of each, uint64 [n] modulo 2^64: what the row holds."""
        ends = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(numbers[self.columns], dtype=np.uint64)])
        last = np.cumsum(self.counts)
        found: np.ndarray = ends[last] - ends[last - self.counts]
        return found

    def dense(self, width: int) -> np.ndarray:
        """Return uint8 [n, D] of 0 and 1."""
        x = np.zeros((len(self.counts), width), dtype=np.uint8)
        x[self.row, self.columns] = 1
        return x


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


def joined_columns(columns: Sequence[Any], separator: str) -> list[list[str]]:
    """Return the tags of each row in several columns of joined tags, or lists of them, as one list."""
    rows = zip(*columns, strict=True)
    return [[tag for cell in row for tag in (cell.split(separator) if isinstance(cell, str) else cell)] for row in rows]


class TagWriter:
    """Writes rows of tags as a prepared data set: sparsely, or as dense vectors where these take less room.

    Args:
        folder: of the data set.
        tags: names [D].
        groups: names.
        mean_tags: of a row, by which the storage is chosen.
    """

    def __init__(self, folder: Path, tags: Sequence[str], groups: Sequence[str], mean_tags: float) -> None:
        self.tags, self.groups = tags, groups
        self.sparse = 4 * mean_tags + 4 < len(tags)  # bytes of a row
        self.writer = prepared.Writer(folder, prepared.SHARD_BYTES)
        self.rows_with = np.zeros(len(tags), dtype=np.int64)  # training rows with each tag
        self.group_counts = {phase: np.zeros(len(groups), dtype=np.int64) for phase in PHASES}

    def add(self, phase: str, rows: Rows, group: np.ndarray) -> None:
        """Add rows, and the group of each [n]."""
        self.group_counts[phase] += np.bincount(group, minlength=len(self.groups))
        if phase == "train":
            self.rows_with += np.bincount(rows.columns, minlength=len(self.tags))
        group = group.astype(np.int32)
        if self.sparse:
            arrays = {"count": rows.counts.astype(np.int32), "columns": rows.columns.astype(np.int32)}
            self.writer.add(phase, arrays | {"group": group})
            return
        step, number = max(1, DENSE_BYTES // len(self.tags)), np.arange(len(rows.counts))
        for start in range(0, len(number), step):
            part = (number >= start) & (number < start + step)
            self.writer.add(phase, {"x": rows.chosen(part).dense(len(self.tags)), "group": group[part]})

    def absent(self) -> list[str]:
        """Return the tags that no training row has; they stay, with a count of 0."""
        return [tag for tag, count in zip(self.tags, self.rows_with.tolist(), strict=True) if not count]

    def finish(self, where: str, report: Mapping[str, Any]) -> None:
        """Write what is left and the description. Raises InputError where no training row has a tag."""
        if not self.rows_with.any():
            raise InputError(f"{where}: no row of the training split has a tag; expected some that have")
        rows = self.writer.examples["train"]
        self.writer.finish(tags_info(self.tags, self.rows_with.tolist(), rows, tuple(self.groups)), {
            **report,
            "stored": "sparse" if self.sparse else "dense",
            "tags_absent_from_training": {"tags": len(self.absent()), "first": self.absent()[:MAX_LISTED]},
            "group_counts": {
                phase: dict(zip(self.groups, counts.tolist(), strict=True))
                for phase, counts in self.group_counts.items()
            },
        })  # fmt: skip
