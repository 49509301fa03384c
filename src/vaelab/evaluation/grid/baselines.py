"""What trivial methods reach: the numbers that a model has to beat. Definitions: docs/metrics/grid.md.

N examples, K classes, S side of the canvas. Grids are int64 [N, S, S] with K outside.
"""

import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.measures.grid import confusion
from vaelab.measures.grid.batch import of_cells
from vaelab.objective.grid_losses import extents

MEASURES = ("accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1", "blank_share", "exact_match")
OVER_GRIDS = ("blank_share", "exact_match")  # of which these are means over grids


class Majority:
    """Every cell the most frequent class of training, every grid the most frequent extent of training."""

    def __init__(self, train: Tensor, info: DataInfo) -> None:
        self.info = info
        counts = torch.tensor(info.class_counts, dtype=torch.float64)
        self.majority = int(counts.argmax())
        self.log_share = ((counts + 1) / (counts.sum() + len(counts))).log()  # one cell of each class added
        side = train.shape[-1]
        sizes = extents(train, len(info.classes)) - 1
        self.sizes = torch.stack([torch.bincount(sizes[:, axis], minlength=side) for axis in (0, 1)])  # [2, S]

    def metrics(self, x: Tensor) -> dict[str, dict[str, float]]:
        """Return accuracies of the majority, and nats per grid of the training frequencies as a model."""
        classes = len(self.info.classes)
        matrix = confusion.confusion(x, torch.full_like(x, self.majority), classes).sum(0)
        size = extents(x, classes) - 1
        right = (size == self.sizes.argmax(1)).all(1)
        log_sizes = ((self.sizes + 1) / (self.sizes.sum(1, keepdim=True) + self.sizes.shape[1])).log()
        cells = (matrix.sum(1) * self.log_share).sum() / len(x)
        extent = (log_sizes[0][size[:, 0]] + log_sizes[1][size[:, 1]]).mean()
        nats = -float(cells + extent)
        found = confusion.classification_metrics(matrix, self.info.background)
        accuracies = {name: found[name] for name in MEASURES if name not in OVER_GRIDS}
        return {
            "majority": {**accuracies, "extent_accuracy": float(right.double().mean())},
            "frequency": {"distortion": nats, "negative_elbo": nats},  # without a latent there is no rate
        }


def measured(x: Tensor, predicted: Tensor, info: DataInfo) -> dict[str, float]:
    """Return the measures of predicted classes [N, S, S], the extent taken as known."""
    totals, examples = of_cells(x, predicted, info)
    found = confusion.classification_metrics(totals["matrix"], info.background)
    found |= {name: float(examples[name].nanmean()) for name in OVER_GRIDS}
    return {name: found[name] for name in MEASURES}
