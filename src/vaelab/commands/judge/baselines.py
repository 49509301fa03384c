"""The baselines that a model's reconstructions stand beside: those of its evaluation, fitted to its training data."""

from typing import NamedTuple

import torch

from vaelab import artifacts, storage
from vaelab.commands.judge.examples import Source
from vaelab.commands.judge.inputs import fits, is_prepared
from vaelab.commands.judge.target import Target
from vaelab.data.format.batches import load_split
from vaelab.data.format.prepared import split_files
from vaelab.evaluation.image.baselines import Baseline, blur, fit_baselines, left_out, patch_of, principal
from vaelab.metrics.nested import FLOORS
from vaelab.metrics.records import BASELINES


class Found(NamedTuple):
    """What the images are compared with."""

    methods: dict[str, Baseline]  # that are measured on them
    reached: dict[str, dict[str, float]]  # by those that the evaluation of the run measured on the same images
    missing: list[str]  # what cannot be had, and why


def baselines_of(target: Target, source: Source) -> Found:
    """Return the baselines of the run; without its training data those that need none, and what its evaluation knows.

    The white page is for documents; on others any model beats it.
    """
    plain: dict[str, Baseline] = {"blur": blur, "white_page": torch.ones_like}
    if _trained_on(target.data, target):
        return _fitted(target, plain)
    reached = _evaluated(target, source)
    if reached:
        return Found(plain, {name: values for name, values in reached.items() if name not in plain}, [])
    fitted = ["mean_image", "pca", *(["patch_pca"] if _patch(target) else [])]
    titles = ", ".join(BASELINES["image"][name] for name in fitted)
    return Found(
        plain,
        {},
        [f"Not compared with {titles}: the training data of {target.label} (data set {target.data}) are not there"],
    )


def _patch(target: Target) -> int | None:
    return patch_of(target.file.run.model, target.file.model.latent_dim, target.file.info.shape[-1])


def _trained_on(name: str, target: Target) -> bool:
    if not (is_prepared(name) and fits(name, target.file.info)):
        return False
    files = split_files(artifacts.prepared(name), "train")
    return bool(files) and all(file.is_file() for file in files)


def _fitted(target: Target, plain: dict[str, Baseline]) -> Found:
    info = target.file.info
    train = load_split(artifacts.prepared(target.data), "train", info, torch.device("cpu"), with_text=True)
    cell = _patch(target)
    latents, seed = target.file.model.latent_dim, target.options.seed
    some = train.spread()
    flip = target.file.run.train.flip
    found = fit_baselines(some, principal(some, latents, seed, flip), latents, cell, train.text is not None, seed, flip)
    lossless = left_out(found, latents, cell, len(some))
    return Found({**plain, **found}, {}, [lossless] if lossless else [])


def _evaluated(target: Target, source: Source) -> dict[str, dict[str, float]]:
    """What the baselines reached when the run was evaluated, where that was on the same images."""
    path = artifacts.evaluation(target.file.run.name)
    if source.prepared is None or source.prepared[0] != target.file.run.data or not path.is_file():
        return {}
    found: dict[str, dict[str, float]] = storage.read_json(path).get(source.prepared[1], {}).get(FLOORS, {})
    return found
