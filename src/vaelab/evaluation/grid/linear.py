"""Principal components of grids, whole or in patches, of their classes or of ranks with the palette given.

N examples, K classes, S side of the canvas. Grids are int64 [N, S, S] with K outside.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import evenly
from vaelab.data.format.info import DataInfo
from vaelab.evaluation.grid.baselines import measured
from vaelab.evaluation.inputs import shown
from vaelab.measures.grid.batch import of_cells
from vaelab.measures.grid.confusion import predicted_classes
from vaelab.models.grid.palette import Palette, one_hot
from vaelab.models.grid.pca import TEMPERATURE, directions, patches
from vaelab.models.pca import MIN_VARIANCE, pca_projection

CHECKED = 512  # training grids at most that tell whether PCA loses anything; grids that are projected at once
RANKS = "_ranks"  # behind the name of a method, where grids are recoded


class Linear(NamedTuple):
    """A projection of recoded grids and back; of each cell the largest score wins, and the true palette its class."""

    name: str  # of the baseline
    palette: Palette
    info: DataInfo
    project: Callable[[Tensor], Tensor]  # grids of ranks, or classes, to their scores [n, K, S, S]

    def metrics(self, x: Tensor) -> dict[str, dict[str, float]]:
        """Return the measures of the most probable class of each cell; the extent is known.

        And the nats of the cells, their logits TEMPERATURE · scores, as those of a model with `init: pca` start.
        """
        predicted, nats = self.reconstructed(x)
        return {self.name: {**measured(x, predicted, self.info), "distortion_at_mean": nats / len(x)}}

    def reconstructed(self, x: Tensor) -> tuple[Tensor, float]:
        """Return the most probable classes [N, S, S], and the nats of the cells of all grids."""
        found, nats = [], 0.0
        for part in x.split(CHECKED):
            order = self.palette.order(part)[0]
            ranks = self.palette.recoded(part, order)
            scores = self.project(ranks)
            best = predicted_classes(scores)
            found.append(order.gather(1, best.flatten(1)).view_as(best) if self.palette.coded else best)
            outside = len(self.info.classes)
            nats += float(F.cross_entropy(TEMPERATURE * scores, ranks, ignore_index=outside, reduction="sum"))
        return torch.cat(found), nats

    def shown(self, x: Tensor) -> dict[str, Tensor]:
        """Return what it makes of grids, uint8 with K outside, and the accuracy of each [N]."""
        predicted, outside = self.reconstructed(x)[0], len(self.info.classes)
        accuracy = of_cells(x, predicted, self.info).examples["accuracy"]
        return shown(self.name, predicted.masked_fill(x == outside, outside).to(torch.uint8), accuracy)


def pca_of_grids(train: Tensor, palette: Palette, info: DataInfo, components: int, seed: int) -> Linear | None:
    """Return the principal components of whole canvases, "outside" being a class too; None where they lose nothing."""
    classes = len(info.classes)

    def flat(x: Tensor) -> Tensor:
        return one_hot(x, classes + 1).flatten(1)

    rows = flat(recoded(train, palette))
    projection = pca_projection(rows, components, seed)
    some = rows[evenly(len(rows), CHECKED)]
    error = float((projection(some) - some).square().mean())
    if error <= MIN_VARIANCE and (components < len(rows) - 1 or components >= rows.shape[1]):
        return None
    return Linear(
        _name("pca", palette), palette, info,
        lambda x: projection(flat(x)).view(len(x), classes + 1, *x.shape[1:])[:, :classes],
    )  # fmt: skip


def patch_pca_of_grids(
    train: Tensor, palette: Palette, info: DataInfo, cell: int, components: int, seed: int
) -> Linear | None:
    """Return the uncentred components of patches of cell × cell that hold cells of a grid; None where none is left out.

    It is what a latent map with `init: pca` starts as.
    """
    classes = len(info.classes)
    rows = torch.cat([patches(part, palette, cell) for part in train.split(CHECKED)])
    if components >= min(rows.shape):
        return None
    basis = directions(rows, components, seed, "latent_channels").components

    def project(x: Tensor) -> Tensor:
        places = F.pixel_unshuffle(one_hot(x, classes), cell).permute(0, 2, 3, 1)
        return F.pixel_shuffle((places @ basis.T @ basis).permute(0, 3, 1, 2), cell)

    return Linear(_name("patch_pca", palette), palette, info, project)


def recoded(x: Tensor, palette: Palette) -> Tensor:
    """Return the grids with ranks in place of classes, where the palette recodes."""
    return palette.recoded(x, palette.order(x)[0])


def _name(method: str, palette: Palette) -> str:
    return method + (RANKS if palette.coded else "")
