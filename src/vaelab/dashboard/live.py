"""What a run's model makes of examples now: torch and the model are loaded when the first page asks for them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vaelab import artifacts
from vaelab.commands.judge.target import Target
from vaelab.dashboard import project
from vaelab.dashboard.examples import Pair
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.data.format.batches import Batch, DeviceSplit, load_split
from vaelab.data.format.prepared import split_files
from vaelab.errors import InputError
from vaelab.evaluation.latent.decode import decode as decoded
from vaelab.evaluation.latent.prior import sample_prior
from vaelab.measures.kinds import MEASURES
from vaelab.models.files import ModelFile, load_model
from vaelab.models.vae import Decoded, Inference
from vaelab.objective.kl import kl_per_dimension


def model(run: str, path: Path | None = None) -> ModelFile:
    """Return the model of a run, or the one of its weights in another file, as checkpoints are.

    Raises:
        InputError: there is none, or it sees features of a network.
    """
    path = path or artifacts.models(run) / "model.safetensors"
    if not path.is_file():
        raise InputError(f"{path}: no such file; `dvc repro train@{run}` makes it")
    if project.run(run).model.features != "none":
        raise InputError(f"{run}: its model sees features of a network (model.features), which the dashboard has not")
    return _model(stamp(path))


@st.cache_resource(max_entries=6, show_spinner="Loading the model ...")
def _model(file: Stamp) -> ModelFile:
    return load_model(Path(file[0]), "cpu")


@st.cache_resource(max_entries=3, show_spinner="Opening the data ...")
def _split(data: str, phase: str, files: tuple[Stamp, ...]) -> DeviceSplit:
    return load_split(artifacts.prepared(data), phase, project.info(data), torch.device("cpu"), with_text=True)


def target(run: str) -> Target:
    """Return the model of a run with the limits that it is judged by."""
    described = project.run(run)
    return Target(run, model(run), described.evaluate, described.data, torch.device("cpu"))


def _batch(run: str, phase: str, ids: Sequence[int]) -> tuple[Tensor, Batch]:
    data = project.run(run).data
    files = split_files(artifacts.prepared(data), phase)
    if not all(file.is_file() for file in files):
        raise InputError(
            f"{artifacts.prepared(data)}: a file of {phase} is missing; `dvc repro prepare@{data}` makes it"
        )
    split = _split(data, phase, tuple(stamp(file) for file in files))
    if max(ids) >= len(split):
        raise InputError(
            f"{artifacts.prepared(data)}: {phase} has {len(split)} examples, and {max(ids)} is asked for: the data "
            f"were prepared again; `dvc repro evaluate@{run}` measures them"
        )
    chosen = torch.tensor(list(ids), dtype=torch.int64)
    return split.stored(chosen), split.take(chosen)


@torch.no_grad()
def _inferred(run: str, phase: str, ids: Sequence[int], weights: Path | None = None) -> tuple[Tensor, Batch, Inference]:
    stored, batch = _batch(run, phase, ids)
    return stored, batch, model(run, weights).model(batch.x, group=batch.group)


def pair(run: str, phase: str, ids: Sequence[int], weights: Path | None = None) -> Pair:
    """Return some examples with what the model, or other weights of it, makes of them, z being the posterior mean."""
    stored, _, inference = _inferred(run, phase, ids, weights)
    output = MEASURES[project.run(run).kind].stored(Decoded(inference.reconstruction, inference.extent))
    return Pair(list(map(int, ids)), stored.numpy(), output.numpy())


def measures(run: str, phase: str, index: int, weights: Path | None = None) -> dict[str, float]:
    """Return the measures of an example of its posterior mean, by the evaluation's functions, and its rate in nats.

    Likelihoods are not among them: those that are reported are means over draws of z.
    """
    _, batch, inference = _inferred(run, phase, [index], weights)
    described, kind = project.run(run), MEASURES[project.run(run).kind]
    info = project.info(described.data)
    found = kind.evaluation_metrics(batch, inference, info, described).examples
    drawn = kind.likelihood(batch, inference, info, described)
    rate = kl_per_dimension(inference.mean, inference.log_var).sum(1)
    return {name: float(values[0].detach()) for name, values in (found | {"rate": rate}).items() if name not in drawn}


def decode(run: str, z: np.ndarray, group: int) -> np.ndarray:
    """Return what latents [n, L] decode to, as stored; a conditional model is told the group."""
    found = model(run)
    return decoded(found.model, torch.from_numpy(z.astype(np.float32)), found.info, group)


def drawn(run: str, count: int, seed: int) -> np.ndarray:
    """Return examples decoded from z ~ N(0, I)."""
    found = model(run)
    return decoded(found.model, sample_prior("normal", count, found.model.latent_dim, None, seed), found.info)
