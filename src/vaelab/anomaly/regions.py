"""Defects of masks by connected region, counted in the cells of a score map. Bounded memory: a few masks at a time.

A map is laid over the mask: every pixel has the score of the cell that it lies in (nearest neighbour). So no pixel of
a mask is ever lost, and what a measure of pixels needs of a mask is how many pixels of each region lie in each cell.
n patches at a time, M pixels to the side of a mask, h cells to the side of a map, E cells with a part of a region.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from vaelab import storage
from vaelab.anomaly.score_files import cell_of
from vaelab.errors import InputError

MOST_PIXELS = 2**23  # of masks, in memory at once
EIGHT = np.zeros((3, 3, 3), bool)  # neighbours of a pixel: all eight in its own patch, none in other patches
EIGHT[1] = True


class Regions(NamedTuple):
    """Defective pixels of all patches of a phase, all [E] but size and area."""

    patch: np.ndarray  # number in the phase
    cell: np.ndarray  # row · h + column
    region: np.ndarray  # number over all patches
    pixels: np.ndarray  # of the region, in the cell
    size: np.ndarray  # pixels of each region [R]
    area: np.ndarray  # pixels of each cell [h · h]


def read_regions(shards: Iterable[Path], label: np.ndarray, sides: Iterable[int]) -> dict[int, Regions]:
    """Return the regions of a phase for maps of some numbers of cells a side.

    Args:
        shards: files of the prepared phase, in order.
        label: of its patches [N], 1 where the mask has a pixel.
        sides: h of the maps.

    Raises:
        InputError: a mask is smaller than the map, or masks and labels do not go together.
    """
    parts: dict[int, list[Regions]] = {side: [] for side in sides}
    patches, regions, last = 0, 0, None
    for path, masks in _masks(shards, label):
        if masks.shape[1] < max(parts):
            text = f"masks of {masks.shape[1]} pixels a side, score maps of {max(parts)} cells"
            raise InputError(f"{path}: {text}; a map must not be finer than the mask")
        if last is not None and masks.shape[1] != last:
            raise InputError(f"{path}: masks of {masks.shape[1]} pixels a side, {last} in the shards before")
        last = masks.shape[1]
        there = np.flatnonzero(label[patches : patches + len(masks)])
        numbered, count = ndimage.label(masks[there], EIGHT)
        for side, found in parts.items():
            part = count_cells(numbered, side)
            found.append(part._replace(patch=there[part.patch] + patches, region=part.region + regions))
        patches, regions = patches + len(masks), regions + count
    return {side: _joined(found) for side, found in parts.items()}


def _masks(shards: Iterable[Path], label: np.ndarray) -> Iterator[tuple[Path, np.ndarray]]:
    seen = 0
    for path in shards:
        for masks in _of_shard(path):
            expected = label[seen : seen + len(masks)]
            marked = masks.reshape(len(masks), -1).any(1)
            if len(expected) != len(masks) or (marked != (expected != 0)).any():
                raise InputError(f"{path}: masks do not go with the labels of the scored patches; score them again")
            seen += len(masks)
            yield path, masks
    if seen != len(label):
        raise InputError(f"{seen} masks are prepared, {len(label)} patches are scored: score them again")


def _of_shard(path: Path) -> Iterator[np.ndarray]:
    with storage.opened(path, "numpy") as file:
        if "mask" not in set(file.keys()):
            raise InputError(f"{path}: has no masks; delete it and make it again")
        part = file.get_slice("mask")
        count, height, width = part.get_shape()
        step = max(1, MOST_PIXELS // (height * width))
        for start in range(0, count, step):
            yield np.asarray(part[start : min(start + step, count)])


def count_cells(numbered: np.ndarray, side: int) -> Regions:
    """Return how the regions, numbered from 1 in [n, M, M], lie in the cells of a map."""
    patch, row, column = np.nonzero(numbered)
    of = cell_of(numbered.shape[1], side)
    region = numbered[patch, row, column].astype(np.int64) - 1
    key, pixels = np.unique(region * side**2 + of[row] * side + of[column], return_counts=True)
    first = np.zeros(int(region.max(initial=-1)) + 1, np.int64)
    first[region] = patch
    lengths = np.bincount(of, minlength=side)
    region = key // side**2
    return Regions(
        first[region], key % side**2, region, pixels, np.bincount(region, pixels), np.outer(lengths, lengths).ravel()
    )


def _joined(parts: list[Regions]) -> Regions:
    whole = Regions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    return whole._replace(area=parts[0].area)
