"""What a model decodes from chosen latents: samples of the prior, traversals, interpolations."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts, storage
from vaelab.data.format.batches import at_once, generator
from vaelab.data.format.info import DataInfo, final_phase
from vaelab.evaluation.image.baselines import blur
from vaelab.evaluation.latent.decode import decode
from vaelab.measures.image.sharpness import radial_spectrum
from vaelab.models.files import load_model
from vaelab.models.vae import VAE
from vaelab.objective.kl import kl_per_dimension
from vaelab.params.blocks import Visualize
from vaelab.params.schema import Run

INTERPOLATIONS = 4
PART = 256  # images whose spectra are computed at once


def prior_grids(model: VAE, info: DataInfo, count: int, seed: int) -> np.ndarray:
    """Return examples [count, ...] decoded from z ~ N(0, I)."""
    return decode(model, torch.randn((count, model.latent_dim), generator=generator(seed, 0, stream=6)), info)


class Traversal(NamedTuple):
    """One latent moved at a time, the others at the posterior mean of one example."""

    examples: np.ndarray  # [dimensions, values, ...]
    dimensions: list[int]  # those with the largest KL, largest first
    values: list[float]
    start: int  # the example: the one with the largest KL


def traverse(model: VAE, info: DataInfo, mean: Tensor, log_var: Tensor, options: Visualize) -> Traversal:
    """Return the traversal of the dimensions with the largest KL over these posteriors, each [N, L].

    A conditional model is told the first group throughout.
    """
    kl = kl_per_dimension(mean, log_var)
    start = int(kl.sum(1).argmax())
    dimensions = kl.mean(0).topk(min(options.traversal_dimensions, kl.shape[1])).indices.tolist()
    values = torch.linspace(-options.traversal_range, options.traversal_range, options.traversal_steps)
    z = mean[start].repeat(len(dimensions), len(values), 1)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = values
    examples = decode(model, z.flatten(0, 1), info, group=0)
    return Traversal(
        examples.reshape(len(dimensions), len(values), *examples.shape[1:]), dimensions, values.tolist(), start
    )


def interpolate(
    model: VAE, info: DataInfo, mean: Tensor, rows: int, options: Visualize
) -> tuple[np.ndarray, np.ndarray]:
    """Return examples along straight lines between random pairs of posterior means [N, L], and the pairs' ids.

    Examples [rows, steps, ...], pairs [rows, 2]. A conditional model is told the first group throughout.
    """
    pairs = torch.randperm(len(mean), generator=generator(options.seed, 0, stream=10))[: 2 * rows]
    pairs = pairs[: len(pairs) // 2 * 2].view(-1, 2)
    share = torch.linspace(0, 1, options.traversal_steps).view(1, -1, 1)
    z = (1 - share) * mean[pairs[:, 0]].unsqueeze(1) + share * mean[pairs[:, 1]].unsqueeze(1)
    examples = decode(model, z.flatten(0, 1), info, group=0)
    return examples.reshape(len(pairs), options.traversal_steps, *examples.shape[1:]), pairs.numpy()


def spectra(arrays: Mapping[str, np.ndarray], phase: str) -> dict[str, np.ndarray]:
    """Return radial power spectra, dB, of the saved images and reconstructions [n, R], and of blurred images [R]."""
    images = arrays[f"{phase}_x"], arrays[f"{phase}_reconstruction"]
    x, y = (torch.from_numpy(of_all).split(at_once(of_all.shape[1:], PART)) for of_all in images)
    original, reconstruction, blurred = (
        torch.cat([radial_spectrum(made(part.float() / 255)) for part in parts])
        for parts, made in ((x, Tensor.contiguous), (y, Tensor.contiguous), (x, blur))
    )
    return {
        "original": original.numpy(),
        "reconstruction": reconstruction.numpy(),
        "original, blurred (σ=2)": blurred.mean(0).numpy(),
    }


Spectra = Callable[[Mapping[str, np.ndarray], str], dict[str, np.ndarray]]
SPECTRA: dict[str, Spectra] = {"image": spectra}  # of the kinds of data that have spatial frequencies


class Decoded(NamedTuple):
    """What the model of a run decodes for its pictures."""

    info: DataInfo
    phase: str  # the one that is reported
    samples: np.ndarray  # [n, ...]
    prior: str  # of which the samples are: normal or mixture
    traversal: Traversal
    interpolations: tuple[np.ndarray, np.ndarray]  # examples [rows, steps, ...], pairs of ids [rows, 2]
    spectra: dict[str, np.ndarray]  # of kinds in SPECTRA: original and reconstruction [n, R], baselines [R], dB


def decode_run(run: Run) -> Decoded:
    """Return what the pictures of a finished run show beside what its evaluation saved."""
    options = run.visualize
    model, _, info, _ = load_model(artifacts.models(run.name) / "model.safetensors")
    arrays, _ = storage.read_tensors(artifacts.scores(run.name) / "arrays.safetensors")
    phase = final_phase(storage.read_json(artifacts.evaluation(run.name)))
    means, log_vars = (torch.from_numpy(arrays[f"{phase}_{name}"]) for name in ("mean", "log_var"))
    ids = arrays.get(f"{phase}_rows", np.arange(len(means)))  # of a large phase not all examples are measured
    samples, prior = arrays.get("samples"), run.evaluate.prior
    if samples is None:
        samples, prior = prior_grids(model, info, options.prior_samples, options.seed), "normal"
    moved, (between, pairs) = (
        traverse(model, info, means, log_vars, options),
        interpolate(model, info, means, INTERPOLATIONS, options),
    )
    return Decoded(
        info, phase, samples[: options.prior_samples], prior,
        moved._replace(start=int(ids[moved.start])), (between, ids[pairs]),
        SPECTRA[info.kind](arrays, phase) if info.kind in SPECTRA and run.model.features == "none" else {},
    )  # fmt: skip
