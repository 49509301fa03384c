"""Names of the units of a table, by which they are split: their ids, and of rows without one what they hold.

A row without an id is named by its tags and its group, and by how many rows before it hold the same: its place in the
file says nothing, so that a row more or less moves no other, wherever it is. Rows of the same tags and group may be in
different splits. n rows.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from vaelab.data.sources.tags.rows import Rows


class RowNames:
    """Gathers what rows hold, part by part, as a number of 64 bits each."""

    def __init__(self) -> None:
        self.contents: list[np.ndarray] = []  # of each part
        self.numbers = {"tag": np.zeros(0, dtype=np.uint64), "group": np.zeros(0, dtype=np.uint64)}

    def add(self, rows: Rows, tags: dict[str, int], group: np.ndarray, groups: dict[str, int]) -> None:
        """Add rows, and the group of each [n]; tags and groups by their numbers, of which new ones come last."""
        of_tags = rows.sums(self._of("tag", tags))
        self.contents.append(of_tags + self._of("group", groups)[group])

    def names(self, units: Sequence[str | int]) -> Iterator[str]:
        """Yield the name of each unit: an id, or the number of a row."""
        rows = np.fromiter((unit for unit in units if not isinstance(unit, str)), dtype=np.int64)
        content = np.concatenate(self.contents)[rows]
        without_id = zip(content.tolist(), _occurrence(content).tolist(), strict=True)
        for unit in units:
            yield unit if isinstance(unit, str) else "row {:x} {}".format(*next(without_id))

    def _of(self, kind: str, numbered: dict[str, int]) -> np.ndarray:
        """A random number of each name, uint64."""
        known = self.numbers[kind]
        new = [_number(f"{kind} {name}") for name in islice(numbered, len(known), None)]
        self.numbers[kind] = np.concatenate([known, np.array(new, dtype=np.uint64)])
        return self.numbers[kind]


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _occurrence(content: np.ndarray) -> np.ndarray:
    """How many of the rows before each hold the same, int64 [n]."""
    order = np.argsort(content, kind="stable")
    first = np.flatnonzero(np.diff(content[order], prepend=content[order][:1] + np.uint64(1)))
    occurrence = np.empty(len(content), dtype=np.int64)
    occurrence[order] = np.arange(len(content)) - np.repeat(first, np.diff(first, append=len(content)))
    return occurrence
