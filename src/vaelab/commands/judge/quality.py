"""`vaelab quality`: how well a model reconstructs all images of a source, of which some are shown.

N images, L latent dimensions.
"""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from vaelab.commands.judge.baselines import Found, baselines_of
from vaelab.commands.judge.examples import Part, Place, Source, joined, none_usable, to_batch, told_groups
from vaelab.commands.judge.inputs import PHASE, is_prepared, known_data, open_path, open_phase
from vaelab.commands.judge.shown import Shown, chosen_images, reconstructed
from vaelab.commands.judge.target import Target, check_finite
from vaelab.data.format.batches import Batch
from vaelab.errors import InputError
from vaelab.evaluation.image import statistics
from vaelab.evaluation.image.baselines import Baseline
from vaelab.evaluation.latent import information, posterior
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.objective.kl import kl_per_dimension
from vaelab.params.kinds import KINDS

Key = TypeVar("Key")


class Measured(NamedTuple):
    """Measures of some images and of what trivial methods make of them."""

    names: list[str]  # of the images
    group: Tensor  # int64 [N], index into the source's groups
    images: dict[str, Tensor]  # measures by name, each [N]; rate too
    baselines: dict[str, dict[str, float]]  # means of each measure, by trivial method
    mean: Tensor  # of the posteriors [N, L]
    log_var: Tensor  # [N, L]
    refused: list[str]  # "file: reason"
    places: tuple[Place, ...]  # of tiles; else empty


class Quality(NamedTuple):
    """All about the quality of a model's reconstructions."""

    title: str  # of the data
    groups: tuple[str, ...]
    shown: Shown  # some of the images, or pages
    all: Measured  # the images that the metrics are of: all
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    missing: list[str]  # baselines that cannot be had, and why

    @property
    def counted(self) -> str:
        """How many images were measured, in words."""
        number = len(self.all.names)
        what = "tile" if self.all.places else "image"
        pages = f" in {len({place.page for place in self.all.places})} pages" if self.all.places else ""
        return f"{number} {what}{'' if number == 1 else 's'}{pages} of {self.title}"


@torch.no_grad()
def quality(
    target: Target,
    source: Source,
    samples: int,
    seed: int,
    fitted: Callable[[Target, Source], Found] = baselines_of,
) -> Quality:
    """Return the measures of all images of the source with z = posterior mean, and some of the images.

    Args:
        target: a model of images.
        source: images that fit it.
        samples: images that are shown, at most, of tiles whole pages; a random choice in their order.
        seed: of the choice.
        fitted: gives the baselines, once some images are known to be readable.

    Raises:
        InputError: no image can be used, or the model yields NaN.
    """
    told, size = told_groups(source.groups, target), target.options.batch_size
    chosen = chosen_images(source, samples, seed)  # before the baselines, which take long to fit
    found = fitted(target, source)
    quiet = 0.5 if sys.stderr.isatty() else 20
    with tqdm(total=source.total, desc="quality", unit="file" if source.at_once else "image", mininterval=quiet) as bar:
        everything = _measured(target, told, source.title, source.parts(size, bar.update), found.methods)
    metrics = _metrics(target, everything, source.groups)
    shown = reconstructed(target, told, chosen, size)
    baselines = {**found.reached, **everything.baselines}
    return Quality(source.title, source.groups, shown, everything, metrics, baselines, found.missing)


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


def _measured(
    target: Target, told: Tensor, title: str, parts: Iterable[Part], baselines: Mapping[str, Baseline]
) -> Measured:
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
    everything = joined(seen)
    if not everything.names:
        raise none_usable(title, everything.refused)
    latent = _stacked(posteriors)
    means: dict[str, dict[str, float]] = {name: {} for name in baselines}
    for (name, measure_name), values in _stacked(of_baselines).items():
        means[name][measure_name] = float(values.double().nanmean())
    names, group, refused = everything.names, everything.group, list(everything.refused)
    return Measured(
        names, group, _stacked(images), means, latent["mean"], latent["log_var"], refused, everything.places
    )


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
