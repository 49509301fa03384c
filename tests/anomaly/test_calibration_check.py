"""Whether val and test score alike, against SciPy, and by simulation."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from vaelab.anomaly.calibration_check import (
    above_p,
    calibration_check,
    design_effect,
    ks_p,
)
from vaelab.anomaly.calibration_check import (
    test_higher as share_higher,
)


def test_of_single_patches_the_p_value_is_that_of_scipy():
    random = np.random.default_rng(0)
    val, test = random.normal(size=300), random.normal(0.2, size=200)
    found = ks_p((val, np.arange(300)), (test, np.arange(200)))
    assert found == pytest.approx(stats.ks_2samp(val, test, method="asymp").pvalue, abs=0.02)


def test_how_often_test_is_higher_is_u_over_the_pairs():
    random = np.random.default_rng(6)
    val, test = random.integers(0, 20, 60).astype(float), random.integers(5, 25, 40).astype(float)
    found = share_higher((val, np.arange(60)), (test, np.arange(40)))
    assert found == pytest.approx(stats.mannwhitneyu(test, val).statistic / (60 * 40))
    assert np.isnan(share_higher((val, np.arange(60)), (test[:0], np.arange(0))))


def test_patches_that_repeat_count_once():
    values = np.random.default_rng(1).normal(size=100)
    assert design_effect(np.repeat(values, 5), np.repeat(np.arange(100), 5)) == pytest.approx(5 * 100 / 99)
    assert np.isnan(design_effect(values, np.zeros(100)))


def test_the_interval_covers_and_sees_contaminated_normals():
    random, covered = np.random.default_rng(2), 0
    strips = np.arange(150)
    for _ in range(200):
        val, test = random.normal(size=(2, 150))
        low, high = calibration_check((val, strips), (test, strips), np.percentile(val, 95), 0.05, 0)["fpr_interval"]
        covered += low <= 0.05 <= high
    assert covered >= 180
    covered, strips_of = 0, np.repeat(np.arange(30), 10)  # patches of a strip are alike
    for _ in range(100):
        val, test = 0.55 * random.normal(size=(2, 30))[:, strips_of] + 0.84 * random.normal(size=(2, 300))
        found = calibration_check((val, strips_of), (test, strips_of), np.percentile(val, 95), 0.05, 0)
        covered += found["fpr_interval"][0] <= 0.05 <= found["fpr_interval"][1]
    assert covered >= 90
    test = random.normal(size=150)
    val = np.concatenate([random.normal(size=120), random.normal(6, size=30)])
    found = calibration_check((val, strips), (test, strips), np.percentile(val, 95), 0.05, 0)
    assert found["fpr_interval"][1] < 0.05
    assert found["calibration_ks_p"] < 0.05


def test_high_strips_of_val_are_as_likely_as_in_all_orders():
    values = np.array([9.0, 8.0, 3.0, 1.0]), np.array([7.0, 2.0, 0.0, -1.0, -2.0, -3.0])
    order, found = (
        np.argsort(-np.concatenate(values)),
        above_p(*((scores, np.arange(len(scores))) for scores in values)),
    )
    in_val = [set(chosen) for chosen in combinations(range(10), 4)]
    least = []
    for count in (1, 2):
        reached = sum(place < 4 for place in order[:count])
        least.append(np.mean([sum(place in chosen for place in range(count)) >= reached for chosen in in_val]))
    assert found == pytest.approx(3 * min(least))


def test_a_strip_counts_once_and_one_alone_says_nothing():
    random = np.random.default_rng(4)
    single = tuple((random.normal(size=20), np.arange(20)) for _ in range(2))
    repeated = tuple((np.repeat(scores, 4), np.repeat(strip, 4)) for scores, strip in single)
    assert above_p(*repeated) == above_p(*single)
    assert np.isnan(above_p((np.ones(3), np.zeros(3)), single[1]))


def test_few_defects_among_val_show_in_its_highest_strips_and_chance_does_not():
    random, strips = np.random.default_rng(5), np.arange(100)
    dirty, clean = [], []
    for _ in range(100):
        val, test = random.normal(size=(2, 100))
        clean.append(above_p((val, strips), (test, strips)))
        val[:15] += 3
        dirty.append(above_p((val, strips), (test, strips)))
    assert np.mean(np.array(dirty) < 0.005) > 0.6
    assert np.mean(np.array(clean) < 0.05) <= 0.05
