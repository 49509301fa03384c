"""One pass of a model over a whole split, with the posterior mean as z, and what it yields for each grid.

B batch, N examples, K classes, L latent dimensions, S side of the canvas.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.batches import DeviceSplit
from vaelab.data.prepared import DataInfo
from vaelab.evaluation import categorical
from vaelab.models.vae import VAE, Decoded, Inference
from vaelab.objective.categorical import Context, cross_entropy, extent, extents
from vaelab.objective.divergence import kl_per_dimension
from vaelab.objective.objective import Objective


class Pass(NamedTuple):
    """All of a split, in its order, on the CPU."""

    matrix: Tensor  # confusion of all cells [K, K]
    examples: dict[str, Tensor]  # measures of each example, each [N]
    losses: dict[str, Tensor]  # `loss`, each term unweighted, and as <term>_weighted what it adds, each [N]
    mean: Tensor  # [N, L]
    log_var: Tensor  # [N, L]
    grids: Tensor  # reconstructions as whole grids, uint8 [N, S, S], K outside the predicted extent


@torch.no_grad()
def run_pass(
    model: VAE, split: DeviceSplit, info: DataInfo, objective: Objective, batch_size: int, epoch: float
) -> Pass:
    """Return what the model yields for every example of the split, under the objective at `epoch`."""
    was_training, parts = model.training, []  # of each batch: tensors, measures, terms
    model.eval()
    for x in split.in_order(batch_size):
        inference = model(x)
        terms = objective(x, inference, epoch).terms
        matrix, examples = measure_grids(x, inference, info)
        grids = whole_grids(Decoded(inference.reconstruction, inference.extent))
        tensors = {"matrix": matrix, "mean": inference.mean, "log_var": inference.log_var, "grids": grids}
        parts.append((tensors, examples, terms))
    model.train(was_training)
    tensors, examples, losses = (_stack(column) for column in zip(*parts, strict=True))
    kl = kl_per_dimension(tensors["mean"], tensors["log_var"])
    weighted = objective.weighted(kl, losses, epoch)
    losses |= {f"{name}_weighted": values for name, values in weighted.items()}
    losses["loss"] = torch.stack(list(weighted.values())).sum(0)
    return Pass(tensors.pop("matrix").sum(0), examples, losses, **tensors)


def _stack(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def measure_grids(x: Tensor, inference: Inference, info: DataInfo) -> tuple[Tensor, dict[str, Tensor]]:
    """Return confusion matrices [B, K, K] and measures [B] of each grid of a batch."""
    classes = len(info.classes)
    assert inference.extent is not None
    matrix = categorical.confusion(x, categorical.predicted_classes(inference.reconstruction), classes)
    cells_right = categorical.accuracy(matrix)
    right_extent = (categorical.predicted_extent(inference.extent) == extents(x, classes)).all(1)
    cells, size = distortion(x, inference)
    return matrix, {
        "accuracy": cells_right,
        "foreground_accuracy": categorical.foreground_accuracy(matrix, info.background),
        "blank_share": categorical.blank(matrix, info.background),
        "extent_accuracy": right_extent.double(),
        "exact_match": ((cells_right == 1) & right_extent).double(),
        "distortion": cells + size,
        "distortion_cells": cells,
        "distortion_extent": size,
    }


def distortion(x: Tensor, inference: Inference) -> tuple[Tensor, Tensor]:
    """Return −log p(cells|z) and −log p(extent|z), nats per grid, each [B]."""
    ones = torch.ones(inference.reconstruction.shape[1], device=x.device)
    plain = Context(gamma=0.0, class_weights=ones, reduction="sum")
    return cross_entropy(x, inference, plain), extent(x, inference, plain)


def whole_grids(decoded: Decoded) -> Tensor:
    """Return the most probable grids, uint8 [B, S, S], with K outside their predicted extent."""
    classes, side = decoded.reconstruction.shape[1], decoded.reconstruction.shape[-1]
    assert decoded.extent is not None
    height, width = categorical.predicted_extent(decoded.extent).view(-1, 2, 1, 1).unbind(1)
    position = torch.arange(side, device=height.device)
    outside = (position.view(1, -1, 1) >= height) | (position.view(1, 1, -1) >= width)
    return categorical.predicted_classes(decoded.reconstruction).masked_fill(outside, classes).to(torch.uint8)
