"""Model files: safetensors with the resolved run and the data's description, so that a file loads by itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from vaelab import __version__, storage
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError, shortened
from vaelab.models.build import build
from vaelab.models.vae import VAE
from vaelab.params.problems import check, raise_problems
from vaelab.params.schema import Run

METADATA = "vaelab"


class ModelFile(NamedTuple):
    """A model read from its file."""

    model: VAE
    run: Run
    info: DataInfo
    facts: dict[str, Any]  # epoch, step, value of the metric that selected it


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write torch tensors and text metadata as safetensors, whole or not at all."""
    ready = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    with storage.atomic(path) as temporary:
        save_file(ready, temporary, metadata=dict(metadata))


def save_model(path: Path, state: Mapping[str, Tensor], run: Run, info: DataInfo, facts: Mapping[str, Any]) -> None:
    """Write weights with the resolved run, the data's description and `facts` (epoch, step ...)."""
    described = {"version": __version__, "facts": dict(facts), "info": asdict(info), "run": run.model_dump()}
    # one entry: safetensors writes several in random order, and the same model would get another hash each time
    save_tensors(path, state, {METADATA: json.dumps(described)})


def read_description(path: Path) -> dict[str, Any]:
    """Return what a model file says of itself: version, facts, info and run.

    Raises:
        InputError: the file is missing or damaged, or was not written by vaelab.
    """
    with storage.opened(path, "numpy") as file:
        metadata = file.metadata() or {}
    if METADATA not in metadata:
        raise InputError(f"{path}: holds no vaelab model (its metadata lack the run)")
    description: dict[str, Any] = json.loads(metadata[METADATA])
    return description


def load_model(path: Path, device: str | torch.device = "cpu") -> ModelFile:
    """Return the model in a file, in evaluation mode on `device`.

    Raises:
        InputError: the file is missing or damaged, was not written by vaelab, or does not fit this version.
    """
    described = read_description(path)
    raise_problems(f"the run stored in {path}", check(Run, described["run"]))
    run, info = Run.model_validate(described["run"]), DataInfo.from_dict(described["info"])
    with storage.opened(path, "pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    model = build(run.model, info, seed=0)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{path}: its weights do not fit the model of this version: {shortened(error)}") from None
    return ModelFile(model.to(device).eval(), run, info, described["facts"])
