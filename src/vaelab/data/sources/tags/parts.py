"""Some rows of a table with what is known of each: its unit, its group and its split."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaelab.data.sources.tags.rows import Rows

NO_PHASE = -1


class Part(NamedTuple):
    """Some rows, the numbers of the unit and of the group of each, int64 [n], and the split that the table says."""

    rows: Rows
    unit: np.ndarray
    group: np.ndarray
    phase: np.ndarray  # index into PHASES; NO_PHASE where the table says none

    def chosen(self, rows: np.ndarray) -> "Part":
        """Return the rows where `rows` is true, bool [n]."""
        return Part(self.rows.chosen(rows), self.unit[rows], self.group[rows], self.phase[rows])


def merged(parts: Sequence[Part]) -> list[Part]:
    """Rows of units that have repeated become one each, with all their tags, and the group of the first."""
    repeated = np.bincount(np.concatenate([part.unit for part in parts])) > 1
    apart = [part.chosen(repeated[part.unit]) for part in parts]
    unit = np.concatenate([part.unit for part in apart])
    units, first = np.unique(unit, return_index=True)
    row = np.concatenate([np.repeat(part.unit, part.rows.counts) for part in apart])
    column = np.concatenate([part.rows.columns for part in apart])
    rows = Rows.of_pairs(np.searchsorted(units, row), column, len(units))
    group, phase = (np.concatenate(arrays)[first] for arrays in zip(*((p.group, p.phase) for p in apart), strict=True))
    return [*(part.chosen(~repeated[part.unit]) for part in parts), Part(rows, units, group, phase)]
