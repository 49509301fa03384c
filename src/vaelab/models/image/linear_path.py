"""`model.init: pca` sets the linear path between an image and its latent to PCA of the images, or of their patches."""

import math
import sys
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from vaelab.models.image.filtered import FilteredEncoder
from vaelab.models.image.local import CENTRE, CellNetwork, LocalDecoder, LocalEncoder
from vaelab.models.image.patch_pca import fit_patch_pca, fit_shrunk_pca, to_patches
from vaelab.models.image.shrinkage import chosen_shrinkage
from vaelab.models.pca import MAX_IMAGES, MIN_VARIANCE, Pca, as_float, chosen_examples, reconstruct
from vaelab.models.vae import VAE

if TYPE_CHECKING:
    from vaelab.models.image.conv import ImageDecoder, ImageEncoder


ENOUGH = 2  # training images for each latent, below which a start from PCA is warned of


@torch.no_grad()
def start_from_pca(
    model: VAE,
    images: Tensor,
    flip: bool,
    seed: int,
    share: float | Literal["auto"] = 0.0,
    group: Tensor | None = None,
    beta: float = 1.0,
) -> None:
    """Set the linear path so that the untrained model reconstructs as PCA with as many numbers does.

    Latents are the whitened scores, so that their aggregate has variance 1. The posterior's variance starts at
    noise / (eigenvalue + noise), the optimum of probabilistic PCA (Tipping & Bishop 1999). The convolutions
    start silent.

    Args:
        model: an image model with `init: pca`.
        images: training images, uint8 [N, C, S, S].
        flip: whether mirrored images are trained on, too.
        seed: of the randomised decomposition.
        share: of a vector latent's covariance that comes from patches (`model.pca_patches`); auto: chosen on training
            images that are held out.
        group: of each image [N]: with `model.per_group` each group has its own PCA.
        beta: the effective one, for which the variance of a filtered model starts at its best.

    Raises:
        InputError: there are fewer images than latent dimensions.
    """
    if isinstance(model.encoder, LocalEncoder):
        _start_cells(model, images, flip, seed, group)
        return
    encoder, decoder = cast("ImageEncoder", model.encoder), cast("ImageDecoder", model.decoder)
    assert encoder.linear_path is not None
    assert decoder.linear_path is not None
    if isinstance(encoder.linear_path[1], nn.Linear) and len(images) < ENOUGH * model.latent_dim:
        text = f"{len(images)} training images for {model.latent_dim} latents (model.latent_dim)"
        known = "what most of them stand for is a guess from patches" if share else "the variance of most is too small"
        print(f"warning: model.init: pca: {text}: {known}; more images, or fewer latents, would do", file=sys.stderr)
    pca = _fit(images, encoder.linear_path, model.latent_dim, flip, seed, share)
    _set_linear(_weights(encoder.linear_path[1]), _weights(decoder.linear_path[0]), pca, pca.mean)
    if isinstance(model.encoder, FilteredEncoder):  # whose corrections are silent as they are built
        model.encoder.log_var.copy_(_log_var(pca._replace(noise=beta * pca.noise))[model.latent_dim :])
        return
    _silence(_weights(encoder.head[1]), _log_var(pca))
    _silence(_weights(decoder.image[-1]))


def _start_cells(model: VAE, images: Tensor, flip: bool, seed: int, group: Tensor | None) -> None:
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, LocalEncoder)
    assert isinstance(decoder, LocalDecoder)
    for number, (analysis, synthesis) in enumerate(zip(encoder.networks, decoder.networks, strict=True)):
        assert isinstance(analysis, CellNetwork)
        assert isinstance(synthesis, CellNetwork)
        own = images if len(encoder.networks) == 1 or group is None else images[group == number]
        pca = fit_patch_pca(own, encoder.cell, decoder.channels, seed, flip)
        _set_linear(analysis.linear_path, synthesis.linear_path, pca, pca.mean - CENTRE)
        _silence(analysis.head, _log_var(pca))
        _silence(synthesis.head)
        if decoder.log_sigma is not None:
            decoder.log_sigma[number] = _log_sigma(pca, own, per_channel=decoder.log_sigma.ndim > 1)


def _log_sigma(pca: Pca, images: Tensor, per_channel: bool) -> Tensor | float:
    """Of what PCA leaves: of all values, or of each channel of feature maps [N, C, h, w]."""
    if not per_channel:
        size = len(pca.mean)
        return 0.5 * math.log(pca.noise * (size - len(pca.components)) / size)
    rows = to_patches(as_float(chosen_examples(images, MAX_IMAGES, 0)), 1).flatten(0, 1)
    return 0.5 * (rows - reconstruct(pca, rows)).square().mean(0).clamp_min(MIN_VARIANCE).log()


def _set_linear(analysis: nn.Linear | nn.Conv2d, synthesis: nn.Linear | nn.Conv2d, pca: Pca, mean: Tensor) -> None:
    """Set the path to the latent and back; `mean` [D] is that of what the path sees."""
    deviation = pca.variance.sqrt()[:, None]
    analysis.weight.copy_((pca.components / deviation).view_as(analysis.weight))
    analysis.bias.copy_(-(pca.components / deviation) @ mean)  # type: ignore[union-attr]
    synthesis.weight.copy_((pca.components * deviation).T.reshape(synthesis.weight.shape))
    synthesis.bias.copy_(mean)  # type: ignore[union-attr]


def _log_var(pca: Pca) -> Tensor:
    """Bias of what gives mean and log-variance: nothing beside the linear path, and the best variance."""
    log_var = (pca.noise / (pca.variance + pca.noise)).log()
    return torch.cat([torch.zeros_like(log_var), log_var])


def _silence(layer: nn.Linear | nn.Conv2d, bias: Tensor | None = None) -> None:
    layer.weight.zero_()
    assert layer.bias is not None
    layer.bias.zero_() if bias is None else layer.bias.copy_(bias)


def _fit(
    images: Tensor, path: nn.Sequential, latent_dim: int, flip: bool, seed: int, share: float | Literal["auto"]
) -> Pca:
    if isinstance(path[0], nn.PixelUnshuffle):
        layer = path[1]
        assert isinstance(layer, nn.Conv2d)
        return fit_patch_pca(images, path[0].downscale_factor, layer.out_channels, seed, flip)
    if share == "auto":
        return fit_shrunk_pca(images, latent_dim, seed, flip, *chosen_shrinkage(images, latent_dim, seed, flip))
    return fit_shrunk_pca(images, latent_dim, seed, flip, share)


def _weights(layer: nn.Module) -> nn.Linear | nn.Conv2d:
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    return layer
