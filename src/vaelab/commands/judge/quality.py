"""`vaelab quality`: how well a model reconstructs a few images, or all of a split.

N images, L latent dimensions.
"""

import math
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from vaelab.commands.judge.examples import Part, Source, joined, none_usable, to_batch, told_groups
from vaelab.commands.judge.inputs import fits, is_prepared, known_data, open_path, open_phase
from vaelab.commands.judge.target import Target, check_finite
from vaelab.data.format.batches import Batch, generator, spread_ids
from vaelab.errors import InputError
from vaelab.evaluation.image import statistics
from vaelab.evaluation.image.baselines import Baseline, blur
from vaelab.evaluation.latent import information, posterior
from vaelab.measures.image.batch import stored
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.models.vae import Decoded
from vaelab.objective.kl import kl_per_dimension
from vaelab.params.kinds import KINDS

Key = TypeVar("Key")
PHASE = "val"  # unless the user asks for another: test is for reported numbers


class Measured(NamedTuple):
    """Measures of some images and of what trivial methods make of them."""

    names: list[str]  # of the images
    group: Tensor  # int64 [N], index into the source's groups
    images: dict[str, Tensor]  # measures by name, each [N]; rate too
    baselines: dict[str, dict[str, float]]  # means of each measure, by trivial method
    mean: Tensor  # of the posteriors [N, L]
    log_var: Tensor  # [N, L]
    refused: list[str]  # "file: reason"


class Quality(NamedTuple):
    """All about the quality of a model's reconstructions."""

    title: str  # of the data
    groups: tuple[str, ...]
    original: Tensor  # of the images that are shown, uint8 [n, C, S, S]
    reconstruction: Tensor
    shown: Measured
    all: Measured  # the images that the metrics are of
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]


@torch.no_grad()
def quality(target: Target, source: Source, samples: int, whole: bool, seed: int) -> Quality:
    """Return the measures of `samples` images of the source, or with `whole` of all of them, with z = posterior mean.

    Args:
        target: a model of images.
        source: images that fit it.
        samples: images that are shown, at most; a random choice in their order.
        whole: whether the metrics are of all images, and not of the shown ones.
        seed: of the choice.

    Raises:
        InputError: no image can be used, or the model yields NaN.
    """
    model, told = target.file.model, told_groups(source.groups, target)
    baselines, chosen = _baselines(target), _chosen(source, samples, seed)
    batch = to_batch(chosen, told, target)
    decoded = Decoded(model(batch.x, group=batch.group).reconstruction)
    shown = all_images = _measured(target, told, [chosen], baselines)
    if whole:
        size = target.options.batch_size
        quiet = 0.5 if sys.stderr.isatty() else 20
        parts = tqdm(source.parts(size), "quality", -(-source.total // size), unit="batch", mininterval=quiet)
        all_images = _measured(target, told, parts, baselines)
    metrics = _metrics(target, all_images, source.groups)
    pictures = chosen.x, stored(decoded).cpu()
    return Quality(source.title, source.groups, *pictures, shown, all_images, metrics, all_images.baselines)


def open_images(target: Target, given: str | None, phase: str | None) -> Source:
    """Return the images that the user asks for, by default the validation split of the run's data set.

    Raises:
        InputError: they are not there or do not fit the model, or the model is not one of images.
    """
    info = target.file.info
    if not KINDS[info.kind].pictures:
        plural = KINDS[info.kind].plural
        raise InputError(f"{target.label}: `vaelab quality` is for images; this is a model of {plural}")
    name = given or target.data
    if is_prepared(name):
        source = open_phase(name, phase or PHASE, info)
        if not source.total:
            raise InputError(f"data set {name}: its split {phase or PHASE} is empty; choose another --phase")
        return source
    if given is None:
        advice = "give --data: the name of a prepared data set, a directory of images or a NumPy file"
        raise InputError(f"{target.label}: its data set {name} is not prepared; {advice}; {known_data()}")
    source = open_path(given, info)
    if phase is not None:
        raise InputError(f"--phase {phase}: {given} has no splits; only prepared data sets have")
    return source


def _chosen(source: Source, samples: int, seed: int) -> Part:
    """A random choice of the images that can be read."""
    rest = torch.randperm(source.total, generator=generator(seed, 0, stream=20)).tolist()
    parts, missing = [], samples
    while missing and rest:
        parts.append(source.read(sorted(rest[:missing])))
        rest, missing = rest[missing:], missing - len(parts[-1].names)
    part = joined(parts)
    if not part.names:
        raise none_usable(source.title, part.refused)
    return part


def _baselines(target: Target) -> dict[str, Baseline]:
    """Trivial reconstructions. The white page is for documents; on others any model beats it."""
    found: dict[str, Baseline] = {"blur": blur, "white_page": torch.ones_like}
    if is_prepared(target.data) and fits(target.data, target.file.info):
        mean = _mean_image(open_phase(target.data, "train", target.file.info), target.options.batch_size)
        found["mean_image"] = partial(_constant, mean)
    return found


def _mean_image(train: Source, size: int) -> Tensor:
    """Mean of the training images that the evaluation takes it of, float64 [C, S, S]."""
    chosen = spread_ids(train.total, train.read([0]).x[0].numel())
    total = torch.stack([train.read(part.tolist()).x.sum(0, dtype=torch.int64) for part in chosen.split(size)]).sum(0)
    return total.double() / (255 * len(chosen))


def _constant(image: Tensor, x: Tensor) -> Tensor:
    return image.to(x).expand_as(x)


def _measured(target: Target, told: Tensor, parts: Iterable[Part], baselines: Mapping[str, Baseline]) -> Measured:
    images, of_baselines, posteriors, seen = [], [], [], []
    for part in parts:
        seen.append(part._replace(x=part.x[:0], text=None))  # only the names are kept
        if part.names:
            batch = to_batch(part, told, target)
            inference = target.file.model(batch.x, group=batch.group)
            for values in (inference.mean, inference.log_var, inference.reconstruction):
                check_finite(target, values, part.names)
            rate = kl_per_dimension(inference.mean, inference.log_var).sum(1)
            images.append({**image_metrics(batch.x, inference.reconstruction, batch.text), "rate": rate})
            of_baselines.append(_of_baselines(batch, baselines))
            posteriors.append({"mean": inference.mean, "log_var": inference.log_var})
    everything, latent = joined(seen), _stacked(posteriors)
    means: dict[str, dict[str, float]] = {name: {} for name in baselines}
    for (name, measure_name), values in _stacked(of_baselines).items():
        means[name][measure_name] = float(values.double().nanmean())
    names, group, refused = everything.names, everything.group, list(everything.refused)
    return Measured(names, group, _stacked(images), means, latent["mean"], latent["log_var"], refused)


def _of_baselines(batch: Batch, baselines: Mapping[str, Baseline]) -> dict[tuple[str, str], Tensor]:
    found = {name: image_metrics(batch.x, baseline(batch.x), batch.text) for name, baseline in baselines.items()}
    return {(name, key): value for name, measures in found.items() for key, value in measures.items()}


def _stacked(parts: list[dict[Key, Tensor]]) -> dict[Key, Tensor]:
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _metrics(target: Target, found: Measured, groups: tuple[str, ...]) -> dict[str, float]:
    """Metrics by name, as the evaluation of a run has them."""
    options, mean, log_var = target.options, found.mean, found.log_var
    limit, seed = options.mutual_information_examples, options.seed
    measures = {name: values for name, values in found.images.items() if name != "rate"}
    values = statistics.over_examples(measures, found.group, groups)
    values |= information.latent_metrics(mean, log_var, options.active_variance, limit, seed)
    if len(found.group.unique()) < 2:
        values["psnr_group_gap"] = math.nan  # of one group alone: not measured, rather than perfect
    values |= posterior.closeness(posterior.table(mean, log_var, seed))
    return values | posterior.extremes(mean, log_var, options.extreme)
