"""The palette of a grid: which colour each of its ranks stands for, as a fixed Gaussian code in the latent.

A grid is recoded by its own colours: rank 0 is its most frequent one. What is to be learned is then where ranks lie,
the same in grids that differ by their colours alone. Colours themselves need no learning: each is a point of a code,
far from the others, and a rank's latents are the point of its colour and some noise. A rank that a grid does not have
has the prior as its posterior, and costs nothing.

B batch, K classes, R ranks, E values of a point, S side of the canvas. Grids are int64 [B, S, S], K outside.
"""

import math

import numpy as np
import torch
from scipy.linalg import helmert
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.info import DataInfo

RADIUS, STD = 2.0, 0.35  # of the points, and of the noise around them: ten colours are 7 σ apart, at 4.4 nats each
LEAST = 1e-7  # probability of a colour that no rank stands for


class Palette(nn.Module):
    """Recodes grids by rank, and decodes which colours the ranks stand for.

    Args:
        kind: none: classes stay as they are, and nothing is coded; ranked; background_first: rank 0 is the background,
            whether a grid has it or not, and is not coded.
        info: of the data.
    """

    code: Tensor

    def __init__(self, kind: str, info: DataInfo) -> None:
        super().__init__()
        self.kind, self.classes = kind, len(info.classes)
        self.background = info.background if kind == "background_first" else None
        self.coded = {"none": 0, "ranked": self.classes, "background_first": self.classes - 1}[kind]  # ranks
        self.register_buffer("code", points(self.classes), persistent=False)
        self.size = self.coded * self.code.shape[1]

    def order(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class of each rank, the most frequent one first, and its number of cells, each [B, R]."""
        counts = F.one_hot(x.flatten(1), self.classes + 1).sum(1)[:, : self.classes]
        key = counts.clone()
        if self.background is not None:
            key[:, self.background] = x[0].numel() + 1
        order = key.argsort(dim=1, descending=True, stable=True)
        return order, counts.gather(1, order)

    def recoded(self, x: Tensor, order: Tensor) -> Tensor:
        """Return the grids with ranks in place of classes."""
        if not self.coded:
            return x
        ranks: Tensor = F.pad(order.argsort(dim=1), (0, 1), value=self.classes)  # of each class; outside stays outside
        return ranks.gather(1, x.flatten(1)).view_as(x)

    def posterior(self, order: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the latents of the palette, each [B, R · E]."""
        first = self.classes - self.coded
        present = (counts[:, first:] > 0).unsqueeze(2)
        mean = self.code[order[:, first:]] * present
        log_var = (2 * math.log(STD) * present).expand_as(mean)
        return mean.flatten(1), log_var.flatten(1)

    def colours(self, z: Tensor) -> Tensor:
        """Return the log-probability of each class given the rank, [B, R, K], from the latents of the palette."""
        points = z.unflatten(1, (self.coded, -1)).unsqueeze(2)  # [B, R, 1, E]
        log_p: Tensor = (-(points - self.code).square().sum(3) / (2 * STD**2)).log_softmax(2)
        if self.background is None:
            return log_p
        fixed = log_p.new_full((len(z), 1, self.classes), -math.inf)
        fixed[:, :, self.background] = 0
        return torch.cat([fixed, log_p], dim=1)

    def class_logits(self, ranks: Tensor, z: Tensor) -> Tensor:
        """Return log p(class) = log Σ_r p(r) p(class | r) [B, K, S, S], from logits of the ranks [B, R, S, S]."""
        if not self.coded:
            return ranks
        mixed: Tensor = torch.einsum("brhw,brk->bkhw", ranks.softmax(1), self.colours(z).exp())
        return (mixed + LEAST).log()


def one_hot(x: Tensor, classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a plane for each rank, or class, of grids [B, S, S]: [B, K, S, S], zeros outside."""
    values = x.unsqueeze(-1) == torch.arange(classes, device=x.device)
    return values.to(dtype).permute(0, 3, 1, 2)  # channels last in memory


def points(classes: int) -> Tensor:
    """Return a point on a sphere for each class [K, E], far from each other: midpoints of the edges of a simplex.

    A simplex of m corners has m (m − 1) / 2 edges; ten midpoints in four dimensions are 80° apart, the most there is.
    """
    corners = next(m for m in range(3, 99) if m * (m - 1) // 2 >= classes)
    first, second = np.triu_indices(corners, 1)
    edges = np.eye(corners)[first] + np.eye(corners)[second]
    flat = edges[:classes] @ helmert(corners).T  # the corners lie in a plane of one dimension less
    scaled: Tensor = torch.from_numpy(RADIUS * flat / np.linalg.norm(flat, axis=1, keepdims=True)).float()
    return scaled
