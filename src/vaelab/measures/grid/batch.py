"""What is particular about grids: how a batch is measured and what a decoded grid looks like when it is stored.

B batch, K classes, S side of the canvas.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.grid import confusion
from vaelab.measures.tally import Measured
from vaelab.models.vae import Decoded, Inference
from vaelab.objective.context import Context
from vaelab.objective.grid_losses import cross_entropy, extent, extents
from vaelab.params.loss import Loss
from vaelab.params.schema import Run


def evaluation_metrics(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
    """Return the confusion matrix of a batch [K, K] and the measures of each grid [B]."""
    assert inference.extent is not None
    totals, examples = of_cells(batch.x, confusion.predicted_classes(inference.reconstruction), info)
    right_extent = (confusion.predicted_extent(inference.extent) == extents(batch.x, len(info.classes))).all(1)
    return Measured(totals, {
        **examples,
        "extent_accuracy": right_extent.double(),
        "exact_match": examples["exact_match"] * right_extent,
        **likelihood(batch, inference, info),
    })  # fmt: skip


def of_cells(x: Tensor, predicted: Tensor, info: DataInfo) -> Measured:
    """Return the confusion matrix of predicted classes [K, K] and the measures of each grid [B], its extent aside."""
    matrix = confusion.confusion(x, predicted, len(info.classes))
    right = confusion.accuracy(matrix)
    return Measured({"matrix": matrix.sum(0)}, {
        "accuracy": right,
        "foreground_accuracy": confusion.foreground_accuracy(matrix, info.background),
        "blank_share": confusion.blank(matrix, info.background),
        "exact_match": (right == 1).double(),
    })  # fmt: skip


def likelihood(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> dict[str, Tensor]:
    """Return −log p(x|z) of cells, of extent and of both, nats per grid, each [B]."""
    cells, size = distortion(batch.x, inference)
    return {"distortion": cells + size, "distortion_cells": cells, "distortion_extent": size}


def train_metrics(batch: Batch, inference: Inference, info: DataInfo) -> Measured:
    """Return the confusion matrix of a training batch [K, K]: what costs next to nothing."""
    predicted = confusion.predicted_classes(inference.reconstruction)
    return Measured({"matrix": confusion.confusion(batch.x, predicted, len(info.classes)).sum(0)}, {})


def epoch_metrics(totals: dict[str, Tensor], means: dict[str, float], info: DataInfo) -> dict[str, float]:
    """Return the metrics of an epoch: pooled over cells, and means over grids."""
    return {**means, **confusion.classification_metrics(totals["matrix"], info.background)}


def distortion(x: Tensor, inference: Inference) -> tuple[Tensor, Tensor]:
    """Return −log p(cells|z) and −log p(extent|z), nats per grid, each [B]."""
    ones = torch.ones(inference.reconstruction.shape[1], device=x.device)
    plain = Context(Loss(gamma=0.0, reduction="sum"), class_weights=ones)
    return cross_entropy(x, inference, plain), extent(x, inference, plain)


def stored(decoded: Decoded) -> Tensor:
    """Return the most probable grids, uint8 [B, S, S], with K outside their predicted extent."""
    classes, side = decoded.reconstruction.shape[1], decoded.reconstruction.shape[-1]
    assert decoded.extent is not None
    height, width = confusion.predicted_extent(decoded.extent).view(-1, 2, 1, 1).unbind(1)
    position = torch.arange(side, device=height.device)
    outside = (position.view(1, -1, 1) >= height) | (position.view(1, 1, -1) >= width)
    return confusion.predicted_classes(decoded.reconstruction).masked_fill(outside, classes).to(torch.uint8)
