"""Which part of a picture, and how many crops, belong to each split.

Each picture is cut across its longer side into one region per split: one crop wide, plus the split's share of the rest.
"""

from typing import NamedTuple

import numpy as np

from vaelab.errors import InputError
from vaelab.params.datasets import Photos, Textures

REDUCTIONS = (1, 2, 4)


class Region(NamedTuple):
    """The part of a picture that belongs to a split, in pixels, and how much its crops may be reduced."""

    picture: str
    top: int
    left: int
    height: int
    width: int
    reductions: tuple[int, ...]


def split_counts(settings: Photos | Textures, where: str) -> dict[str, int]:
    """Return the number of crops of each split that has a share.

    Raises:
        InputError: a split would have none.
    """
    shares = {phase: share for phase, share in settings.split if share}
    bounds = np.round(np.cumsum([0, *shares.values()]) * settings.crops).astype(int)
    counts = dict(zip(shares, np.diff(bounds).tolist(), strict=True))
    if not all(counts.values()):
        raise InputError(f"{where}.crops: {settings.crops} are too few for the shares {shares}")
    return counts


def split_regions(name: str, shape: tuple[int, ...], settings: Photos | Textures, where: str) -> dict[str, Region]:
    """Return the region of each split that has a share, in the picture `name` of `shape` (rows, columns).

    Raises:
        InputError: a crop does not fit.
    """
    shares, size = {phase: share for phase, share in settings.split if share}, settings.size
    longer, shorter = max(shape), min(shape)
    most = min(shorter, longer // len(shares))
    if size > most:
        text = f"{size} is too large for {len(shares)} regions of {name}, {shape[0]}x{shape[1]} pixels"
        raise InputError(f"{where}.size: {text}; expected at most {most}")
    rest = longer - len(shares) * size
    ends = [size * (i + 1) + round(share * rest) for i, share in enumerate(np.cumsum(list(shares.values())))]
    starts = [0, *ends[:-1]]
    narrowest = min(shorter, *(end - start for start, end in zip(starts, ends, strict=True)))
    reductions = tuple(factor for factor in REDUCTIONS if factor * size <= narrowest)
    return {
        phase: Region(name, start, 0, end - start, shorter, reductions)
        if shape[0] == longer
        else Region(name, 0, start, shorter, end - start, reductions)
        for phase, start, end in zip(shares, starts, ends, strict=True)
    }
