"""Which model a command is about, and with which limits and data it is judged."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vaelab import artifacts
from vaelab.data.format.batches import default_device
from vaelab.errors import InputError
from vaelab.models.files import ModelFile, load_model
from vaelab.params.blocks import Evaluate
from vaelab.params.problems import suggestion
from vaelab.params.resolve import read_run


class Target(NamedTuple):
    """A trained model, and how it is judged."""

    label: str  # the run, or the file
    file: ModelFile
    options: Evaluate
    data: str  # name of the data set it is judged on
    device: torch.device


def choose(run: str | None, config: Path | None, checkpoint: Path | None) -> Target:
    """Return the model that is named by a run, or by a configuration and a checkpoint together.

    Raises:
        InputError: neither or both are given, or what is named does not exist.
    """
    if run is not None and config is None and checkpoint is None:
        return of_run(run)
    if run is None and config is not None and checkpoint is not None:
        return of_checkpoint(config, checkpoint)
    raise InputError("which model? expected RUN, or --config FILE.yaml together with --checkpoint FILE.safetensors")


def of_run(run: str) -> Target:
    """Return the model of a run by its name, or of a bare model file (.safetensors).

    A run's limits are those of data/runs/<run>.yaml, where it is there; a bare file's are its own.

    Raises:
        InputError: there is no such run or file, or it is no model.
    """
    if run.endswith(".safetensors"):
        return _target(run, Path(run))
    path = artifacts.models(run) / "model.safetensors"
    if not path.is_file():
        known = [file.parent.name for file in artifacts.models(run).parent.glob("*/model.safetensors")]
        raise InputError(f"{run}: no trained run ({path} is missing); {suggestion(run, known)}")
    target = _target(run, path)
    resolved = artifacts.resolved(run)
    return target._replace(options=read_run(resolved).evaluate) if resolved.is_file() else target


def of_checkpoint(config: Path, checkpoint: Path) -> Target:
    """Return the model in `checkpoint`, judged by the limits and on the data of the resolved run in `config`.

    Raises:
        InputError: a file is missing or damaged, or the two contradict each other.
    """
    run, target = read_run(config), _target(checkpoint.name, checkpoint)
    stored = target.file.run
    given, own = ({"kind": r.kind, **_prefixed(r.model.model_dump())} for r in (run, stored))
    unlike = [f"  {name}: {given[name]} and {own[name]}" for name in given if given[name] != own[name]]
    if unlike:
        listed = "\n".join(unlike)
        raise InputError(f"{config} does not describe the model in {checkpoint}; config and checkpoint say:\n{listed}")
    return target._replace(label=f"{run.name} ({checkpoint.name})", options=run.evaluate, data=run.data)


def check_finite(target: Target, values: Tensor, names: list[str]) -> None:
    """Raise an InputError where the model makes NaN or infinity of an example; values are [n, ...]."""
    bad = (~values.flatten(1).isfinite().all(1)).nonzero()
    if len(bad):
        raise InputError(f"{target.label}: the model yields NaN or infinity, first for {names[int(bad[0])]}")


def _target(label: str, path: Path) -> Target:
    device = default_device()
    file = load_model(path, device)
    if file.run.model.features != "none":
        raise InputError(
            f"{label}: sees features of a network (model.features), no pictures; its numbers are in metrics/"
        )
    return Target(label, file, file.run.evaluate, file.run.data, device)


def _prefixed(options: dict[str, Any]) -> dict[str, Any]:
    return {f"model.{name}": value for name, value in options.items()}
