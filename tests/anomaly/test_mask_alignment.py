"""Masks against maps: exact moments against all permutations, swapped masks, and what is measured by aggregation."""

from itertools import permutations

import numpy as np
import pytest
from anomaly.planted_scores import DATA, RUN, planted, write_planted

from vaelab import artifacts, storage
from vaelab.anomaly.mask_alignment import excess
from vaelab.anomaly.threshold import threshold_run
from vaelab.params.threshold import Threshold


def test_mean_and_variance_are_those_of_all_permutations():
    under = np.random.default_rng(0).random((5, 5))
    sums = np.array([under[np.arange(5), list(order)].sum() for order in permutations(range(5))])
    assert excess(under) == pytest.approx([np.trace(under) - sums.mean(), sums.var()])


@pytest.mark.parametrize("swapped", [False, True])
def test_swapped_masks_are_seen(tmp_path, monkeypatch, swapped):
    monkeypatch.chdir(tmp_path)
    phases = planted()
    defects = phases["defects"]
    defects["strip"] = np.arange(len(defects["strip"]), dtype=np.int32) + 200
    there = np.flatnonzero(defects["label"])
    if swapped:
        defects["mask"][there] = np.roll(defects["mask"][there], 2, axis=0)
    write_planted(phases)
    threshold_run(RUN, DATA, Threshold(bootstrap=20))
    found = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
    assert found["mask_images"] == len(there)
    assert (found["mask_z"] < 3) == swapped
    assert found["mask_z_ideal"] > 6
    own = found["by_aggregation"]["combined"]["max"]
    assert own["average_precision"] == pytest.approx(found["average_precision"])
    assert own["average_precision_gain_low"] == own["average_precision_gain_high"] == 0
    assert set(found["by_aggregation"]) == set(found["by_aggregation_val"]) == {"combined", "residual", "mahalanobis"}
