"""`model.init: pca`: the linear path of an image model set to PCA of the images, or of their patches."""

import torch
from torch import Tensor, nn

from vaelab.models.conv_image import ImageDecoder, ImageEncoder
from vaelab.models.local_pca import fit_local_pca
from vaelab.models.pca import Pca, fit_patch_pca
from vaelab.models.vae import VAE


@torch.no_grad()
def start_from_pca(model: VAE, images: Tensor, flip: bool, seed: int, share: float = 0.0) -> None:
    """Set the linear path so that the untrained model reconstructs as PCA with as many numbers does.

    Latents are the whitened scores, so that their aggregate has variance 1. The posterior's variance starts at
    noise / (eigenvalue + noise), the optimum of probabilistic PCA (Tipping & Bishop 1999). The convolutions
    start silent.

    Args:
        model: an image model with `init: pca`.
        images: training images, uint8 [N, C, S, S].
        flip: whether mirrored images are trained on, too.
        seed: of the randomised decomposition.
        share: of a vector latent's covariance that comes from patches (`model.pca_patches`).

    Raises:
        InputError: there are fewer images than latent dimensions.
    """
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, ImageEncoder)
    assert isinstance(decoder, ImageDecoder)
    assert encoder.linear_path is not None
    assert decoder.linear_path is not None
    analysis, synthesis = _weights(encoder.linear_path[1]), _weights(decoder.linear_path[0])
    pca = _fit(images, encoder.linear_path, model.latent_dim, flip, seed, share)
    deviation = pca.variance.sqrt()[:, None]
    analysis.weight.copy_((pca.components / deviation).view_as(analysis.weight))
    analysis.bias.copy_(-(pca.components / deviation) @ pca.mean)  # type: ignore[union-attr]
    synthesis.weight.copy_((pca.components * deviation).T.reshape(synthesis.weight.shape))
    synthesis.bias.copy_(pca.mean)  # type: ignore[union-attr]
    head = _weights(encoder.head[1])
    log_var = (pca.noise / (pca.variance + pca.noise)).log()
    head.weight.zero_()
    head.bias.copy_(torch.cat([torch.zeros_like(log_var), log_var]))  # type: ignore[union-attr]
    last = _weights(decoder.image[-1])
    last.weight.zero_()
    last.bias.zero_()  # type: ignore[union-attr]


def _fit(images: Tensor, path: nn.Sequential, latent_dim: int, flip: bool, seed: int, share: float) -> Pca:
    if isinstance(path[0], nn.PixelUnshuffle):
        layer = path[1]
        assert isinstance(layer, nn.Conv2d)
        return fit_patch_pca(images, path[0].downscale_factor, layer.out_channels, seed, flip)
    return fit_local_pca(images, latent_dim, seed, flip, share)


def _weights(layer: nn.Module) -> nn.Linear | nn.Conv2d:
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    return layer
