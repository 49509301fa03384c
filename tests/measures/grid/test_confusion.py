import math
import warnings

import numpy as np
import pytest
import torch
from helpers import random_grids, steady
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from torch import Tensor

from vaelab.measures.grid import confusion

CLASSES = 5


def predictions(x: Tensor, seed: int, share_right: float = 0.5) -> Tensor:
    """Predictions [B, H, W] of which about `share_right` are right, from the classes below K."""
    generator = torch.Generator().manual_seed(seed)
    random = torch.randint(0, CLASSES, x.shape, generator=generator)
    right = (torch.rand(x.shape, generator=generator) < share_right) & (x < CLASSES)
    return torch.where(right, x, random)


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """True and predicted classes of the cells inside, with some classes left out, and their confusion matrix."""
    seed = draw(st.integers(0, 10_000))
    true_classes = draw(st.lists(st.integers(0, CLASSES - 1), min_size=1, unique=True))
    predicted_classes = draw(st.lists(st.integers(0, CLASSES - 1), min_size=1, unique=True))
    x = random_grids(draw(st.integers(1, 4)), CLASSES, seed)
    inside = x < CLASSES
    x[inside] = torch.tensor(true_classes)[x[inside] % len(true_classes)]
    predicted = torch.tensor(predicted_classes)[predictions(x, seed) % len(predicted_classes)]
    matrix = confusion.confusion(x, predicted, CLASSES).sum(0)
    return x[inside].numpy(), predicted[inside].numpy(), matrix


@steady
@given(case=cases())
def test_confusion_equals_scikit_learn(case):
    true, predicted, matrix = case
    expected = sklearn_metrics.confusion_matrix(true, predicted, labels=range(CLASSES))
    assert matrix.tolist() == expected.tolist()


def test_confusion_is_one_matrix_per_example():
    x = random_grids(5, CLASSES)
    predicted = predictions(x, 1)
    together = confusion.confusion(x, predicted, CLASSES)
    for row in range(5):
        assert torch.equal(together[row], confusion.confusion(x[row : row + 1], predicted[row : row + 1], CLASSES)[0])
    assert together.sum((1, 2)).tolist() == (x < CLASSES).sum((1, 2)).tolist()


def test_confusion_ignores_predictions_outside_the_grid():
    x = random_grids(5, CLASSES)
    one, other = predictions(x, 1), predictions(x, 1)
    other[x == CLASSES] = 0
    assert not torch.equal(one, other)
    assert torch.equal(confusion.confusion(x, one, CLASSES), confusion.confusion(x, other, CLASSES))


@steady
@given(case=cases())
def test_measures_equal_scikit_learn(case):
    true, predicted, matrix = case
    present = np.unique(true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of predicted classes that do not occur
        balanced = sklearn_metrics.balanced_accuracy_score(true, predicted)
    assert float(confusion.accuracy(matrix)) == pytest.approx(sklearn_metrics.accuracy_score(true, predicted))
    assert float(confusion.balanced_accuracy(matrix)) == pytest.approx(balanced)
    macro_f1 = sklearn_metrics.f1_score(true, predicted, average="macro", zero_division=0)
    assert float(confusion.macro_f1(matrix)) == pytest.approx(macro_f1)
    recall = confusion.per_class_recall(matrix).numpy()
    expected = sklearn_metrics.recall_score(true, predicted, labels=present, average=None)
    np.testing.assert_allclose(recall[present], expected)
    assert np.isnan(np.delete(recall, present)).all()


@steady
@given(case=cases(), background=st.integers(0, CLASSES - 1))
def test_foreground_accuracy_is_the_accuracy_of_the_other_cells(case, background):
    true, predicted, matrix = case
    foreground = true != background
    found = float(confusion.foreground_accuracy(matrix, background))
    if foreground.any():
        assert found == pytest.approx(sklearn_metrics.accuracy_score(true[foreground], predicted[foreground]))
    else:
        assert math.isnan(found)


@steady
@given(case=cases())
def test_class_shares_count_cells(case):
    true, predicted, matrix = case
    for which in range(CLASSES):
        assert float(confusion.class_share(matrix, which, predicted=True)) == pytest.approx(np.mean(predicted == which))
        assert float(confusion.class_share(matrix, which, predicted=False)) == pytest.approx(np.mean(true == which))


def test_a_perfect_prediction_scores_1():
    x = random_grids(6, CLASSES)
    matrix = confusion.confusion(x, x.clamp_max(CLASSES - 1), CLASSES).sum(0)
    summary = confusion.classification_metrics(matrix, background=0)
    for name in ("accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1"):
        assert summary[name] == 1
    assert summary["predicted_background_share"] == summary["true_background_share"]


def test_all_background_scores_what_is_known():
    x = torch.tensor([[[0, 0, 0], [0, 0, 0], [1, 2, CLASSES]]])  # 6 of 8 cells are background
    summary = confusion.classification_metrics(
        confusion.confusion(x, torch.zeros_like(x), CLASSES).sum(0), background=0
    )
    assert summary == pytest.approx({
        "accuracy": 6 / 8,
        "foreground_accuracy": 0.0,
        "balanced_accuracy": 1 / 3,
        "macro_f1": (2 * 6 / (6 + 8)) / 3,
        "predicted_background_share": 1.0,
        "true_background_share": 6 / 8,
    })  # fmt: skip


def test_no_cells_at_all_are_undefined_and_not_zero():
    summary = confusion.classification_metrics(torch.zeros(CLASSES, CLASSES, dtype=torch.int64), background=0)
    assert all(math.isnan(value) for value in summary.values())


def test_painting_a_rare_class_everywhere_lowers_macro_f1_and_not_balanced_accuracy():
    honest = torch.tensor([[90, 0], [5, 5]])  # finds half of the rare class, never wrongly
    painted = torch.tensor([[45, 45], [0, 10]])  # finds all of it and paints it over half of the rest
    assert confusion.balanced_accuracy(painted) == confusion.balanced_accuracy(honest)
    assert confusion.macro_f1(painted) < confusion.macro_f1(honest)


def test_the_most_probable_class_and_extent_are_taken():
    logits = torch.zeros(1, CLASSES, 2, 2)
    logits[0, 3, 0, 1] = logits[0, 1, 1, 0] = 1.0
    assert confusion.predicted_classes(logits).tolist() == [[[0, 3], [1, 0]]]
    size = torch.nn.functional.one_hot(torch.tensor([[0, 7]]), 8).float()
    assert confusion.predicted_extent(size).tolist() == [[1, 8]]


def test_blank_tells_empty_grids_from_those_that_show_something():
    x = torch.tensor([[[0, 1]], [[0, 1]], [[0, 0]], [[1, CLASSES]]])
    predicted = torch.tensor([[[0, 0]], [[2, 0]], [[0, 0]], [[0, 1]]])  # the last one: only outside the grid
    values = confusion.blank(confusion.confusion(x, predicted, CLASSES), background=0)
    assert values.tolist()[:2] == [1.0, 0.0]
    assert values[2].isnan()
    assert values[3] == 1.0
