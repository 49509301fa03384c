"""EASE against ridge regressions of each tag on all others, and the choice of its penalty."""

import numpy as np
import pytest
import torch
from known_tags import topic_rows
from sklearn.linear_model import Ridge
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.tags import ease
from vaelab.evaluation.tags.completion import completion, means
from vaelab.params.blocks import Evaluate

OPTIONS = Evaluate()
TRAIN, VAL = topic_rows(300, seed=0), topic_rows(80, seed=1)


def split(x: Tensor) -> DeviceSplit:
    return DeviceSplit([x], torch.zeros(len(x)), torch.device("cpu"), "tags")


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_weights_are_those_of_ridge_regressions_on_the_other_tags(penalty):
    found = ease.solved(ease.co_occurrences(split(TRAIN)), penalty).numpy()
    x = TRAIN.double().numpy()
    assert np.abs(found.diagonal()).max() == 0
    for tag in (0, 7, 39):
        others = np.delete(np.arange(x.shape[1]), tag)
        expected = Ridge(penalty, fit_intercept=False).fit(x[:, others], x[:, tag]).coef_
        np.testing.assert_allclose(found[others, tag], expected, atol=1e-6)


def test_the_penalty_is_the_one_that_completes_val_best():
    found = ease.fit_ease(split(TRAIN), split(VAL), OPTIONS)
    pairs = ease.co_occurrences(split(TRAIN))
    models = {penalty: ease.Ease(ease.solved(pairs, penalty), penalty) for penalty in ease.PENALTIES}
    of_val = completion(models, split(VAL), OPTIONS, masks=1)
    reached = {penalty: means(columns)[ease.CHOSEN_BY] for penalty, columns in of_val.items()}
    assert found is not None
    assert reached[found.penalty] == max(reached.values())
    assert torch.equal(found(VAL.float()), VAL.float() @ found.weights)


def test_too_many_tags_or_nothing_to_complete_leave_none(monkeypatch):
    assert ease.fit_ease(split(TRAIN), split(torch.eye(40, dtype=torch.uint8)), OPTIONS) is None
    monkeypatch.setattr(ease, "MOST_TAGS", 39)
    assert ease.fit_ease(split(TRAIN), split(VAL), OPTIONS) is None
