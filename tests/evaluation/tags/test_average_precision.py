"""Average precision against scikit-learn, and of evenly spread rows where there are too many values."""

import math

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from vaelab.evaluation.tags import average_precision as tag_precision
from vaelab.evaluation.tags.average_precision import Scores, average_precision, precision_rows


def case(seed: int, rows: int = 80, tags: int = 70, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    there = rng.random((rows, tags)) < 0.2
    scores = (there + 1.5 * rng.standard_normal(there.shape)).astype(np.float32)
    return there, scores.round(1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_that_of_scikit_learn(seed, ties):
    there, scores = case(seed, ties=ties)
    assert average_precision(there, scores.copy()) == pytest.approx({
        "average_precision": average_precision_score(there, scores, average="micro"),
        "average_precision_macro": average_precision_score(there, scores, average="macro"),
    })  # fmt: skip


def test_tags_that_do_not_occur_have_no_part_in_the_mean():
    there, scores = case(0)
    there[:, 3] = False
    occur = there.any(0)
    found = average_precision(there, scores.copy())
    expected = average_precision_score(there[:, occur], scores[:, occur], average="macro")
    assert found["average_precision_macro"] == pytest.approx(expected)
    assert found["average_precision"] == pytest.approx(average_precision_score(there, scores, average="micro"))


def test_without_any_tag_there_is_none():
    found = average_precision(np.zeros((3, 2), bool), np.zeros((3, 2), np.float32))
    assert all(math.isnan(value) for value in found.values())


@steady
@given(st.integers(0, 2**16), st.integers(1, 6), st.integers(1, 5))
def test_perfect_opposite_and_constant_scores(seed, rows, tags):
    there = np.random.default_rng(seed).random((rows, tags)) < 0.5
    there[0, 0] = True
    share, of_tags = there.mean(), there.mean(0)[there.any(0)].mean()
    assert average_precision(there, there.astype(np.float32))["average_precision"] == 1
    constant = average_precision(there, np.zeros(there.shape, np.float32))
    assert constant == pytest.approx({"average_precision": share, "average_precision_macro": of_tags})
    assert average_precision(there, -there.astype(np.float32))["average_precision"] == pytest.approx(share)


@pytest.mark.parametrize("batch", [7, 80, 100])
def test_a_split_is_gathered_batch_by_batch(batch):
    there, scores = case(2)
    gathered = Scores(*there.shape)
    for x, part in zip(
        torch.from_numpy(there).float().split(batch), torch.from_numpy(scores).split(batch), strict=True
    ):
        gathered.add(x, part)
    assert gathered.metrics() == average_precision(there, scores)


@pytest.mark.parametrize("batch", [7, 80])
def test_of_too_many_values_evenly_spread_rows_are_taken(batch, monkeypatch):
    there, scores = case(3)
    monkeypatch.setattr(tag_precision, "MOST_VALUES", 20 * there.shape[1] + 5)
    ids = precision_rows(*there.shape).numpy()
    assert len(ids) == 20
    assert set(np.diff(ids)) <= {4, 5}
    gathered = Scores(*there.shape)
    for x, part in zip(
        torch.from_numpy(there).float().split(batch), torch.from_numpy(scores).split(batch), strict=True
    ):
        gathered.add(x, part)
    assert gathered.metrics() == average_precision(there[ids], scores[ids])
