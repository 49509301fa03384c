"""Measures of pixels against masks, exact, without holding a map of pixels. Definitions: docs/metrics/defects.md.

A curve over falling thresholds bends only at scores that a defective pixel has: between two of them only defect-free
pixels are added. So it is enough to count the defect-free pixels at and above each of those scores, which the sorted
cells of a few maps at a time give. U different scores of defective pixels, rising, E cells with a part of a region,
R regions, G groups.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.anomaly.patch_measures import CurveCounts, average_precision, roc_auc
from vaelab.anomaly.preprocessing import COMBINED, Preprocessed
from vaelab.anomaly.regions import Regions, read_regions
from vaelab.anomaly.score import Calibrations, calibrated_maps

PIXEL_MEASURES = ("pixel_roc_auc", "pixel_average_precision", "aupro")


class PixelCounts(NamedTuple):
    """What the measures of pixels are made of."""

    levels: np.ndarray  # scores of defective pixels [U]
    level: np.ndarray  # which of them each cell with a part of a region has [E]
    at_least: np.ndarray  # defect-free pixels of each group that score as much or more [G, U]
    above: np.ndarray  # and those that score more [G, U]
    free: np.ndarray  # defect-free pixels of each group [G]


class LabelledPixels(NamedTuple):
    """What measures of pixels are taken from, by score."""

    counts: Mapping[str, PixelCounts]
    regions: Mapping[str, Regions]
    group: np.ndarray  # of the patches of the phase that the regions are of
    defect: np.ndarray
    limit: float  # false-positive rate up to which AUPRO integrates

    def measure(self, score: str, group: int | None = None, defect: int | None = None) -> dict[str, float]:
        """Return PIXEL_MEASURES of a score, of one group, or of one kind of defect against all free pixels."""
        found, regions = self.counts[score], self.regions[score]
        chosen = np.ones(len(regions.patch), bool) if group is None else self.group[regions.patch] == group
        if defect is not None:
            chosen &= self.defect[regions.patch] == defect
        groups = np.arange(len(found.free)) if group is None else np.array([group])
        return pixel_measures(found, regions, chosen, groups, self.limit)


def read_pixels(phases: Mapping[str, Preprocessed], shards: Sequence[Path], cells: Calibrations) -> LabelledPixels:
    """Return what measures of pixels need, of labelled data.

    Args:
        phases: defects, and test where there is one.
        shards: of the prepared phase of defects, which hold the masks.
        cells: calibration of the cells of maps.

    Raises:
        InputError: masks do not go with the scores.
    """
    defects, normals = phases["defects"], [phases["test"]] if "test" in phases else []
    sides = {COMBINED: defects.combined_side, **defects.file.sides}
    by_side = read_regions(shards, defects.file.label, set(sides.values()))
    regions = {name: by_side[side] for name, side in sides.items()}
    counts = count_pixels(defects, normals, cells, regions)
    return LabelledPixels(counts, regions, defects.file.group, defects.file.defect, defects.settings.fpr_limit)


def count_pixels(
    defects: Preprocessed, normals: Sequence[Preprocessed], cells: Calibrations, regions: Mapping[str, Regions]
) -> dict[str, PixelCounts]:
    """Return the counts of every score and of the combined one.

    Args:
        defects: patches of the phase that the regions are of.
        normals: other phases, whose pixels are all free of defects.
        cells: calibration of the cells.
        regions: of the masks, in the cells of each score.
    """
    groups = 1 + max(int(phase.file.group.max(initial=0)) for phase in (defects, *normals))
    scores: dict[str, list[np.ndarray]] = {name: [] for name in regions}
    for patches, maps in calibrated_maps(defects, cells, defects.file.label != 0):
        for name, part in regions.items():
            here = slice(*np.searchsorted(part.patch, (patches[0], patches[-1] + 1)))
            flat = maps[name].reshape(len(patches), -1)
            scores[name].append(flat[np.searchsorted(patches, part.patch[here]), part.cell[here]])
    counts = {name: _empty(np.concatenate(parts), groups) for name, parts in scores.items()}
    for phase in (defects, *normals):
        for patches, maps in calibrated_maps(phase, cells, np.ones(len(phase), bool)):
            for name, found in counts.items():
                _add(found, maps[name], phase.file.group[patches], regions[name].area)
    for name, found in counts.items():
        _remove_defects(found, regions[name], defects.file.group)
    return counts


def _empty(scores: np.ndarray, groups: int) -> PixelCounts:
    levels, level = np.unique(scores, return_inverse=True)
    at_least, above = np.zeros((2, groups, len(levels)))
    return PixelCounts(levels, level.reshape(-1), at_least, above, np.zeros(groups))


def _add(found: PixelCounts, maps: np.ndarray, group: np.ndarray, area: np.ndarray) -> None:
    """Add all pixels of maps [n, h, h]: cells of equal area [h · h] are sorted together."""
    flat = maps.reshape(len(maps), -1)
    for number in np.unique(group):
        of_group = flat[group == number]
        for pixels in np.unique(area):
            cells = np.sort(of_group[:, area == pixels], axis=None)
            found.at_least[number] += pixels * (len(cells) - np.searchsorted(cells, found.levels, "left"))
            found.above[number] += pixels * (len(cells) - np.searchsorted(cells, found.levels, "right"))
            found.free[number] += pixels * len(cells)


def _remove_defects(found: PixelCounts, regions: Regions, group: np.ndarray) -> None:
    """Take the defective pixels out of what was counted."""
    place = group[regions.patch] * len(found.levels) + found.level
    at = np.bincount(place, regions.pixels, found.at_least.size).reshape(found.at_least.shape)
    at_least = at[:, ::-1].cumsum(1)[:, ::-1]
    found.at_least[...] -= at_least
    found.above[...] -= at_least - at
    found.free[...] -= at.sum(1)


def pixel_measures(
    found: PixelCounts, regions: Regions, chosen: np.ndarray, groups: np.ndarray, limit: float
) -> dict[str, float]:
    """Return PIXEL_MEASURES of the chosen regions' pixels against the defect-free pixels of some groups.

    Args:
        found: of a score.
        regions: in the cells of its maps.
        chosen: bool [E], whole regions.
        groups: numbers of the groups.
        limit: false-positive rate up to which AUPRO integrates.
    """
    free = float(found.free[groups].sum())
    if not chosen.any() or not free:
        return dict.fromkeys(PIXEL_MEASURES, float("nan"))
    level, pixels, region = found.level[chosen], regions.pixels[chosen], regions.region[chosen]
    at_least, above = (counted[groups].sum(0)[::-1] for counted in (found.at_least, found.above))
    hits = np.bincount(level, pixels, len(at_least))[::-1]
    overlap = np.bincount(level, pixels / regions.size[region], len(at_least))[::-1] / len(np.unique(region))
    curve = CurveCounts(hits, at_least, above, np.array(free))
    return {
        "pixel_roc_auc": float(roc_auc(curve)),
        "pixel_average_precision": float(average_precision(curve)),
        "aupro": _area(above / free, at_least / free, overlap, limit) / limit,
    }


def _area(above: np.ndarray, at_least: np.ndarray, gain: np.ndarray, limit: float) -> float:
    """Area, up to a limit, under the curve that gains some at each falling score: right first, slanting over ties."""
    reached = gain.cumsum()
    x = np.concatenate([[0], np.stack([above, at_least], 1).ravel(), [1]])
    y = np.concatenate([[0], np.stack([reached - gain, reached], 1).ravel(), [1]])
    inside = x <= limit
    x, y = np.append(x[inside], limit), np.append(y[inside], np.interp(limit, x, y))
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2)
