"""Terms of edges and frequencies. Each returns one value per example, [B].

B batch, C H W image. x and the reconstruction are float [B, C, H, W].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.models.vae import Inference
from vaelab.objective.context import Context
from vaelab.objective.pixel_losses import reduced


def sobel(x: Tensor) -> Tensor:
    """Return the Sobel gradients [B, C, 2, H, W], the vertical one (of horizontal edges) first.

    The same as scikit-image's sobel_h and sobel_v: the kernel is divided by 4, the border pixels are repeated.
    """
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4  # smoothed along H
    columns = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4  # smoothed along W
    return torch.stack([columns[:, :, 2:] - columns[:, :, :-2], rows[..., 2:] - rows[..., :-2]], dim=2)


def edge(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return the absolute error of the Sobel gradients, the mean of both directions, per example [B].

    One value per value of the image: pixel weights and the reduction apply as in the pixel terms.
    """
    return reduced(sobel(x - inference.reconstruction).abs().mean(2), context)


def frequency(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return |log(1 + |F(x)|) − log(1 + |F(reconstruction)|)| per example [B], F the orthonormal 2D Fourier transform.

    Summed or averaged over the C · H · W frequencies; pixel weights do not apply.
    """
    amplitudes = [torch.fft.rfft2(images, norm="ortho").abs().log1p() for images in (x, inference.reconstruction)]
    return _over_frequencies((amplitudes[0] - amplitudes[1]).abs(), x.shape, context)


def focal_frequency(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return w · |F(x) − F(reconstruction)|², w = |F(x) − F(reconstruction)|^α, per example [B].

    w is divided by its largest value in each channel of each image, and has no gradient. F is orthonormal. Summed or
    averaged over the C · H · W frequencies; pixel weights do not apply. Source: Jiang et al. 2021, equations 8 to 10,
    and their code for what an image's own weights are.
    """
    error = torch.fft.rfft2(x - inference.reconstruction, norm="ortho")
    squares = error.real.square() + error.imag.square()
    weights = squares.detach() ** (context.options.focal_alpha / 2)
    largest = weights.amax((2, 3), keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    return _over_frequencies(weights / largest * squares, x.shape, context)


def _over_frequencies(half: Tensor, shape: torch.Size, context: Context) -> Tensor:
    """Reduce values of the half spectrum [B, C, H, W // 2 + 1] as if it were the whole one."""
    counts = torch.full(half.shape[-1:], 2.0, dtype=half.dtype, device=half.device)  # each stands for its mirror too
    counts[0] = 1
    if shape[-1] % 2 == 0:
        counts[-1] = 1
    total = (half * counts).flatten(1).sum(1)
    return total if context.options.reduction == "sum" else total / shape[1:].numel()
