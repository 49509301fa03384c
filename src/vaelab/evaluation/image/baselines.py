"""What trivial methods reach on images: the reconstructions that a model has to beat.

Definitions: docs/metrics/image.md. B batch, N training images C H W, L latents. Reconstructions are in [0, 1].
"""

from collections.abc import Callable, Collection
from functools import partial

import torch
from torch import Tensor

from vaelab.evaluation.inputs import lossless_text
from vaelab.models import pca
from vaelab.models.image import patch_pca
from vaelab.models.pca import Pca
from vaelab.params.blocks import Model

SUMMED = 64  # images at once
BLUR = 2.0  # standard deviation, pixels; the kernel reaches 4 of them to each side

CONSTANT = ("mean_image", "white_page")  # of the baselines: they know nothing of x
OF_ITS_SIZE = ("pca", "patch_pca")  # with as many numbers as the model has latents: shown beside it

Baseline = Callable[[Tensor], Tensor]


def principal(train: Tensor, latent_dim: int, seed: int, flip: bool = False) -> Pca | None:
    """Return as many principal components of uint8 images [N, C, H, W] as latents, or as they have; None of one image.

    Seeded where it is randomised; with `flip` each image is seen mirrored, too, as training does.
    """
    if len(train) == 1:
        return None
    return pca.fit_pca(train, min(latent_dim, len(train) * (1 + flip) - 1, train[0].numel()), seed, flip)


def fit_baselines(
    train: Tensor, fitted: Pca | None, latent_dim: int, cell: int | None, documents: bool, seed: int, flip: bool = False
) -> dict[str, Baseline]:
    """Return the trivial reconstructions by name, each a function of images, float [B, C, H, W] in [0, 1].

    mean_image: the mean of the training split. pca: as many principal components as the model has latent dimensions,
    or as many as the data have. patch_pca: the same with a latent map of the model's shape. white_page: nothing but 1.
    PCA that loses nothing is left out: no model can beat it.

    Args:
        train: uint8 [N, C, H, W].
        fitted: the `principal` components.
        latent_dim: L, of a latent map its channels times its places.
        cell: pixels to a side for each place of the model's latent map; None for a latent vector, without patch_pca.
        documents: whether white_page makes sense.
        seed: of the decomposition of patches.
        flip: whether `fitted` saw each image mirrored, too.
    """
    found: dict[str, Baseline] = {"mean_image": partial(_constant, _mean_image(train))}
    images, size = len(train) * (1 + flip), train[0].numel()
    if fitted is not None and not pca.loses_nothing(fitted, images, latent_dim):
        found["pca"] = partial(_from_pca, fitted)
    if cell is not None:
        cells = train.shape[2] * train.shape[3] // cell**2
        components = min(latent_dim // cells, images * cells - 1, size // cells)
        of_patches = patch_pca.fit_patch_pca(train, cell, components, seed, flip)
        if not pca.loses_nothing(of_patches, images * cells, latent_dim // cells):
            found["patch_pca"] = partial(_from_patch_pca, of_patches, cell)
    if documents:
        found["white_page"] = torch.ones_like
    return found


def patch_of(model: Model, latent_dim: int, side: int) -> int | None:
    """Return the side, in pixels, of the patches whose PCA makes as many numbers as the model; None: no patch_pca.

    Of a latent map they are its places. The vector of a filtered model is shared out among as many; what is left over,
    less than one for each place, patch PCA does without.
    """
    shared = model.name == "filtered" and latent_dim >= (side // model.cell) ** 2
    return model.cell if model.latent == "map" or shared else None


def left_out(found: Collection[str], latent_dim: int, cell: int | None, images: int) -> str | None:
    """Return in words which PCA loses nothing and is no baseline; None where there is none."""
    wanted = {"pca": "PCA"} if images > 1 else {}
    wanted |= {} if cell is None else {"patch_pca": "patch PCA"}
    titles = [title for method, title in wanted.items() if method not in found]
    return lossless_text(" and ".join(titles), latent_dim) if titles else None


def blur(x: Tensor) -> Tensor:
    """Return images [B, C, H, W] convolved with a Gaussian of BLUR pixels, mirrored at the border.

    A reference and no baseline: it copies its input past any bottleneck.
    """
    from scipy.ndimage import gaussian_filter  # a quarter of a second, which grids and tags need not wait for

    blurred = gaussian_filter(x.cpu().numpy(), BLUR, mode="mirror", axes=(2, 3))
    return torch.from_numpy(blurred).to(x)


def _mean_image(train: Tensor) -> Tensor:
    total = sum(
        part.sum(0, dtype=torch.int64) for part in train.split(SUMMED)
    )  # as int64 all would be eight times as large
    return torch.as_tensor(total).double() / (255 * len(train))


def _constant(image: Tensor, x: Tensor) -> Tensor:
    return image.to(x).expand_as(x)


def _from_pca(fitted: Pca, x: Tensor) -> Tensor:
    return pca.reconstruct(fitted, x.flatten(1)).view_as(x).clamp(0, 1)


def _from_patch_pca(fitted: Pca, cell: int, x: Tensor) -> Tensor:
    patches = pca.reconstruct(fitted, patch_pca.to_patches(x, cell))
    return patch_pca.from_patches(patches, cell, x.shape[2]).clamp(0, 1)
