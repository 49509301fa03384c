"""Scores of vaelab.evaluation.scores that are computed otherwise there, in operations that a graph can hold.

B batch, C S S image, f features, h cells of a map to a side.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.evaluation.scores.maps import OF_RECONSTRUCTION, STEP, WINDOW, spread
from vaelab.evaluation.scores.strips import NORMAL_MAD
from vaelab.objective import ssim


def frequency(x: Tensor, y: Tensor) -> Tensor:
    """Return `vaelab.evaluation.scores.maps.frequency` of images, its Fourier transforms as convolutions [B, h, h]."""
    of_x, of_y = (_spectrum(image) for image in (x, y))
    return spread((of_x - of_y).square().mean(1), x.shape[-1] // STEP)


def _spectrum(x: Tensor) -> Tensor:
    """Log amplitudes of each window of the mean over channels, [B, frequencies, h, h]."""
    basis = np.fft.rfft2(np.eye(WINDOW**2).reshape(-1, WINDOW, WINDOW), norm="ortho").reshape(WINDOW**2, -1).T
    gray = x.mean(1, keepdim=True)
    real, imaginary = (
        F.conv2d(gray, x.new_tensor(part).view(-1, 1, WINDOW, WINDOW), stride=STEP)
        for part in (basis.real.copy(), basis.imag.copy())
    )
    return ((real.square() + imaginary.square()).sqrt() + 1e-2).log()


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """Return `vaelab.evaluation.scores.maps.dissimilarity` of images, its windows as convolutions [B, h, h]."""
    s, d = x + y, x - y
    mean_s, mean_d, square_s, square_d = (_smoothed(values) for values in (s, d, s.square(), d.square()))
    power_s, power_d = mean_s.square(), mean_d.square()
    variance_s, variance_d = square_s - power_s, square_d - power_d
    luminance = (power_s - power_d + 2 * ssim.C1) / (power_s + power_d + 2 * ssim.C1)
    contrast = (variance_s - variance_d + 2 * ssim.C2) / (variance_s + variance_d + 2 * ssim.C2)
    found = (luminance * contrast).mean(1)[:, ::STEP, ::STEP]
    return spread(1 - found, x.shape[-1] // STEP).clamp_min(0)


def _smoothed(values: Tensor) -> Tensor:
    """Gaussian means of the windows that fit, of each channel."""
    window = np.exp(-np.square(np.arange(ssim.WINDOW) - ssim.WINDOW // 2) / (2 * ssim.SIGMA**2))
    kernel = values.new_tensor(window / window.sum())
    channels = values.shape[1]
    for shape in ((1, 1, -1, 1), (1, 1, 1, -1)):
        values = F.conv2d(values, kernel.view(shape).expand(channels, -1, -1, -1), groups=channels)
    return values


def standardised(means: Tensor, stride: int) -> Tensor:
    """Return the sum of the squared standardised features of each place [B, h, h]; the batch is a strip.

    Args:
        means: posterior means [B, f, h, h].
        stride: places from one cell to the next: these are what median and deviation are of.
    """
    rows = means[..., ::stride, ::stride].transpose(0, 1).flatten(1)  # [f, n]
    median = median_of(rows)
    apart = (rows - median).abs()
    deviation = median_of(apart) / NORMAL_MAD
    deviation = torch.where(deviation > 0, deviation, rows.var(1, correction=0, keepdim=True).sqrt())
    scale = torch.where(deviation > 0, 1 / deviation, torch.zeros_like(deviation))
    return ((means - median[..., None]) * scale[..., None]).square().sum(1)


def median_of(rows: Tensor) -> Tensor:
    """Return the median of each row [n, m], between the two in the middle, [n, 1]."""
    return (rows.median(1, keepdim=True).values - (-rows).median(1, keepdim=True).values) / 2


IN_A_GRAPH = OF_RECONSTRUCTION | {"frequency": frequency, "ssim": dissimilarity}
