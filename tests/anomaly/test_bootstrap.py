"""Intervals: against resampling in a loop, paired, and wide where strips differ."""

import numpy as np
import pytest
from sklearn import metrics

from vaelab.anomaly import bootstrap
from vaelab.anomaly.bootstrap import draw, interval, replicates
from vaelab.anomaly.patch_measures import PATCH_MEASURES, Patches

STRIPS, PER_STRIP = 12, 20


def case(seed: int = 0, spread: float = 0.5) -> tuple[Patches, np.ndarray]:
    """Patches of strips that differ in their level, by `spread`; scores know something of the label."""
    rng = np.random.default_rng(seed)
    strip = np.repeat(np.arange(2 * STRIPS), PER_STRIP)
    normal = strip < STRIPS
    label = ~normal & (np.arange(len(strip)) % 4 == 0)
    scores = label + spread * rng.standard_normal(2 * STRIPS)[strip] + 0.5 * rng.standard_normal(len(strip))
    zeros = 0 * strip
    return Patches(label, normal, strip, zeros, zeros), scores


def test_they_are_what_a_loop_over_resamplings_gives():
    patches, scores = case()
    found = replicates(patches, scores, 0.8, 20, 3)
    assert tuple(found) == PATCH_MEASURES
    draws = draw(patches, 20, 3)
    for number in range(20):
        rows = np.repeat(np.arange(len(scores)), draws.times[draws.place, number].astype(int))
        label, drawn, normal = patches.label[rows], scores[rows], patches.normal[rows]
        assert found["roc_auc"][number] == pytest.approx(metrics.roc_auc_score(label, drawn))
        assert found["average_precision"][number] == pytest.approx(metrics.average_precision_score(label, drawn))
        assert found["f1"][number] == pytest.approx(metrics.f1_score(label, drawn > 0.8))
        assert found["fpr_normal"][number] == pytest.approx((drawn[normal] > 0.8).mean())


def test_strips_are_drawn_whole_and_within_their_pool():
    patches, _ = case()
    draws = draw(patches, 200, 0)
    assert draws.times.shape == (2 * STRIPS, 200)
    assert (draws.times[:STRIPS].sum(0) == STRIPS).all()
    assert (draws.times[STRIPS:].sum(0) == STRIPS).all()
    assert draws.times.mean(1) == pytest.approx(1, abs=0.3)
    assert (draws.place == patches.strip).all()
    assert not (draws.times == draw(patches, 200, 1).times).all()


def test_what_is_in_memory_at_once_does_not_matter(monkeypatch):
    patches, scores = case()
    whole = replicates(patches, scores, 0.8, 50, 0)
    monkeypatch.setattr(bootstrap, "MOST_VALUES", 1000)
    for name, values in replicates(patches, scores, 0.8, 50, 0).items():
        assert (values == whole[name]).all()


def test_of_two_scores_that_are_alike_the_difference_is_much_surer_than_each():
    patches, scores = case()
    other = scores + 0.1 * np.random.default_rng(9).standard_normal(len(scores))
    first, second = (replicates(patches, values, 0.8, 300, 0)["roc_auc"] for values in (scores, other))
    alone, paired = np.ptp(interval(first)), np.ptp(interval(first - second))
    assert 0 < paired < alone / 4
    same = replicates(patches, 2 * scores + 1, 0.8, 300, 0)["roc_auc"]
    assert interval(first - same) == (0, 0)


def test_patches_of_one_strip_do_not_count_as_so_many():
    patches, scores = case(spread=1.0)
    by_strip = replicates(patches, scores, 0.8, 300, 0)
    by_patch = replicates(patches._replace(strip=np.arange(len(scores))), scores, 0.8, 300, 0)
    for name in ("roc_auc", "fpr_normal", "fpr_clean"):
        assert np.ptp(interval(by_strip[name])) > 1.5 * np.ptp(interval(by_patch[name]))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Rate of false positives of strips that are alike: 0.1, in 95 of 100 samples, a little less of few strips."""
    inside = 0
    for seed in range(100):
        patches, _ = case(seed)
        scores = np.random.default_rng(seed).random(len(patches.label))
        low, high = interval(replicates(patches, scores, 0.9, 200, 0)["fpr_normal"])
        inside += low <= 0.1 <= high
    assert 85 <= inside <= 99


@pytest.mark.parametrize(
    ("strips", "undefined"),
    [
        ((1, 5), set(PATCH_MEASURES) - {"recall", "fpr_clean"}),
        ((5, 1), set(PATCH_MEASURES) - {"fpr_normal"}),
        ((5, 5), set()),
    ],
)
def test_a_pool_of_a_single_strip_gives_no_interval(strips, undefined):
    patches, scores = case()
    patches = patches._replace(
        strip=np.where(patches.normal, patches.strip % strips[0], 50 + patches.strip % strips[1])
    )
    found = replicates(patches, scores, 0.8, 40, 0)
    assert {name for name, values in found.items() if np.isnan(interval(values)).all()} == undefined


def test_no_resamplings_give_no_interval():
    patches, scores = case()
    assert all(np.isnan(interval(values)).all() for values in replicates(patches, scores, 0.8, 0, 0).values())
