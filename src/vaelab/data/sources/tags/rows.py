"""Rows of tags as they are put together, split and stored.

n rows, D tags; the tags of a row are numbers below D, ascending, row after row, as in `vaelab.data.format.sparse`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.errors import InputError
from vaelab.params.datasets import Split

DENSE_BYTES = 2**26  # of rows that are made dense at once
MAX_LISTED = 20  # tags in meta.json


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

    def dense(self, width: int) -> np.ndarray:
        """Return uint8 [n, D] of 0 and 1."""
        x = np.zeros((len(self.counts), width), dtype=np.uint8)
        x[self.row, self.columns] = 1
        return x


def phases_of(units: int, split: Split, seed: int, where: str) -> np.ndarray:
    """Return the split of each unit, index into PHASES, int64 [units], in a seeded random order."""
    sizes = split_sizes(units, split, where)
    phases = np.empty(units, dtype=np.int64)
    phases[np.random.default_rng(seed).permutation(units)] = np.repeat(np.arange(len(sizes)), sizes)
    return phases


def split_sizes(units: int, split: Split, where: str) -> list[int]:
    """Return how many of the units each split gets. Raises InputError where one with a share gets none."""
    shares = [share for _, share in split]
    sizes: list[int] = np.diff(np.round(np.cumsum([0, *shares]) * units).astype(int)).tolist()
    if any(share > 0 and not size for share, size in zip(shares, sizes, strict=True)):
        raise InputError(f"{where}.split: {units} rows are too few for the shares {shares}")
    return sizes


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
        self.counts = np.zeros(len(tags), dtype=np.int64)  # training rows with each tag
        self.group_counts = {phase: np.zeros(len(groups), dtype=np.int64) for phase in prepared.PHASES}

    def add(self, phase: str, rows: Rows, group: np.ndarray) -> None:
        """Add rows, and the group of each [n]."""
        self.group_counts[phase] += np.bincount(group, minlength=len(self.groups))
        if phase == "train":
            self.counts += np.bincount(rows.columns, minlength=len(self.tags))
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
        return [tag for tag, count in zip(self.tags, self.counts.tolist(), strict=True) if not count]

    def finish(self, where: str, report: Mapping[str, Any]) -> None:
        """Write what is left and the description. Raises InputError where no training row has a tag."""
        if not self.counts.any():
            raise InputError(f"{where}: no row of the training split has a tag; expected some that have")
        rows = self.writer.examples["train"]
        self.writer.finish(prepared.tags_info(self.tags, self.counts.tolist(), rows, tuple(self.groups)), {
            **report,
            "stored": "sparse" if self.sparse else "dense",
            "tags_absent_from_training": {"tags": len(self.absent()), "first": self.absent()[:MAX_LISTED]},
            "group_counts": {
                phase: dict(zip(self.groups, counts.tolist(), strict=True))
                for phase, counts in self.group_counts.items()
            },
        })  # fmt: skip
