"""What is particular about images: how a batch is measured and what a decoded image looks like when it is stored.

B batch, C channels, S side.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.image.reconstruction import errors as of_values
from vaelab.measures.image.reconstruction import image_metrics, is_picture
from vaelab.measures.image.sharpness import sharpness_ratio
from vaelab.measures.tally import Measured
from vaelab.models.vae import Decoded, Inference
from vaelab.objective.ssim import ms_ssim_values, ssim_values
from vaelab.params.schema import Run


def evaluation_metrics(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
    """Return all measures of each image [B]."""
    return Measured({}, image_metrics(batch.x, inference.reconstruction, batch.text))


def val_metrics(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
    """Return the measures of each image [B] that are worth their time after every epoch."""
    x, y = batch.x, inference.reconstruction
    similarities = {"ssim": ssim_values, "ms_ssim": ms_ssim_values, "sharpness_ratio": sharpness_ratio}
    unknown = x.new_full((len(x),), torch.nan)
    found = {name: measure(x, y) if is_picture(x) else unknown for name, measure in similarities.items()}
    return Measured({}, {**of_values(x, y), **found})


def errors(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> dict[str, Tensor]:
    """Return the mean squared and absolute error of each image [B]: what likelihoods with a best scale are made of."""
    found = of_values(batch.x, inference.reconstruction)
    return {"squared_error": found["mse"], "absolute_error": found["mae"]}


def train_metrics(batch: Batch, inference: Inference, info: DataInfo) -> Measured:
    """Return the errors of a training batch [B]: what costs next to nothing."""
    return Measured({}, of_values(batch.x, inference.reconstruction))


def epoch_metrics(totals: dict[str, Tensor], means: dict[str, float], info: DataInfo) -> dict[str, float]:
    """Return the metrics of an epoch: means over images."""
    return means


def stored(decoded: Decoded) -> Tensor:
    """Return images as they are stored, uint8 [B, C, S, S]."""
    return (decoded.reconstruction.clamp(0, 1) * 255).round().to(torch.uint8).contiguous()
