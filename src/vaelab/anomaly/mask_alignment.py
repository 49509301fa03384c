"""Whether masks lie where their images score high: scores inside masks, against masks of other images of the group.

Of a map only the ranks of its cells count, so that an image that scores high all over says nothing. n images of a
group, one of each strip, h cells to the side of a map.
"""

from typing import Any

import numpy as np
from scipy import sparse

from vaelab.anomaly.preprocessing import COMBINED, Preprocessed
from vaelab.anomaly.regions import Regions
from vaelab.anomaly.score import Calibrations, calibrated_maps

MOST_IMAGES = 500  # of a group, evenly spread: every map meets every mask


def mask_alignment(defects: Preprocessed, cells: Calibrations, regions: Regions) -> dict[str, Any]:
    """Return `mask_z`, `mask_z_ideal` (of maps that are the masks themselves) and `mask_images`.

    Args:
        defects: patches of defective strips; of each strip the one with the largest mask counts.
        cells: calibration of the cells of maps.
        regions: of the masks, in the cells of COMBINED.
    """
    group, area = defects.file.group, np.bincount(regions.patch, regions.pixels, len(defects))
    shares = regions.pixels / area[regions.patch]
    masks = sparse.csr_array((shares, (regions.patch, regions.cell)), (len(defects), len(regions.area)))
    images = _one_of_each_strip(area, defects)
    model, ideal = np.zeros((2, 2))  # excess and variance
    for number in np.unique(group[images]):
        own = images[group[images] == number]
        inside = masks[own]
        model += excess(_ranks(defects, cells, own) @ inside.T)
        ideal += excess(((inside > 0).astype(float) @ inside.T).toarray())
    return {"mask_z": _z(model), "mask_z_ideal": _z(ideal), "mask_images": len(images)}


def _one_of_each_strip(area: np.ndarray, defects: Preprocessed) -> np.ndarray:
    """Numbers of the patches with the largest masks of their strips, at most MOST_IMAGES of each group, rising."""
    order = np.argsort(-area, kind="stable")
    order = order[area[order] > 0]
    first = np.sort(order[np.unique(defects.file.strip[order], return_index=True)[1]])
    group = defects.file.group[first]
    kept = [first[group == number] for number in np.unique(group)]
    spread = [own[np.linspace(0, len(own) - 1, min(len(own), MOST_IMAGES)).round().astype(int)] for own in kept]
    return np.concatenate([np.empty(0, np.int64), *spread])


def _ranks(defects: Preprocessed, cells: Calibrations, images: np.ndarray) -> np.ndarray:
    """Ranks of the cells within each map, in (0, 1), equal scores sharing theirs, float32 [n, h · h]."""
    chosen = np.isin(np.arange(len(defects)), images)
    found = []
    for _, maps in calibrated_maps(defects, cells, chosen):
        for scores in maps[COMBINED].reshape(len(maps[COMBINED]), -1):
            known = np.sort(scores)
            below, upto = (np.searchsorted(known, scores, side) for side in ("left", "right"))
            found.append(((below + upto) / (2 * len(scores))).astype(np.float32))
    return np.stack(found)


def excess(under: np.ndarray) -> np.ndarray:
    """Return by how much the trace exceeds that of permuted columns in the mean, and the variance of those, [2].

    Exact, over all n! permutations. Source: Hoeffding 1951, theorem 2.

    Args:
        under: mean of map i under mask j [n, n].
    """
    count, mean = len(under), under.mean()
    if count < 2:
        return np.zeros(2)
    left = under - under.mean(0) - under.mean(1)[:, None] + mean
    return np.array([np.trace(under) - count * mean, (left**2).sum() / (count - 1)])


def _z(found: np.ndarray) -> float:
    return float(found[0] / found[1] ** 0.5) if found[1] > 1e-12 else float("nan")
