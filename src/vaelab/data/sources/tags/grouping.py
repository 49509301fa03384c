"""What rows of a table have in common, by one column or several: their group, and what no two splits may share.

n rows; units are what one `id` names, else a row.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vaelab.data.sources.tables import Chunk
from vaelab.errors import InputError

NO_GROUP, OTHERS = "(none)", "(others)"  # of rows whose cell is empty; of rare groups
NO_BLOCK = -1


def columns_of(option: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the columns that an option names."""
    return () if option is None else (option,) if isinstance(option, str) else tuple(option)


def texts(chunk: Chunk, option: str | tuple[str, ...] | None) -> list[str]:
    """Return the cells of a column, or of several joined, without blanks around them; empty where all are."""
    columns = [[str(cell).strip() for cell in chunk.columns[name]] for name in columns_of(option)]
    if len(columns) == 1:
        return columns[0]
    return [" / ".join(cell or NO_GROUP for cell in cells) * any(cells) for cells in zip(*columns, strict=True)]


def most_frequent(groups: Mapping[str, int], rows: np.ndarray, most: int) -> tuple[dict[str, int], np.ndarray]:
    """Return `most` groups at most with their numbers, and the new number of each, int64 [groups].

    Args:
        groups: number of each, by name.
        rows: of each [groups].
        most: of which the last is that of all others, where there are more.
    """
    names = list(groups)
    if len(names) <= most:
        return dict(groups), np.arange(len(names))
    order = sorted(range(len(names)), key=lambda number: (-int(rows[number]), names[number]))
    kept = {names[number]: new for new, number in enumerate(sorted(order[: most - 1]))}
    kept.setdefault(OTHERS, len(kept))
    return kept, np.array([kept.get(name, kept[OTHERS]) for name in names])


class Blocks:
    """Blocks of units that are never in two splits, by the value that their rows share; a unit without is in none."""

    def __init__(self, column: str | tuple[str, ...] | None) -> None:
        self.column = column
        self.numbers: dict[str, int] = {}
        self.parts: list[np.ndarray] = []

    def add(self, chunk: Chunk, unit: np.ndarray, first: np.ndarray, at: Callable[[int], str] | None) -> None:
        """Add rows.

        Args:
            chunk: the rows [n].
            unit: of each [n].
            first: whether a row is the first of its unit, bool [n].
            at: place of a row, for errors; None where later rows of a unit do not count.

        Raises:
            InputError: the rows of a unit are in two blocks.
        """
        if self.column is None:
            return
        cells = texts(chunk, self.column)
        block = np.array([self.numbers.setdefault(text, len(self.numbers)) if text else NO_BLOCK for text in cells])
        self.parts.append(block[first].astype(np.int64))
        if at is None or first.all():
            return
        known = self.of_units()
        if len(wrong := np.flatnonzero(known[unit] != block)):
            row, names = int(wrong[0]), [*self.numbers, ""]
            text = f"{names[block[row]]!r}, an earlier row of its id {names[known[unit[row]]]!r}"
            raise InputError(f"{at(row)}: {' / '.join(columns_of(self.column))} is {text}; expected one (split_by)")

    def of_units(self) -> np.ndarray:
        """Return the block of each unit, NO_BLOCK for none, int64 [units]."""
        return np.concatenate(self.parts)

    def keys(self, units: int) -> np.ndarray:
        """Return a number of each unit that those of one block share, int64 [units]."""
        own = np.arange(units) + len(self.numbers)
        if self.column is None:
            return own
        block = self.of_units()
        return np.where(block == NO_BLOCK, own, block)

    def names(self, units: Sequence[str]) -> list[str]:
        """Return by what each unit is split: the name of its block, else its own."""
        if self.column is None:
            return list(units)
        known = [f"{' / '.join(columns_of(self.column))} {name}" for name in self.numbers]
        pairs = zip(units, self.of_units().tolist(), strict=True)
        return [name if block == NO_BLOCK else known[block] for name, block in pairs]
