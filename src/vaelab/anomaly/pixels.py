"""Measures of pixels, exact, without holding a map of pixels. Definitions: docs/metrics.md.

A curve over falling thresholds bends only at scores that a defective pixel has: between two of them only defect-free
pixels are added. So it is enough to count the defect-free pixels at and above each of those scores, which the sorted
cells of a few maps at a time give. U different scores of defective pixels, rising, E cells with a part of a region,
R regions, G groups.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vaelab.anomaly.maps import Fitted, calibrated
from vaelab.anomaly.measures import Counts, average_precision, roc_auc
from vaelab.anomaly.regions import Regions
from vaelab.anomaly.score_files import Scored
from vaelab.params.threshold import Threshold

PIXEL_MEASURES = ("pixel_roc_auc", "pixel_average_precision", "aupro")


class Tally(NamedTuple):
    """What the measures of pixels are made of."""

    levels: np.ndarray  # scores of defective pixels [U]
    level: np.ndarray  # which of them each cell with a part of a region has [E]
    at_least: np.ndarray  # defect-free pixels of each group that score as much or more [G, U]
    above: np.ndarray  # and those that score more [G, U]
    free: np.ndarray  # defect-free pixels of each group [G]


def tally(
    defects: Scored, normals: Sequence[Scored], fitted: Fitted, regions: Mapping[str, Regions], settings: Threshold
) -> dict[str, Tally]:
    """Return the tally of every score and of the sum.

    Args:
        defects: patches of the phase that the regions are of.
        normals: other phases, whose pixels are all free of defects.
        fitted: calibration of the cells.
        regions: of the masks, in the cells of each score.
        settings: of the sum.
    """
    groups = 1 + max(int(scored.group.max(initial=0)) for scored in (defects, *normals))
    scores: dict[str, list[np.ndarray]] = {name: [] for name in regions}
    for patches, maps in calibrated(defects, fitted, settings, defects.label != 0):
        for name, part in regions.items():
            here = slice(*np.searchsorted(part.patch, (patches[0], patches[-1] + 1)))
            flat = maps[name].reshape(len(patches), -1)
            scores[name].append(flat[np.searchsorted(patches, part.patch[here]), part.cell[here]])
    tallies = {name: _empty(np.concatenate(parts), groups) for name, parts in scores.items()}
    for scored in (defects, *normals):
        for patches, maps in calibrated(scored, fitted, settings, np.ones(len(scored), bool)):
            for name, found in tallies.items():
                _count(found, maps[name], scored.group[patches], regions[name].area)
    for name, found in tallies.items():
        _remove_defects(found, regions[name], defects.group)
    return tallies


def _empty(scores: np.ndarray, groups: int) -> Tally:
    levels, level = np.unique(scores, return_inverse=True)
    at_least, above = np.zeros((2, groups, len(levels)))
    return Tally(levels, level.reshape(-1), at_least, above, np.zeros(groups))


def _count(found: Tally, maps: np.ndarray, group: np.ndarray, area: np.ndarray) -> None:
    """Add all pixels of maps [n, h, h]: cells of equal area [h · h] are sorted together."""
    flat = maps.reshape(len(maps), -1)
    for number in np.unique(group):
        of_group = flat[group == number]
        for pixels in np.unique(area):
            cells = np.sort(of_group[:, area == pixels], axis=None)
            found.at_least[number] += pixels * (len(cells) - np.searchsorted(cells, found.levels, "left"))
            found.above[number] += pixels * (len(cells) - np.searchsorted(cells, found.levels, "right"))
            found.free[number] += pixels * len(cells)


def _remove_defects(found: Tally, regions: Regions, group: np.ndarray) -> None:
    """Take the defective pixels out of what was counted."""
    place = group[regions.patch] * len(found.levels) + found.level
    at = np.bincount(place, regions.pixels, found.at_least.size).reshape(found.at_least.shape)
    at_least = at[:, ::-1].cumsum(1)[:, ::-1]
    found.at_least[...] -= at_least
    found.above[...] -= at_least - at
    found.free[...] -= at.sum(1)


def pixel_measures(
    found: Tally, regions: Regions, chosen: np.ndarray, groups: np.ndarray, limit: float
) -> dict[str, float]:
    """Return PIXEL_MEASURES of the chosen regions' pixels against the defect-free pixels of some groups.

    Args:
        found: the tally of a score.
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
    counts = Counts(hits, at_least, above, np.array(free))
    return {
        "pixel_roc_auc": float(roc_auc(counts)),
        "pixel_average_precision": float(average_precision(counts)),
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
