"""Measures of reconstructed grids, from confusion matrices. Definitions: docs/metrics/grid.md.

B batch, K classes, H W grid. x is int64 [B, H, W] with K outside the grid; those cells do not count.
"""

import torch
from torch import Tensor


def predicted_classes(logits: Tensor) -> Tensor:
    """Return the most probable class of each cell [B, H, W] from logits [B, K, H, W]."""
    return logits.max(1).indices  # several times as fast as argmax


def confusion(x: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return the confusion matrix of each example [B, K, K], rows true, columns predicted, in cells."""
    batch = len(x)
    example = torch.arange(batch, device=x.device).view(-1, 1, 1)
    index = ((example * (classes + 1) + x) * classes + predicted).flatten()
    counts = torch.zeros(batch * (classes + 1) * classes, dtype=torch.int64, device=x.device)
    counts.scatter_add_(0, index, torch.ones_like(index))  # unlike bincount, never waits for a GPU
    return counts.view(batch, classes + 1, classes)[:, :classes]


def accuracy(matrix: Tensor) -> Tensor:
    """Return the share of cells that are right, from confusion matrices [..., K, K]."""
    return _ratio(matrix.diagonal(dim1=-2, dim2=-1).sum(-1), matrix.sum((-2, -1)))


def foreground_accuracy(matrix: Tensor, background: int) -> Tensor:
    """Return the share of right cells among those whose true class is not the background; NaN where there is none."""
    foreground = torch.arange(matrix.shape[-1], device=matrix.device) != background
    right = matrix.diagonal(dim1=-2, dim2=-1)[..., foreground].sum(-1)
    return _ratio(right, matrix[..., foreground, :].sum((-2, -1)))


def per_class_recall(matrix: Tensor) -> Tensor:
    """Return for each class the share of its cells that are right [..., K]; NaN where it does not occur."""
    return _ratio(matrix.diagonal(dim1=-2, dim2=-1), matrix.sum(-1))


def balanced_accuracy(matrix: Tensor) -> Tensor:
    """Return the mean recall over the classes that occur."""
    return per_class_recall(matrix).nanmean(-1)


def macro_f1(matrix: Tensor) -> Tensor:
    """Return the mean F1 over the classes that occur, or are predicted, at all.

    Low when rare classes are ignored (their recall is 0) and when they are painted everywhere (their precision is 0).
    """
    right = matrix.diagonal(dim1=-2, dim2=-1)
    return _ratio(2 * right, matrix.sum(-1) + matrix.sum(-2)).nanmean(-1)


def class_share(matrix: Tensor, which: int, predicted: bool) -> Tensor:
    """Return the share of cells that are predicted as class `which`, or that truly are."""
    return _ratio(matrix.sum(-2 if predicted else -1)[..., which], matrix.sum((-2, -1)))


def blank(matrix: Tensor, background: int) -> Tensor:
    """Return 1 for a grid whose cells are all predicted background, 0 for another; NaN for one without foreground."""
    all_background = matrix.sum(-2)[..., background] == matrix.sum((-2, -1))
    foreground = matrix.sum((-2, -1)) - matrix.sum(-1)[..., background]
    return all_background.double().masked_fill(foreground == 0, torch.nan)


def predicted_extent(logits: Tensor) -> Tensor:
    """Return the most probable height and width in cells [B, 2] from logits [B, 2, side]."""
    return logits.argmax(-1) + 1


def classification_metrics(matrix: Tensor, background: int) -> dict[str, float]:
    """Return the measures of one confusion matrix [K, K] by name."""
    matrix = matrix.cpu()
    return {
        "accuracy": float(accuracy(matrix)),
        "foreground_accuracy": float(foreground_accuracy(matrix, background)),
        "balanced_accuracy": float(balanced_accuracy(matrix)),
        "macro_f1": float(macro_f1(matrix)),
        "predicted_background_share": float(class_share(matrix, background, predicted=True)),
        "true_background_share": float(class_share(matrix, background, predicted=False)),
    }


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return part.double() / whole.double()  # NaN for 0 / 0
