"""How many units (rows, tasks) each split gets, and which ones."""

import numpy as np

from vaelab.errors import InputError
from vaelab.params.datasets import Split


def phases_of(units: int, split: Split, seed: int, where: str, what: str = "rows") -> np.ndarray:
    """Return the split of each unit, index into PHASES, int64 [units], in a seeded random order."""
    sizes = split_sizes(units, split, where, what)
    phases = np.empty(units, dtype=np.int64)
    phases[np.random.default_rng(seed).permutation(units)] = np.repeat(np.arange(len(sizes)), sizes)
    return phases


def split_sizes(units: int, split: Split, where: str, what: str = "rows") -> list[int]:
    """Return how many of the units each split gets. Raises InputError where one with a share gets none."""
    shares = [share for _, share in split]
    sizes: list[int] = np.diff(np.round(np.cumsum([0, *shares]) * units).astype(int)).tolist()
    if any(share > 0 and not size for share, size in zip(shares, sizes, strict=True)):
        raise InputError(f"{where}.split: {units} {what} are too few for the shares {shares}")
    return sizes
