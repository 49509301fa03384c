"""What trivial methods reach: the numbers that a model has to beat. Definitions: docs/metrics/grid.md.

N examples, K classes, S side of the canvas. Grids are int64 [N, S, S] with K outside.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import evenly
from vaelab.data.format.info import DataInfo
from vaelab.measures.grid import confusion
from vaelab.models.pca import MIN_VARIANCE, pca_projection
from vaelab.objective.grid_losses import extents

CHECKED = 512  # training grids at most that tell whether PCA loses anything
MEASURES = ("accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1")


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
        return {
            "majority": {**_measures(matrix, self.info), "extent_accuracy": float(right.double().mean())},
            "frequency": {"distortion": nats, "negative_elbo": nats},  # without a latent there is no rate
        }


class PcaOfGrids:
    """Principal components of the one-hot grids ("outside" is a class too), as many as the model has latents."""

    def __init__(self, train: Tensor, info: DataInfo, components: int, seed: int) -> None:
        self.info = info
        rows = self._one_hot(train)
        self.projection = pca_projection(rows, components, seed)
        some = rows[evenly(len(rows), CHECKED)]
        error = float((self.projection(some) - some).square().mean())
        self.loses_nothing = error <= MIN_VARIANCE and (components < len(rows) - 1 or components >= rows.shape[1])

    def metrics(self, x: Tensor) -> dict[str, dict[str, float]]:
        """Return the accuracies of the most probable class after projection and back."""
        classes, matrix = len(self.info.classes), torch.zeros(())
        for part in x.split(512):
            back = self.projection(self._one_hot(part))
            predicted = back.view(*part.shape, classes + 1)[..., :classes].argmax(-1)
            matrix = matrix + confusion.confusion(part, predicted, classes).sum(0)
        return {"pca": _measures(matrix, self.info)}

    def _one_hot(self, x: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(x, len(self.info.classes) + 1).flatten(1).float()


def _measures(matrix: Tensor, info: DataInfo) -> dict[str, float]:
    measured = confusion.classification_metrics(matrix, info.background)
    return {name: measured[name] for name in MEASURES}
