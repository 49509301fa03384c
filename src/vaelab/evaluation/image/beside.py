"""What stands beside the reconstructions of images: other methods, and the decoder without its z. N images."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit, at_once
from vaelab.data.format.info import DataInfo
from vaelab.evaluation.groups import group_floors
from vaelab.evaluation.image import detail
from vaelab.evaluation.image.baselines import CONSTANT, OF_ITS_SIZE, Baseline
from vaelab.evaluation.inputs import EvaluationInputs, shown
from vaelab.measures.columns import Columns
from vaelab.measures.gaussian import best_gaussian
from vaelab.measures.image.batch import stored
from vaelab.measures.image.reconstruction import errors, image_metrics
from vaelab.measures.sampling import decode
from vaelab.metrics.nested import FLOORS, GROUP_FLOORS
from vaelab.models.vae import Decoded

PART = 256  # images that are reconstructed at once


@torch.no_grad()
def ablations(inputs: EvaluationInputs, split: DeviceSplit, mean: Tensor) -> dict[str, dict[str, float]]:
    """Return PSNR and distortion when the decoder gets another example's z, and when it gets z = 0."""
    values = {}
    for name, latents in inputs.ablated(mean, split.group).items():
        columns, total = Columns(len(split)), 0.0
        alike = name == "zero" and not inputs.model.bypass and not inputs.model.conditional
        y = mean.new_empty(0)
        for batch, z in _batches(split, latents, inputs.options.batch_size):
            if not (alike and y.shape == batch.x.shape):  # z = 0 alone decodes to the same in each batch of one size
                y = decode(inputs.model, split, batch, z).reconstruction
            found = errors(batch.x, y)
            total += float(found["psnr"].sum())
            columns.add(found)
        values[f"{name}_z"] = {"psnr": total / len(split), "distortion": nats(columns.all()["mse"], inputs.info)}
    return values


def nats(mse: Tensor, info: DataInfo) -> float:
    """Return the mean −log N(x; x̂, σ²), nats per image, from the mean squared error of each [N] under their best σ."""
    errors_of = {"squared_error": mse}
    return float(best_gaussian(errors_of, info)(errors_of).mean())


def floors(
    inputs: EvaluationInputs, split: DeviceSplit, methods: Mapping[str, Baseline], whole: bool
) -> dict[str, Any]:
    """Return the measures of what baselines make of a split, their nats, and their PSNR by group.

    Args:
        inputs: of the evaluation.
        split: N images.
        methods: the baselines.
        whole: all measures; otherwise errors alone, which cost next to nothing.
    """
    columns = {name: _columns(split, method, inputs.options.batch_size, whole) for name, method in methods.items()}
    reached = {name: means(values) for name, values in columns.items()}
    for name, values in columns.items():  # what PCA knows of an image costs no rate: its nats are no bound
        in_nats = "distortion" if name in CONSTANT else "distortion_at_mean"
        reached[name][in_nats] = nats(values["mse"], inputs.info)
    return {FLOORS: reached, GROUP_FLOORS: group_floors(columns, "psnr", split.group.cpu(), inputs.info.groups)}


def measured(split: DeviceSplit, method: Baseline, batch_size: int) -> dict[str, float]:
    """Return the means of all measures of what a method makes of a split."""
    return means(_columns(split, method, batch_size, whole=True))


def explained(
    x: Tensor, y: Tensor, methods: Mapping[str, Baseline], reached: dict[str, dict[str, float]]
) -> dict[str, float]:
    """Return how fine a detail reconstructions keep, and the data have; of PCA it is added to what it `reached`.

    Args:
        x: originals, uint8 [n, C, H, W].
        y: their reconstructions.
        methods: the baselines, mean_image among them.
        reached: their measures.
    """
    variance = detail.error_power(x, methods["mean_image"](x[:1].float() / 255))
    if "pca" in methods:
        of_pca = detail.error_power(x, methods["pca"])
        reached["pca"]["resolved_cycles"] = detail.resolved_cycles(of_pca, variance)
    resolved = detail.resolved_cycles(detail.error_power(x, y), variance)
    return {"resolved_cycles": resolved, "data_cycles": detail.data_cycles(variance)}


def reconstructed(x: Tensor, methods: Mapping[str, Baseline]) -> dict[str, Tensor]:
    """Return what PCA of the model's size makes of images, uint8 [n, C, H, W], and the PSNR of each [n], by `shown`."""
    arrays: dict[str, Tensor] = {}
    for name in (name for name in OF_ITS_SIZE if name in methods):
        outputs, psnr = list[Tensor](), list[Tensor]()
        for part in x.split(at_once(x.shape[1:], PART)):
            unit = part.float() / 255
            y = methods[name](unit)
            outputs.append(stored(Decoded(y)))
            psnr.append(errors(unit, y)["psnr"])
        arrays |= shown(name, torch.cat(outputs), torch.cat(psnr))
    return arrays


def means(columns: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the mean of each measure over the images that have it."""
    return {name: float(values.double().nanmean()) for name, values in columns.items()}


def _columns(split: DeviceSplit, method: Baseline, batch_size: int, whole: bool) -> dict[str, Tensor]:
    found = Columns(len(split))
    for batch in split.in_order(batch_size):
        y = method(batch.x)
        found.add(image_metrics(batch.x, y, batch.text) if whole else errors(batch.x, y))
    return found.all()


def _batches(split: DeviceSplit, latents: Tensor, size: int) -> Iterator[tuple[Batch, Tensor]]:
    return zip(split.in_order(size), latents.to(split.device).split(size), strict=True)
