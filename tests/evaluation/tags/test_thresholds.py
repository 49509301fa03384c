"""Thresholds by group of frequency, against trying all of them."""

import numpy as np
import pytest
import torch
from helpers import random_tags, tag_info
from sklearn.metrics import f1_score, hamming_loss

from vaelab.data.format.info import tags_info
from vaelab.evaluation.tags.thresholds import AtThresholds, by_frequency, found_on
from vaelab.measures.tags.reconstruction import THRESHOLDS

X = {name: random_tags(60, 9, seed=seed) for seed, name in enumerate(("train", "val", "test"))}
INFO = tag_info(X["train"])


def logits(name: str) -> torch.Tensor:
    """Noisy ones, of the last tags far too low."""
    noise = torch.randn((60, 9), generator=torch.Generator().manual_seed(len(name)))
    return 2 * X[name].float() - 1 + noise - torch.arange(9) / 3


def test_groups_have_like_frequencies_and_as_many_occurrences():
    counts = [60, 5, 30, 31, 10, 14, 30]
    info = tags_info([str(n) for n in range(7)], counts, 100, ("all",))
    assert [group.tolist() for group in by_frequency(info, 3)] == [[0], [3, 2], [6, 5, 4, 1]]
    assert [group.tolist() for group in by_frequency(info, 1)] == [[0, 3, 2, 6, 5, 4, 1]]
    assert sum(map(len, by_frequency(info, 100))) == 7
    rare = tags_info(["a", "b", "c"], [90, 1, 0], 100, ("all",))
    assert [group.tolist() for group in by_frequency(rare, 3)] == [[0], [1, 2]]  # one tag is nearly all there is


def test_each_group_has_the_threshold_of_its_best_f1_on_val():
    groups = by_frequency(INFO, 3)
    found = found_on([(X["val"][:20].float(), logits("val")[:20]), (X["val"][20:].float(), logits("val")[20:])], groups)
    probability = logits("val").sigmoid().numpy()
    for tags, threshold in zip(found.groups, found.of_groups, strict=True):
        reached = {
            t: f1_score(X["val"][:, tags], probability[:, tags.numpy()] >= t, average="micro", zero_division=1)
            for t in THRESHOLDS
        }
        assert reached[threshold] == pytest.approx(max(reached.values()))
    assert len(set(found.of_groups)) > 1
    assert found.said(INFO).count(" from ") == 3


def test_measures_are_those_of_scikit_learn_at_each_tag_s_own_threshold():
    found = found_on([(X["val"].float(), logits("val"))], by_frequency(INFO, 3))
    measured = AtThresholds(found, 60, INFO)
    measured.add(X["test"].float(), logits("test"), None)
    values, own = measured.metrics(), np.zeros(9)
    for tags, threshold in zip(found.groups, found.of_groups, strict=True):
        own[tags.numpy()] = threshold
    guess = logits("test").sigmoid().numpy() >= own
    assert values["grouped_f1_micro"] == pytest.approx(f1_score(X["test"], guess, average="micro"))
    assert values["grouped_hamming_loss"] == pytest.approx(hamming_loss(X["test"], guess))
    guess = logits("test").sigmoid().numpy() >= found.best
    assert values["best_f1_micro"] == pytest.approx(f1_score(X["test"], guess, average="micro"))
    assert "average_precision" not in values
