"""Structural similarity of images, and the terms made of it: one number per image under either reduction.

B batch, C H W image. x and y are float [B, C, H, W] in [0, 1]. Pixel weights are not applied.
The window is a Gaussian of 11 × 11 and σ = 1.5; covariances are those of the population (divided by N, not N − 1).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.errors import InputError
from vaelab.models.vae import Inference
from vaelab.objective.context import Context

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2  # of a data range of 1
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2
LEAST_FACTOR = 1e-4
PIECE_VALUES = 2**17


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """Return the SSIM of each place whose window fits the image, [B, C, H − 10, W − 10].

    Source: Wang et al. 2004, equation 13.
    """
    luminance, contrast = _maps(x, y)
    return luminance * contrast


def ssim_values(x: Tensor, y: Tensor) -> Tensor:
    """Return the SSIM of each pair of images, the mean over places and channels, [B].

    The same as scikit-image's structural_similarity with gaussian_weights, sigma 1.5 and population covariance.

    Raises:
        InputError: a side is under 11 pixels.
    """
    pieces = zip(x.split(_piece(x)), y.split(_piece(x)), strict=True)
    return torch.cat([ssim_map(*piece).flatten(1).mean(1) for piece in pieces])


def ms_ssim_values(x: Tensor, y: Tensor) -> Tensor:
    """Return the multi-scale SSIM of each pair of images, [B].

    Per channel, with M scales: SSIM_M^w_M · Π_{j<M} CS_j^w_j, then the mean over channels. CS_j is the mean over
    places of contrast · structure, SSIM_M that of SSIM at the coarsest scale; each scale halves the one before by
    2 × 2 averages (an odd last row or column falls away). M is the largest number, 5 at most, that keeps the shorter
    side at 11 pixels or more: 5 from 176, 4 from 88, 3 from 44, 2 from 22, 1 from 11 (which is SSIM). The weights are
    the first M of the paper's five, scaled to sum 1. A factor under 1e-4 (negative structure) is held there, without
    gradient. Source: Wang et al. 2003, equation 7.

    Raises:
        InputError: a side is under 11 pixels.
    """
    scales = _scales(min(x.shape[-2:]))
    weights = [weight / sum(SCALE_WEIGHTS[:scales]) for weight in SCALE_WEIGHTS[:scales]]
    value = torch.ones_like(x[:, :, 0, 0])
    for scale, weight in enumerate(weights):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        luminance, contrast = _maps(x, y)
        factors = contrast if scale < scales - 1 else luminance * contrast
        value = value * factors.mean((2, 3)).clamp_min(LEAST_FACTOR) ** weight
    return value.mean(1)


def ssim(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return 1 − SSIM of x and its reconstruction, [B]."""
    return 1 - ssim_values(x, inference.reconstruction)


def ms_ssim(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return 1 − multi-scale SSIM of x and its reconstruction, [B]."""
    return 1 - ms_ssim_values(x, inference.reconstruction)


def _piece(x: Tensor) -> int:
    """Examples at a time: on CPUs as many as stay in its cache, which is faster than all at once."""
    return max(1, PIECE_VALUES // x[0].numel()) if x.device.type == "cpu" else len(x)


def _scales(side: int) -> int:
    return max(1, len([scale for scale in range(len(SCALE_WEIGHTS)) if side >> scale >= WINDOW]))


def _maps(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast · structure, of each place [B, C, H − 10, W − 10]."""
    height, width = x.shape[-2:]
    if min(height, width) < WINDOW:
        raise InputError(f"SSIM: images of {height} x {width} pixels; expected at least {WINDOW} x {WINDOW}")
    rows, columns = _band(height, x), _band(width, x).T.contiguous()
    # of s = x + y and d = x - y, since 2 (x² + y²) = s² + d² and 4 x y = s² - d², for the means as for the variances
    s, d = x + y, x - y
    mean_s, mean_d, square_s, square_d = (rows @ (values @ columns) for values in (s, d, s.square(), d.square()))
    power_s, power_d = mean_s.square(), mean_d.square()
    return _ratio(power_s, power_d, C1), _ratio(square_s - power_s, square_d - power_d, C2)


def _ratio(of_s: Tensor, of_d: Tensor, stabiliser: float) -> Tensor:
    return (of_s - of_d + 2 * stabiliser) / (of_s + of_d + 2 * stabiliser)


def _band(side: int, like: Tensor) -> Tensor:
    """Matrix [side − 10, side] whose rows are the window, each one place further.

    On CPUs products with it are faster than the convolution, although they multiply many zeros.
    """
    offsets = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    window = (-offsets.square() / (2 * SIGMA**2)).exp()
    band = like.new_zeros(side - WINDOW + 1, side)
    band.as_strided((side - WINDOW + 1, WINDOW), (side + 1, 1)).copy_(window / window.sum())
    return band
