"""Anomaly scores of images, place by place: maps that are larger where an image is less normal. Never negative.

Scores of the reconstruction are means over windows of WINDOW pixels, STEP pixels apart; scores of a latent map lie on
its cells. A local model is asked at every STEP pixels, by shifting the image under its cells, so that its maps are as
dense. All maps are spread evenly over the image; at its border, where no window fits, the nearest value stands.
Definitions: docs/metrics/defects.md.

B batch, C S S image, h cells of a map to a side, c channels of a latent map.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.models.image.features import BORDER
from vaelab.models.image.local import LocalEncoder
from vaelab.models.vae import VAE, Inference
from vaelab.objective.kl import kl_per_dimension
from vaelab.objective.ssim import ssim_map

WINDOW, STEP = 8, 2  # pixels
GMS_CONSTANT = 0.0026  # of gradient-magnitude similarity, for values in [0, 1] (Xue et al. 2014)
GMS_SCALES = 3

Maps = dict[str, Tensor]  # by score, float [B, h, h]


def squared(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared error of each window."""
    return windows((x - y).square())


def absolute(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean absolute error of each window."""
    return windows((x - y).abs())


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 − SSIM, from 0 to 2, at each second place whose Gaussian window fits (Bergmann et al. 2018)."""
    return spread(1 - ssim_map(x, y).mean(1)[:, ::STEP, ::STEP], x.shape[-1] // STEP).clamp_min(0)


def gradient(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared difference of the gradients' magnitudes (Sobel) of each window."""
    return windows((_magnitude(x) - _magnitude(y)).square())


def multiscale(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 − gradient-magnitude similarity, the mean of three scales, each half the one before.

    Source: Zavrtanik et al. 2020 (RIAD), equation 4, with the constant of Xue et al. 2014.
    """
    side, total = x.shape[-1], torch.zeros_like(x[:, :1])
    for scale in range(GMS_SCALES):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        of_x, of_y = _magnitude(x), _magnitude(y)
        similarity = (2 * of_x * of_y + GMS_CONSTANT) / (of_x.square() + of_y.square() + GMS_CONSTANT)
        total = total + F.interpolate((1 - similarity).mean(1, keepdim=True), side, mode="bilinear")
    return windows(total / GMS_SCALES)


def frequency(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared difference of the log amplitudes of each window's two-dimensional Fourier transform."""
    of_x, of_y = (_spectrum(image) for image in (x, y))
    return spread((of_x - of_y).square().mean(3), x.shape[-1] // STEP)


OF_RECONSTRUCTION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "residual": squared,
    "absolute": absolute,
    "ssim": dissimilarity,
    "gradient": gradient,
    "multiscale": multiscale,
    "frequency": frequency,
}


def windows(values: Tensor) -> Tensor:
    """Return the means [B, S / STEP, S / STEP] over windows of values [B, C, S, S] and over channels."""
    side = min(WINDOW, values.shape[-1])
    return spread(F.avg_pool2d(values.mean(1, keepdim=True), side, STEP)[:, 0], values.shape[-1] // STEP)


def spread(maps: Tensor, side: int) -> Tensor:
    """Return maps [B, h, h] with their border repeated until there are `side` cells to a side."""
    before = (side - maps.shape[-1]) // 2
    after = side - maps.shape[-1] - before
    return F.pad(maps[:, None], (before, after, before, after), mode="replicate")[:, 0]


def latent_cells(inference: Inference, channels: int) -> tuple[Tensor, Tensor]:
    """Return posterior means [B, c, s, s] and KL in nats [B, s, s] of each cell; a vector latent is one cell."""
    side = round((inference.mean.shape[1] / channels) ** 0.5)
    mean = inference.mean.unflatten(1, (channels, side, side))
    kl = kl_per_dimension(inference.mean, inference.log_var).unflatten(1, (channels, side, side)).sum(1)
    return mean, kl


def dense(model: VAE, x: Tensor, group: Tensor) -> dict[str, Tensor]:
    """Return what a local model says at every STEP pixels: residual, absolute, kl [B, h, h] and mean [B, c, h, h]."""
    encoder = model.encoder
    assert isinstance(encoder, LocalEncoder)
    cell, size = encoder.cell, x.shape[-1]
    step = min(STEP, cell)
    side, stride = (size - cell) // step + 1, cell // step
    found: dict[str, Tensor] = {}
    for top in range(stride):
        for left in range(stride):
            here = x[..., top * step :, left * step :]
            here = here[..., : here.shape[-2] // cell * cell, : here.shape[-1] // cell * cell]
            for name, values in _of_cells(model, here, group, cell).items():
                if name not in found:
                    found[name] = values.new_zeros((*values.shape[:-2], side, side))
                found[name][..., top::stride, left::stride] = values
    return found


def _of_cells(model: VAE, x: Tensor, group: Tensor, cell: int) -> dict[str, Tensor]:
    """Of images [B, C, H, W] in whole cells; where they are not square, cells are added and cut off again."""
    rows, columns = x.shape[-2] // cell, x.shape[-1] // cell
    side = max(rows, columns)
    x = F.pad(x, (0, (side - columns) * cell, 0, (side - rows) * cell))
    inference = model(x, group=group)
    error = (x - inference.reconstruction) / _sigma(inference)
    mean, kl = latent_cells(inference, inference.mean.shape[1] // side**2)
    found = {name: F.avg_pool2d(values.mean(1, keepdim=True), cell)[:, 0]
             for name, values in (("residual", error.square()), ("absolute", error.abs()))}  # fmt: skip
    return {name: values[..., :rows, :columns] for name, values in {**found, "kl": kl, "mean": mean}.items()}


def _sigma(inference: Inference) -> Tensor | float:
    """What errors are measured in: of feature maps the σ of each channel, [B, C, 1, 1] or [C, 1, 1]."""
    sigma = inference.log_sigma
    return 1.0 if sigma is None or sigma.ndim < 3 or sigma.shape[-3] == 1 else sigma.exp()


def framed(maps: Tensor) -> Tensor:
    """Return maps [B, h, h] of features with the places around them that were left out: each gets its map's median."""
    side = maps.shape[-1]
    median = maps.flatten(1).median(1).values[:, None, None]
    found = median.expand(-1, side + 2 * BORDER, side + 2 * BORDER).clone()
    found[:, BORDER:-BORDER, BORDER:-BORDER] = maps
    return found


def _magnitude(x: Tensor) -> Tensor:
    """Length of the Sobel gradient of the mean over channels, per pixel, [B, 1, S, S]."""
    gray = F.pad(x.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    kernel = gray.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    across, down = F.conv2d(gray, kernel[None, None]), F.conv2d(gray, kernel.T[None, None])
    return (across.square() + down.square() + 1e-12).sqrt()


def _spectrum(x: Tensor) -> Tensor:
    """Log amplitudes of each window of the mean over channels, [B, h, h, frequencies]."""
    parts = x.mean(1).unfold(1, WINDOW, STEP).unfold(2, WINDOW, STEP)  # [B, h, h, WINDOW, WINDOW]
    amplitude = torch.fft.rfft2(parts, norm="ortho").abs()
    logs: Tensor = (amplitude + 1e-2).log()
    return logs.flatten(3)
