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
from vaelab.errors import InputError
from vaelab.models.build import build, skeleton
from vaelab.models.description import HEADER_BYTES, METADATA, Description, checked_description, open_model
from vaelab.models.vae import VAE
from vaelab.params.schema import Run

DTYPES = {torch.float32: "F32", torch.int64: "I64"}  # of weights, and of the batches that a normalisation has seen
MOST_LISTED = 5  # tensors in a message


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
    text = json.dumps(described)
    if len(text) > HEADER_BYTES // 2:  # which no one could load again
        raise InputError(
            f"{path}: {len(text)} letters describe the model; expected at most {HEADER_BYTES // 2}: fewer tags"
        )
    # one entry: safetensors writes several in random order, and the same model would get another hash each time
    save_tensors(path, state, {METADATA: text})


def describe(path: Path) -> Description:
    """Return what a model file says of itself, its tensors being those of the model that it describes.

    Nothing of the size of a tensor is allocated.

    Raises:
        InputError: the file is missing or damaged, was not written by vaelab, or does not fit this version.
    """
    with open_model(path) as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        stored = {name: (slices[name].get_dtype(), slices[name].get_shape()) for name in slices}
    described = checked_description(path, len(stored))
    wanted = skeleton(described.run.model, described.info).state_dict()
    expected = {name: (DTYPES.get(tensor.dtype), list(tensor.shape)) for name, tensor in wanted.items()}
    unlike = [name for name in {**expected, **stored} if expected.get(name) != stored.get(name)]
    if unlike:
        listed = "; ".join(
            f"{name[:100]!r}: {_told(stored, name)}, expected {_told(expected, name)}" for name in unlike[:MOST_LISTED]
        )
        more = f"; and {len(unlike) - MOST_LISTED} more" if len(unlike) > MOST_LISTED else ""
        raise InputError(f"{path}: its weights do not fit the model that it describes: {listed}{more}")
    return described


def _told(tensors: Mapping[str, tuple[str | None, list[int]]], name: str) -> str:
    dtype, shape = tensors.get(name, (None, None))
    return "none" if shape is None else f"{dtype} {shape}"


def load_model(path: Path, device: str | torch.device = "cpu") -> ModelFile:
    """Return the model in a file, in evaluation mode on `device`.

    Raises:
        InputError: the file is missing or damaged, was not written by vaelab, or does not fit this version.
    """
    _, facts, info, run = describe(path)
    model = build(run.model, info, seed=0)
    with storage.opened(path, "pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return ModelFile(model.to(device).eval(), run, info, facts)
