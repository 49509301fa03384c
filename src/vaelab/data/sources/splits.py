"""Which split each unit (task, page, strip, file, row, id) is in: by a hash of its own name and the data set's seed.

The hash is a number in [0, 1): below the share of train it says train, and so on, whatever else there is. So nothing
that is added, removed or renamed moves anything else. By chance shares are missed so, and where they are missed by more
than `tolerance`, those units change sides whose hashes are next to the limit, as few as will do. Then one unit more may
move another one at each limit between two splits. Measured over 300 seeds, shares .8, .1, .1: of 10 to 64 units .3
others move on average, of 100 .1, of 1,000 .05, of 10,000 none; never more than two.

n units.
"""

import hashlib
import math
import sys
from collections.abc import Iterable, Sequence

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.errors import InputError
from vaelab.params.datasets import Split

UNITS, MISSED = (64, 100, 1000), (0.5, 6.0, 20.0)  # between them in a straight line; half a unit is rounding
DIGITS = 53  # binary ones of a hash


def phases_of(number: np.ndarray, split: Split, where: str, what: str = "rows") -> np.ndarray:
    """Return the split of each unit by its hash, index into PHASES, int64 [n]; each with a share gets one at least.

    Raises:
        InputError: there are fewer units than splits with a share.
    """
    shares = [share for _, share in split]
    units = len(number)
    if units < sum(share > 0 for share in shares):
        raise InputError(f"{where}.split: {units} {what} are too few for the shares {shares}")
    phases = parts_of(number, shares)
    if 0 in (size for size, share in zip(_sizes(units, split), shares, strict=True) if share):
        counts = np.bincount(phases, minlength=len(PHASES)).tolist()
        listed = ", ".join(f"{count} for {phase}" for count, phase in zip(counts, PHASES, strict=True))
        text = f"by the shares {shares}, {units} {what} would leave a split empty: {listed}"
        print(f"warning: {where}.split: {text}", file=sys.stderr)
    return phases


def parts_of(number: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return the index of the share that each unit falls to, int64 [n]; each share above 0 gets one at least.

    Args:
        number: hash of each unit [n], as many as shares above 0 or more.
        shares: relative to their sum.
    """
    given = np.flatnonzero(np.array(shares) > 0)
    order = np.argsort(number, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ends = _ends(number, np.array(shares)[given] / sum(shares))
    parts: np.ndarray = given[np.searchsorted(ends, rank, side="right")]
    return parts


def parts_of_units(units: Sequence[str], shares: Sequence[float], seed: int) -> np.ndarray:
    """Return the index of the share that each file falls to, int64 [n], those of one unit to the same.

    Args:
        units: of each file [n]; there are as many different ones as shares above 0, or more.
        shares: relative to their sum, of the units.
        seed: of the hashes.
    """
    different, place = np.unique(np.array(units, dtype=object), return_inverse=True)
    found: np.ndarray = parts_of(hashes(different.tolist(), seed), shares)[place]
    return found


def _ends(number: np.ndarray, shares: np.ndarray) -> list[int]:
    """Units below each limit between two parts: as the hashes say, as far as that is in reach of the shares."""
    units, ends, missed = len(number), [0], tolerance(len(number)) + 1e-9
    for place, limit in enumerate(np.cumsum(shares)[:-1].tolist()):
        near = units * limit, ends[-1] + units * float(shares[place])  # also the size of the part is in reach
        low, high = math.ceil(max(near) - missed), math.floor(min(near) + missed)
        if low > high:  # of few units
            low = high = round(units * limit)
        end = min(max(int((number < limit).sum()), low), high)
        ends.append(min(max(end, ends[-1] + 1), units - (len(shares) - place - 1)))
    return ends[1:]


def hashes(names: Iterable[str], seed: int) -> np.ndarray:
    """Return a number in [0, 1) for each name, float64 [n]: even over names, the same for the same name and seed."""
    start = hashlib.blake2b(f"{seed}\0".encode(), digest_size=8)

    def number(name: str) -> int:
        own = start.copy()
        own.update(name.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "big") >> (64 - DIGITS)

    return np.fromiter(map(number, names), dtype=np.float64) / 2.0**DIGITS


def tolerance(units: int) -> float:
    """Return by how many units the size of a split may differ from its share."""
    return max(float(np.interp(units, UNITS, MISSED)), units * MISSED[-1] / UNITS[-1] * (units > UNITS[-1]))


def split_sizes(units: int, split: Split, where: str, what: str = "rows") -> list[int]:
    """Return how many units without names each split gets. Raises InputError where one with a share gets none."""
    shares, sizes = [share for _, share in split], _sizes(units, split)
    if any(share > 0 and not size for share, size in zip(shares, sizes, strict=True)):
        raise InputError(f"{where}.split: {units} {what} are too few for the shares {shares}")
    return sizes


def _sizes(units: int, split: Split) -> list[int]:
    sizes: list[int] = np.diff(np.round(np.cumsum([0, *(share for _, share in split)]) * units).astype(int)).tolist()
    return sizes
