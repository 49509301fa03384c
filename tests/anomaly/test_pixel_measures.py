"""Measures of pixels against scikit-learn and a brute-force AUPRO on maps enlarged to the masks."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from anomaly import planted_scores
from anomaly.planted_scores import Arrays, planted, write_planted
from scipy import ndimage
from sklearn import metrics

from vaelab import artifacts, storage
from vaelab.anomaly import fit, regions, score_files
from vaelab.anomaly.pixel_measures import PIXEL_MEASURES, LabelledPixels, read_pixels
from vaelab.anomaly.preprocessing import COMBINED, preprocess
from vaelab.anomaly.regions import count_cells, read_regions
from vaelab.anomaly.score_files import cell_of, read_phases
from vaelab.data.format.prepared import split_files
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

PLAIN = Threshold(calibration="none", scores=("residual",))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pixels_of(phases: dict[str, Arrays], settings: Threshold = PLAIN, shards: int = 2) -> LabelledPixels:
    write_planted(phases, shards)
    shards_of = split_files(artifacts.prepared(planted_scores.DATA), "defects")
    files = read_phases(artifacts.scores(planted_scores.RUN))
    preprocessed = {phase: preprocess(file, settings) for phase, file in files.items()}
    return read_pixels(preprocessed, shards_of, fit.fit_cells(preprocessed["val"]))


def enlarged(scores: np.ndarray, side: int) -> np.ndarray:
    of = cell_of(side, scores.shape[1])
    return scores[:, of][:, :, of]


def brute_force(masks: np.ndarray, scores: np.ndarray, limit: float) -> dict[str, float]:
    """The definitions, threshold by threshold, on maps as large as the masks [N, M, M]."""
    found = [ndimage.label(mask, np.ones((3, 3))) for mask in masks]
    inside = [values[part == k] for values, (part, n) in zip(scores, found, strict=True) for k in range(1, n + 1)]
    free = scores[masks == 0]
    fpr, overlap = [0.0], [0.0]
    for threshold in np.unique(scores)[::-1]:
        fpr.append(float((free >= threshold).mean()))
        overlap.append(float(np.mean([(region >= threshold).mean() for region in inside])))
    grid = np.union1d([x for x in fpr if x < limit], limit)
    area = 0.0
    for left, right in pairwise(grid):  # the curve has no corner between the two
        before = max(y for x, y in zip(fpr, overlap, strict=True) if x <= left)
        last = next(k for k, x in enumerate(fpr) if x >= right)
        slope = (overlap[last] - overlap[last - 1]) / (fpr[last] - fpr[last - 1])
        after = overlap[last] - slope * (fpr[last] - right)
        area += (right - left) * (before + after) / 2
    return {
        "pixel_roc_auc": metrics.roc_auc_score(masks.ravel(), scores.ravel()),
        "pixel_average_precision": metrics.average_precision_score(masks.ravel(), scores.ravel()),
        "aupro": area / limit,
    }


def small(seed: int, side: int, mask: int, ties: bool) -> dict[str, Arrays]:
    rng = np.random.default_rng(seed)
    phases = planted(seed)
    for phase in ("val", "test", "defects"):
        arrays = {name: array[:12] for name, array in phases[phase].items()}
        arrays["mask"] = planted_scores.masks_of(12, rng, mask) * (phase == "defects")
        arrays["label"] = arrays["mask"].any((1, 2)).astype(np.uint8)
        arrays |= {"defect": arrays["label"].astype(np.int32), "top": 0 * arrays["group"]}
        for name in planted_scores.SCORES:
            of = cell_of(mask, side)
            near = np.zeros((12, side, side))
            np.maximum.at(near, (slice(None), of[:, None], of), arrays["mask"])
            values = np.exp(rng.standard_normal(near.shape) + near)
            arrays[name] = values.round(1 if ties else 6).astype(np.float32)
        phases[phase] = arrays if phase == "defects" else {k: v for k, v in arrays.items() if k != "mask"}
    del phases["val_defects"]
    return phases


@pytest.mark.parametrize("limit", [0.3, 0.05, 1.0])
@pytest.mark.parametrize(("side", "mask"), [(8, 32), (5, 16), (7, 7)])
@pytest.mark.parametrize("ties", [False, True])
def test_they_are_those_of_the_definitions(side, mask, ties, limit):
    phases = small(0, side, mask, ties)
    pixels = pixels_of(phases, PLAIN.model_copy(update={"fpr_limit": limit}))
    masks = np.concatenate([phases["defects"]["mask"], np.zeros((12, mask, mask), np.uint8)])
    scores = np.concatenate([phases[phase]["residual"] for phase in ("defects", "test")])
    expected = brute_force(masks, enlarged(scores, mask), limit)
    assert pixels.measure("residual") == pytest.approx(expected, abs=1e-9)


def test_of_one_group_only_its_own_patches_count():
    phases = small(1, 8, 32, ties=False)
    pixels = pixels_of(phases)
    for group in (0, 1):
        kept = [phases[phase]["group"] == group for phase in ("defects", "test")]
        masks = phases["defects"]["mask"][kept[0]]
        masks = np.concatenate([masks, np.zeros((int(kept[1].sum()), 32, 32), np.uint8)])
        parts = [phases[phase]["residual"][here] for phase, here in zip(("defects", "test"), kept, strict=True)]
        expected = brute_force(masks, enlarged(np.concatenate(parts), 32), 0.3) if masks.any() else None
        found = pixels.measure("residual", group=group)
        assert found == (
            pytest.approx(expected) if expected else pytest.approx(dict.fromkeys(found, math.nan), nan_ok=True)
        )


def test_of_one_kind_of_defect_all_free_pixels_count_and_no_other_defect():
    phases = small(2, 8, 32, ties=False)
    kinds = phases["defects"]["defect"] * (1 + np.arange(12) % 2)
    phases["defects"]["defect"] = kinds.astype(np.int32)
    pixels = pixels_of(phases)
    scores = np.concatenate([enlarged(phases[phase]["residual"], 32) for phase in ("defects", "test")])
    masks = np.concatenate([phases["defects"]["mask"], np.zeros((12, 32, 32), np.uint8)])
    for kind in (1, 2):
        other = (np.append(kinds, np.zeros(12)) == 3 - kind).reshape(-1, 1, 1) & (masks > 0)
        found = pixels.measure("residual", defect=kind)
        assert found["pixel_roc_auc"] == pytest.approx(metrics.roc_auc_score(masks[~other], scores[~other]))
        expected = metrics.average_precision_score(masks[~other], scores[~other])
        assert found["pixel_average_precision"] == pytest.approx(expected)


def test_the_sum_lays_maps_of_different_sides_over_each_other():
    phases = small(3, 8, 32, ties=False)
    for phase in ("val", "test", "defects"):
        phases[phase]["mahalanobis"] = phases[phase]["mahalanobis"][:, ::2, ::2].copy()
    settings = Threshold(calibration="none", scores=("residual", "mahalanobis"), weights=(1.0, 3.0))
    pixels = pixels_of(phases, settings)
    total = [
        enlarged(phases[phase]["residual"], 32) + 3 * enlarged(phases[phase]["mahalanobis"], 32)
        for phase in ("defects", "test")
    ]
    masks = np.concatenate([phases["defects"]["mask"], np.zeros((12, 32, 32), np.uint8)])
    expected = brute_force(masks, np.concatenate(total), 0.3)
    assert pixels.measure(COMBINED) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("calibration", ["log_z", "quantile"])
def test_neither_the_size_of_the_shards_nor_of_what_is_in_memory_matters(calibration, monkeypatch):
    phases, settings = planted(), Threshold(calibration=calibration)
    whole = pixels_of(phases, settings).measure(COMBINED)
    monkeypatch.setattr(score_files, "MOST_CELLS", 500)
    monkeypatch.setattr(regions, "MOST_PIXELS", 3 * planted_scores.MASK**2)
    assert pixels_of(phases, settings, shards=5).measure(COMBINED) == pytest.approx(whole, abs=1e-6)


def test_calibration_of_large_groups_takes_evenly_spread_patches_of_each(monkeypatch):
    write_planted(planted())
    val = preprocess(read_phases(artifacts.scores(planted_scores.RUN))["val"], Threshold())
    monkeypatch.setattr(fit, "MOST_CELLS", 10 * planted_scores.SIDE**2)
    monkeypatch.setattr(fit, "fit_groups", lambda kind, cells, group: [(group == k).sum() for k in (0, 1)])
    assert fit.fit_cells(val)["residual"] == [10, 10]  # of 30 each


def test_a_defect_of_one_pixel_counts_as_much_as_a_large_one():
    phases = small(4, 8, 32, ties=False)
    defects = phases["defects"]
    defects["mask"][:] = 0
    defects["mask"][0, 5, 9] = defects["mask"][1, 0:16, 0:16] = 1
    defects["label"] = defects["mask"].any((1, 2)).astype(np.uint8)
    defects["residual"][:] = phases["test"]["residual"][:] = np.linspace(1, 2, 64).reshape(8, 8)
    defects["residual"][0, 1, 2] = 9  # the cell of the single pixel is found, nothing of the other
    found = pixels_of(phases).measure("residual")
    assert found["aupro"] == pytest.approx(0.5, abs=0.01)
    assert found["pixel_average_precision"] < 0.1
    assert found == pytest.approx(brute_force(
        np.concatenate([defects["mask"], np.zeros((12, 32, 32), np.uint8)]),
        enlarged(np.concatenate([defects["residual"], phases["test"]["residual"]]), 32), 0.3,
    ))  # fmt: skip


def test_every_pixel_lies_in_the_cell_that_covers_its_middle():
    assert cell_of(8, 4).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    for pixels, cells in ((16, 5), (7, 7), (9, 2)):
        middles = (np.arange(pixels) + 0.5) / pixels
        assert np.abs((cell_of(pixels, cells) + 0.5) / cells - middles).max() <= 0.5 / cells + 1e-12


def test_regions_touch_at_corners_and_not_across_patches():
    masks = np.zeros((2, 6, 6), np.uint8)
    masks[0, 1, 1] = masks[0, 2, 2] = masks[0, 5, 5] = masks[1, 1, 1] = 1
    numbered, count = ndimage.label(masks, regions.EIGHT)
    assert count == 3
    found = count_cells(numbered, 2)  # cells of 3 × 3
    assert found.size.tolist() == [2, 1, 1]
    assert found.patch.tolist() == [0, 0, 1]
    assert found.cell.tolist() == [0, 3, 0]
    assert found.area.tolist() == [9, 9, 9, 9]
    assert count_cells(numbered, 4).area.sum() == 36  # cells of 2 and 1 pixels a side
    assert count_cells(numbered, 4).pixels.sum() == 4


def test_without_free_pixels_nothing_is_defined():
    phases = small(0, 8, 32, ties=False)
    del phases["test"]
    phases["defects"]["mask"][:], phases["defects"]["label"][:] = 1, 1
    found = pixels_of(phases).measure("residual")
    assert tuple(found) == PIXEL_MEASURES
    assert all(math.isnan(value) for value in found.values())


def shard(masks: np.ndarray) -> list[Path]:
    storage.write_tensors(Path("defects-00000.safetensors"), {"mask": masks})
    return [Path("defects-00000.safetensors")]


@pytest.mark.parametrize(
    ("label", "side", "text"),
    [
        ([0, 1, 0], 4, "masks do not go with the labels"),
        ([1, 0], 4, "masks do not go with the labels"),
        ([1, 0, 0, 0], 4, "3 masks are prepared, 4 patches are scored"),
        ([1, 0, 0], 9, "masks of 8 pixels a side, score maps of 9 cells"),
    ],
)
def test_masks_that_do_not_go_with_the_scores(label, side, text):
    masks = np.zeros((3, 8, 8), np.uint8)
    masks[0, 3, 3] = 1
    with pytest.raises(InputError, match=text):
        read_regions(shard(masks), np.array(label), {side})


def test_masks_of_two_sizes_and_none():
    masks = np.ones((1, 8, 8), np.uint8)
    paths = [*shard(masks), Path("other.safetensors")]
    storage.write_tensors(paths[1], {"mask": np.ones((1, 4, 4), np.uint8)})
    with pytest.raises(InputError, match="masks of 4 pixels a side, 8 in the shards before"):
        read_regions(paths, np.ones(2), {4})
    storage.write_tensors(paths[1], {"x": masks})
    with pytest.raises(InputError, match="has no masks"):
        read_regions(paths, np.ones(2), {4})
