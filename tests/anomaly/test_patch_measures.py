"""Measures of patches against scikit-learn, against counting, and on scores of known worth."""

import math

import numpy as np
import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from vaelab.anomaly.patch_measures import PATCH_MEASURES, Draws, Patches, f1_max_threshold, patch_measures, unweighted

Case = tuple[Patches, np.ndarray]


def case(seed: int, count: int = 200, ties: bool = True) -> Case:
    """Patches of test and of defective strips, ten to a strip, and scores that know something of the label."""
    rng = np.random.default_rng(seed)
    normal = np.arange(count) < count // 2
    label = ~normal & (rng.random(count) < 0.4)
    scores = label + rng.standard_normal(count)
    zeros = np.zeros(count, np.int64)
    return Patches(label, normal, np.arange(count) // 10, zeros, zeros), scores.round(1) if ties else scores


def of(patches: Patches, scores: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    found = patch_measures(patches, scores, threshold, unweighted(len(scores)))
    assert tuple(found) == PATCH_MEASURES
    return {name: value.item() for name, value in found.items()}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_they_are_those_of_scikit_learn(seed, ties):
    patches, scores = case(seed, ties=ties)
    label, flagged = patches.label, scores > 0.5
    precision, recall, _ = metrics.precision_recall_curve(label, scores)
    assert of(patches, scores) == pytest.approx({
        "precision": metrics.precision_score(label, flagged),
        "recall": metrics.recall_score(label, flagged),
        "f1": metrics.f1_score(label, flagged),
        "fpr_normal": flagged[patches.normal].mean(),
        "fpr_clean": flagged[~patches.normal & ~label].mean(),
        "roc_auc": metrics.roc_auc_score(label, scores),
        "average_precision": metrics.average_precision_score(label, scores),
        "f1_max": (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max(),
    })  # fmt: skip


@steady
@given(st.integers(0, 2**16), st.integers(2, 40), st.booleans())
def test_a_patch_that_is_drawn_twice_is_there_twice(seed, count, ties):
    patches, scores = case(seed, count, ties)
    times = np.random.default_rng(seed).integers(0, 3, count)
    repeated = Patches(*(np.repeat(array, times) for array in patches))
    drawn = patch_measures(patches, scores, 0.5, Draws(times.astype(float)[:, None], np.arange(count)))
    expected = of(repeated, np.repeat(scores, times))
    assert {name: value.item() for name, value in drawn.items()} == pytest.approx(expected, nan_ok=True)


@steady
@given(st.integers(0, 2**16))
def test_rankings_do_not_change_with_a_rising_function_of_the_score(seed):
    patches, scores = case(seed)
    ranking = ("roc_auc", "average_precision", "f1_max")
    plain = of(patches, scores)
    for moved in (1000 * scores - 7, np.exp(scores), np.arctan(scores)):
        found = of(patches, moved)
        assert [found[name] for name in ranking] == [plain[name] for name in ranking]


def test_a_perfect_score_an_opposite_one_and_one_that_is_always_the_same():
    patches, _ = case(0)
    share = patches.label.mean()
    perfect = of(patches, patches.label.astype(float))
    assert [perfect[name] for name in PATCH_MEASURES] == [1, 1, 1, 0, 0, 1, 1, 1]
    opposite = of(patches, -patches.label.astype(float), -0.5)
    assert [opposite[name] for name in ("recall", "f1", "fpr_normal", "fpr_clean", "roc_auc")] == [0, 0, 1, 1, 0]
    constant = of(patches, np.zeros(len(patches.label)), 0)
    assert math.isnan(constant.pop("precision"))  # nothing is flagged
    expected = [0, 0, 0, 0, 0.5, share, 2 * share / (share + 1)]
    assert list(constant.values()) == pytest.approx(expected)


def test_without_defects_only_false_positive_rates_are_defined():
    patches, scores = case(0)
    found = of(patches._replace(label=np.zeros_like(patches.label)), scores)
    defined = {name for name, value in found.items() if not math.isnan(value)}
    assert defined == {"precision", "fpr_normal", "fpr_clean"}
    assert found["precision"] == 0


def test_when_everything_is_anomalous_no_rate_of_false_positives_is_defined():
    scores = np.arange(10.0)
    zeros = np.zeros(10, int)
    found = of(Patches(zeros == 0, zeros == 1, zeros, zeros, zeros), scores, 4.5)
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined == {"fpr_normal", "fpr_clean", "roc_auc"}
    assert (found["precision"], found["recall"], found["average_precision"]) == (1, 0.5, 1)


@steady
@given(st.integers(0, 2**16), st.integers(2, 60), st.booleans())
def test_the_threshold_of_the_best_f1_reaches_it(seed, count, ties):
    patches, scores = case(seed, count, ties)
    threshold = f1_max_threshold(patches.label, scores)
    assert math.isnan(threshold) == (not patches.label.any())
    if patches.label.any():
        found = of(patches, scores, threshold)
        assert found["f1"] == pytest.approx(found["f1_max"])


def test_the_threshold_of_the_best_f1_lies_half_way_between_two_scores():
    label = np.array([False, False, True, True])
    assert f1_max_threshold(label, np.array([0.0, 1.0, 2.0, 3.0])) == 1.5
    assert f1_max_threshold(label, np.array([1.0, 1.0, 1.0, 1.0])) < 1
