"""From maps to patches, against the definitions."""

import numpy as np
import pytest

from vaelab.anomaly.preprocessing import AGGREGATIONS, aggregate
from vaelab.params.threshold import Threshold

MAPS = np.random.default_rng(0).lognormal(0, 1, (6, 5, 5)).astype(np.float32)


def of(name: str, maps: np.ndarray = MAPS, **settings: float) -> np.ndarray:
    return aggregate(maps, Threshold.model_validate({"aggregation": name, **settings}))


def test_every_choice_has_its_function():
    assert set(AGGREGATIONS) == set(Threshold.model_fields["aggregation"].annotation.__args__)


def test_they_are_what_their_names_say():
    cells = MAPS.reshape(6, 25).astype(float)
    assert of("mean") == pytest.approx(cells.mean(1))
    assert of("max") == pytest.approx(cells.max(1))
    assert of("top_k", top_k=3) == pytest.approx(np.sort(cells)[:, -3:].mean(1))


def test_top_k_lies_between_maximum_and_mean():
    assert of("top_k", top_k=1) == pytest.approx(of("max"))
    assert of("top_k", top_k=25) == pytest.approx(of("mean"))
    assert of("top_k", top_k=1000) == pytest.approx(of("mean"))


def test_a_small_defect_is_lost_in_the_mean_and_not_in_the_maximum():
    maps = np.ones((2, 32, 32), np.float32)
    maps[1, 4, 4] = 5
    assert np.diff(of("mean", maps)) < 0.01
    assert np.diff(of("max", maps)) == 4
    assert np.diff(of("top_k", maps, top_k=4)) == pytest.approx(1)
