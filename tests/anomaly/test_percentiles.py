"""Percentiles of val's normals: as they are, and corrected by leaving strips out."""

import numpy as np
import pytest
from anomaly.planted_scores import DATA, RUN, planted, write_planted
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab import artifacts, storage
from vaelab.anomaly.percentiles import Percentiles, left_out_ranks
from vaelab.anomaly.threshold import threshold_run
from vaelab.params.threshold import Threshold


def as_they_are(normals, group, others, other):
    return normals, others


def cloth(strips=10, patches=20, between=1.0, seed=0):
    """Scores of patches whose strips differ, with their strips."""
    random = np.random.default_rng(seed)
    strip = np.repeat(np.arange(strips), patches)
    return between * random.normal(size=strips)[strip] + random.normal(size=len(strip)), strip


def flagged_when_left_out(scores, strip, percentile):
    """Share of patches above the percentile of the patches of all other strips."""
    limits = np.array([np.percentile(scores[strip != number], percentile) for number in strip])
    return (scores > limits).mean()


@pytest.mark.parametrize("asked", [80.0, 90.0, 95.0])
def test_the_percentile_in_use_flags_of_left_out_strips_what_was_asked_for(asked):
    scores, strip = cloth()
    ranks = left_out_ranks({"a": scores}, np.zeros(len(strip), int), strip, 2, as_they_are)["a"]
    used = Percentiles(scores, ranks).used(asked)
    patch = 1 / len(scores)
    assert abs(flagged_when_left_out(scores, strip, used) - (1 - asked / 100)) <= 1.01 * patch


def test_alike_strips_need_no_correction():
    scores, strip = cloth(strips=40, patches=50, between=0.0)
    ranks = left_out_ranks({"a": scores}, np.zeros(len(strip), int), strip, 2, as_they_are)["a"]
    assert Percentiles(scores, ranks).used(95) == pytest.approx(95, abs=0.5)
    assert Percentiles(scores).used(95) == 95


def test_the_correction_brings_false_alarms_of_new_strips_to_what_was_asked_for():
    """Over many rolls of five strips each: the plain percentile flags too many of the next five strips."""
    plain, corrected = [], []
    for seed in range(200):
        scores, strip = cloth(strips=10, seed=seed)
        val, new = scores[strip < 5], scores[strip >= 5]
        ranks = left_out_ranks({"a": val}, np.zeros(len(val), int), strip[strip < 5], 2, as_they_are)["a"]
        plain.append((new > Percentiles(val, None).threshold(95)).mean())
        corrected.append((new > Percentiles(val, ranks).threshold(95)).mean())
    assert np.mean(plain) > 0.08
    assert abs(np.mean(corrected) - 0.05) < 0.02


def test_every_strip_is_left_out_however_many_there_are():
    scores, strip = cloth(strips=130, patches=2)
    ranks = left_out_ranks({"a": scores}, np.zeros(len(strip), int), strip, 2, as_they_are)["a"]
    assert len(ranks) == len(scores)


def test_strips_are_left_out_in_each_group_by_itself():
    """However strips of groups are numbered, a group never loses two strips of few at once."""
    strip = np.repeat(np.arange(100), 3)
    group = strip % 50  # two strips a group, 50 apart
    scores = np.random.default_rng(0).normal(size=300)
    ranks = left_out_ranks({"a": scores}, group, strip, 2, as_they_are)["a"]
    assert len(ranks) == 300


def test_a_group_of_one_strip_has_no_ranks_and_the_others_have():
    scores, strip = cloth(strips=4)
    group = (strip == 3).astype(int)
    assert len(left_out_ranks({"a": scores}, group, strip, 2, as_they_are)["a"]) == 60


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=40), st.integers(0, 4))
def test_a_rank_is_the_percentile_at_which_a_patch_is_just_not_flagged(others, score):
    values, strip = np.array([*others, score], float), np.array([0] * len(others) + [1])
    rank = left_out_ranks({"a": values}, np.zeros(len(values), int), strip, 2, as_they_are)["a"][-1]
    if score > max(others):
        assert rank == np.inf
        return
    assert score <= np.percentile(others, rank) + 1e-9
    if rank > 0:
        assert score > np.percentile(others, max(0, rank - 1e-3))


def test_the_percentile_in_use_is_never_below_the_one_asked_for():
    for seed in range(30):
        scores, strip = cloth(between=0.0, seed=seed)
        ranks = left_out_ranks({"a": scores}, np.zeros(len(strip), int), strip, 2, as_they_are)["a"]
        assert Percentiles(scores, ranks).used(95) >= 95


def test_a_patch_that_equals_the_largest_of_the_others_is_not_flagged():
    scores, strip = np.array([1, 2, 3, 5, 1, 2, 3, 5.0]), np.repeat([0, 1], 4)
    ranks = left_out_ranks({"a": scores}, np.zeros(8, int), strip, 2, as_they_are)["a"]
    assert Percentiles(scores, ranks).used(95) == 100
    assert Percentiles(scores, ranks).left_out(95) == 0


def test_where_too_many_score_above_all_others_that_is_said():
    scores, strip = cloth(strips=3, between=5.0, seed=1)
    ranks = left_out_ranks({"a": scores}, np.zeros(len(strip), int), strip, 2, as_they_are)["a"]
    found = Percentiles(scores, ranks)
    assert found.used(95) == 100
    assert found.threshold(95) == scores.max()
    highest = strip == strip[scores.argmax()]
    assert found.left_out(95) >= (scores[highest] > scores[~highest].max()).sum() / len(scores) > 0.05
    assert found.left_out(60) <= 0.4
    assert np.isnan(Percentiles(scores).left_out(95))


def test_strips_are_calibrated_by_the_others_of_their_group(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_planted(planted())
    asked = Threshold(scores=("residual",), percentile_by="strips", bootstrap=0, percentile=90)
    threshold_run(RUN, DATA, asked)
    found = storage.read_json(artifacts.thresholds(RUN) / "summary.json")

    val = planted()["val"]
    logs, group, strip = np.log(val["residual"].max((1, 2))), val["group"], val["strip"]

    def z(values, of, fitted_to):
        result = np.empty(len(values))
        for number in (0, 1):
            known = logs[fitted_to & (group == number)]
            result[of == number] = (values[of == number] - known.mean()) / known.std()
        return result

    ranks = []
    for number in np.unique(strip):
        out = strip == number
        others, left = z(logs[~out], group[~out], ~out), z(logs[out], group[out], ~out)
        ranks += np.interp(left, np.sort(others), np.linspace(0, 100, len(others))).tolist()  # no ties
    used = np.percentile(ranks, 90)
    assert found["percentile_used"] == pytest.approx(used, abs=1e-3)
    everything = z(logs, group, np.ones(len(logs), bool))
    assert found["threshold"] == pytest.approx(np.percentile(everything, used), abs=1e-4)
    assert found["fpr_nominal"] == pytest.approx(0.1)


def test_where_no_group_has_two_strips_there_is_no_correction(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    phases = planted()
    for arrays in phases.values():
        arrays["strip"] = arrays["group"].copy()
    write_planted(phases)
    found = []
    for how in ("patches", "strips"):
        threshold_run(RUN, DATA, Threshold(percentile_by=how, bootstrap=0))
        found.append(storage.read_json(artifacts.thresholds(RUN) / "summary.json"))
    assert found[0] == found[1]
    assert found[1]["percentile_used"] == 95
    assert "fpr_left_out" not in found[1]
