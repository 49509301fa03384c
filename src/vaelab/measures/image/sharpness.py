"""Is a reconstruction as sharp as its original: edges, Laplacian, spectrum. Definitions: docs/metrics/image.md.

B batch, C H W image. x is the original, y the reconstruction, float [B, C, H, W] in [0, 1]; of RGB the luma counts.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.objective.edge_losses import sobel
from vaelab.objective.ink import luma

EDGE = 0.0999  # Sobel magnitude above which a pixel is an edge: steps of a tenth; no gradient of 8 bits lies on it
FLAT = 1 / 255**2  # variance of the Laplacian under which an image is flat: less than rounding to 8 bits adds
RADIAL_FLOOR = 1e-6  # power that is added before the logarithm, about that of rounding to 8 bits: −60 dB
BANDS = ("low", "mid", "high")


def edges(x: Tensor) -> Tensor:
    """Return which pixels are edges, bool [B, H, W]: the Sobel magnitude of the luma exceeds EDGE."""
    return sobel(luma(x)).square().sum(2)[:, 0] > EDGE**2


def edge_f1(of_x: Tensor, of_y: Tensor, where: Tensor | None = None) -> Tensor:
    """Return the F1 of two edge maps with a tolerance of one pixel, share [B].

    Precision is the share of y's edge pixels with an edge of x in their 3 × 3 neighbourhood, recall the same the other
    way round, F1 = 2PR / (P + R). 1 where neither map has an edge, 0 where only one has.

    Args:
        of_x: edges of the original, bool [B, H, W].
        of_y: edges of the reconstruction, bool [B, H, W].
        where: bool [B, H, W], the pixels whose edges count; their matches may lie outside.
    """
    counted = torch.ones_like(of_x) if where is None else where
    total_x, total_y = (of_x & counted).flatten(1).sum(1), (of_y & counted).flatten(1).sum(1)
    recall = (of_x & _widened(of_y) & counted).flatten(1).sum(1) / total_x.clamp_min(1)
    precision = (of_y & _widened(of_x) & counted).flatten(1).sum(1) / total_y.clamp_min(1)
    f1 = 2 * precision * recall / (precision + recall).clamp_min(1e-12)
    return torch.where((total_x == 0) & (total_y == 0), 1.0, f1)


def sharpness_ratio(x: Tensor, y: Tensor) -> Tensor:
    """Return the variance of y's Laplacian over that of x's, [B]: under 1 blurred, over 1 noisy; NaN where x is flat.

    Noise can make up for blur here; `spectrum_errors` tells the two apart.
    """
    of_x, of_y = laplacian_variance(x), laplacian_variance(y)
    return (of_y / of_x).masked_fill(of_x < FLAT, math.nan)


def laplacian_variance(x: Tensor) -> Tensor:
    """Return the variance of the Laplacian (four neighbours − 4 · centre) over the pixels inside the border, [B]."""
    x = luma(x)[:, 0]
    centre = x[:, 1:-1, 1:-1]
    laplacian = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * centre
    return laplacian.flatten(1).var(1, correction=0)


def spectrum_errors(x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Return the mean absolute difference of the radial spectra, dB [B]: of all frequencies, and of each third."""
    error = (radial_spectrum(x) - radial_spectrum(y)).abs()
    thirds = torch.tensor_split(error, len(BANDS), dim=1)
    bands = {f"spectrum_error_{band}": third.mean(1) for band, third in zip(BANDS, thirds, strict=True)}
    return {"spectrum_error": error.mean(1), **bands}


def radial_spectrum(x: Tensor) -> Tensor:
    """Return the power of the luma by frequency, dB [B, R]; column r − 1 is r cycles per image, up to R = side // 2.

    10 log₁₀(RADIAL_FLOOR + mean |F|² over the frequencies of radius r, rounded; side is the shorter one). F is the
    orthonormal 2D Fourier transform of the luma minus its mean under a Hann window of mean square 1, so that white
    noise of variance v has power v at every radius. Brightness (r = 0) and the corners (r > R) are left out.
    """
    return radial_power(luma(x)[:, 0]).add(RADIAL_FLOOR).log10().mul(10)


def radial_power(x: Tensor) -> Tensor:
    """Return mean |F|² of planes [B, H, W] over the frequencies of each radius, [B, R], as `radial_spectrum` says."""
    height, width = x.shape[1:]
    window = _hann(height, x)[:, None] * _hann(width, x)
    centred = x - x.mean((1, 2), keepdim=True)
    transformed: Tensor = torch.fft.fft2(centred * window, norm="ortho")
    power = (transformed.real.square() + transformed.imag.square()).flatten(1)  # [B, H·W]
    side = min(height, width)
    rows, columns = (torch.fft.fftfreq(n, device=x.device) * side for n in (height, width))
    radius = (rows[:, None].square() + columns.square()).sqrt().round().long().flatten()
    sums = power.new_zeros(len(x), int(math.hypot(side, side)) + 2).index_add_(1, radius, power)
    counts = torch.zeros_like(sums[0]).index_add_(0, radius, torch.ones_like(power[0]))
    inside = slice(1, side // 2 + 1)
    return sums[:, inside] / counts[inside]


def _hann(side: int, like: Tensor) -> Tensor:
    window = torch.hann_window(side, periodic=True, dtype=like.dtype, device=like.device)
    return window / window.square().mean().sqrt()


def _widened(edge: Tensor) -> Tensor:
    return F.max_pool2d(edge[:, None].float(), 3, stride=1, padding=1)[:, 0] > 0
