"""The linear path of a network of grids, set to PCA of the planes of ranks or classes.

N grids, K classes, S side of the canvas, D values of a patch, C components.
"""

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.models.grid.palette import Palette, one_hot
from vaelab.models.pca import MIN_VARIANCE, check_components
from vaelab.models.vae import VAE

if TYPE_CHECKING:
    from vaelab.models.grid.conv import GridDecoder, GridEncoder

TEMPERATURE = 6.0  # logits per unit of a plane: a plane that is reconstructed as 1 is right with p = .98
PART = 256  # grids that are cut at once
MAX_COVARIANCE = 2048  # values of a patch up to which the matrix of their products is decomposed


class Directions(NamedTuple):
    """Directions through the origin along which patches are largest."""

    components: Tensor  # [C, D], orthonormal rows
    square: Tensor  # mean square of the patches along each [C]
    noise: float  # mean square per dimension outside of them


@torch.no_grad()
def start_grids_from_pca(model: VAE, grids: Tensor, seed: int) -> None:
    """Set the linear path so that the untrained model reconstructs as uncentred PCA of the planes does.

    Outside of a grid planes are 0, and so is the code of a place that the grid does not touch: that is why nothing is
    centred. Latents have mean square 1. The posterior's variance starts at noise / (square + noise), the optimum of
    probabilistic PCA (Tipping & Bishop 1999). The convolutions start silent.

    Args:
        model: of grids, with `init: pca`.
        grids: training grids [N, S, S], K outside.
        seed: of the randomised decomposition.

    Raises:
        InputError: there are fewer grids, or places, than components.
    """
    encoder, decoder = cast("GridEncoder", model.encoder), cast("GridDecoder", model.decoder)
    assert encoder.linear_path is not None
    assert decoder.linear_path is not None
    rows = torch.cat([patches(part.long(), encoder.palette, encoder.cell) for part in grids.split(PART)])
    found = directions(
        rows, encoder.latents, seed, "latent_dim" if encoder.cell == grids.shape[-1] else "latent_channels"
    )
    deviation = found.square.sqrt()[:, None]
    encoder.linear_path.weight.copy_((found.components / deviation).view_as(encoder.linear_path.weight))
    back = TEMPERATURE * (found.components * deviation).T
    decoder.linear_path.weight.copy_(back.reshape(decoder.linear_path.weight.shape))
    encoder.head.weight.zero_()
    log_var = (found.noise / (found.square + found.noise)).log()
    encoder.head.bias.copy_(torch.cat([torch.zeros_like(log_var), log_var]))  # type: ignore[union-attr]
    for tensor in decoder.last.parameters():
        tensor.zero_()


def patches(x: Tensor, palette: Palette, cell: int) -> Tensor:
    """Return the patches of the planes of grids [N, S, S] that hold cells, recoded as the palette says, [P, D]."""
    planes = one_hot(palette.recoded(x, palette.order(x)[0]), palette.classes)
    rows = F.pixel_unshuffle(planes, cell).permute(0, 2, 3, 1).flatten(0, 2)
    return rows[rows.any(1)]


def directions(rows: Tensor, components: int, seed: int, option: str) -> Directions:
    """Return the directions of rows [P, D] with the largest mean square: exact, or randomised where D is large.

    Source: Halko et al. 2011 (randomised, seeded).
    """
    count, size = rows.shape
    check_components(option, components, count, size, "patches")
    if size <= MAX_COVARIANCE:
        values, vectors = torch.linalg.eigh(rows.double().T @ rows.double() / count)
        square, found = values.flip(0)[:components], vectors.flip(1)[:, :components].T
        left = float(values.sum() - square.sum())
    else:
        from sklearn.utils.extmath import randomized_svd

        _, length, matrix = randomized_svd(rows.numpy(), components, random_state=seed)
        square, found = (
            torch.from_numpy(length).double().square() / count,
            torch.from_numpy(np.ascontiguousarray(matrix)),
        )
        left = float(rows.square().sum()) / count - float(square.sum())
    noise = max(MIN_VARIANCE, left / max(1, size - components))
    return Directions(found.float().contiguous(), square.clamp_min(MIN_VARIANCE).float(), noise)
