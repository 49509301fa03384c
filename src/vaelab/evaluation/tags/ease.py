"""EASE, the linear model that the field compares with: each tag from all others of its row, in closed form.

N training rows, D tags.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.tags.completion import NAMED, completion
from vaelab.params.blocks import Evaluate

EASE = "ease"  # name of the baseline
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # λ, among which val chooses
MOST_TAGS = 4000  # whose D × D matrices take seconds and 128 MB
CHOSEN_BY = f"{NAMED}ndcg_at_10"
ROWS = 2048  # that are turned into floats at a time


@dataclass(frozen=True)
class Ease:
    """What it learns."""

    weights: Tensor  # from each tag [D, D] to each other one; the diagonal is 0
    penalty: float  # λ

    def __call__(self, x: Tensor) -> Tensor:
        """Return scores [B, D] of the tags of rows x [B, D]."""
        return x @ self.weights


def fit_ease(train: DeviceSplit, val: DeviceSplit, options: Evaluate) -> Ease | None:
    """Return the model whose λ completes val best; None where there are too many tags, or no row to complete.

    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", equation 8.
    """
    if train.shape[0] > MOST_TAGS:
        return None
    pairs, best, reached = co_occurrences(train), None, -1.0
    for penalty in PENALTIES:
        model = Ease(solved(pairs, penalty).to(train.device), penalty)
        measures = completion({"": model}, val, options, masks=1)[""]
        value = float(measures[CHOSEN_BY].nanmean())
        if value > reached:
            best, reached = model, value
    return best


def co_occurrences(train: DeviceSplit) -> Tensor:
    """Return XᵀX [D, D], in float64 on the CPU."""
    pairs = torch.zeros((train.shape[0], train.shape[0]))
    for batch in train.in_order(ROWS):  # exact: float32 holds all whole numbers below 2^24
        x = batch.x.cpu()
        pairs.addmm_(x.T, x)
    return pairs.double()


def solved(pairs: Tensor, penalty: float) -> Tensor:
    """Return the weights [D, D], float32: I − P · diag(1 / diag P) with P = (XᵀX + λ I)⁻¹."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(pairs + penalty * torch.eye(len(pairs), dtype=pairs.dtype)))
    weights = -inverse / inverse.diagonal()
    return weights.fill_diagonal_(0).float()
