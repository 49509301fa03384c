"""Snapshots: what a checkpoint makes of the same training examples, kept as arrays so that it can be drawn again."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts
from vaelab.data.batches import DeviceSplit
from vaelab.data.prepared import DataInfo
from vaelab.evaluation.passes import run_pass
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective

SUFFIX = ".samples.safetensors"


class Snapshot(NamedTuple):
    """Originals and reconstructions at one checkpoint; S side of the canvas, n samples."""

    label: str  # epoch_003, best_epoch_004
    facts: dict[str, float | str]  # epoch, metric and its value on val, and so on
    ids: np.ndarray  # of the examples in the training split [n]
    original: np.ndarray  # uint8 [n, S, S], K outside the grid
    reconstruction: np.ndarray  # uint8 [n, S, S], K outside the predicted extent
    accuracy: np.ndarray  # [n]
    loss: np.ndarray  # the objective at that epoch [n]


def take_snapshot(
    label: str,
    facts: dict[str, float | str],
    model: VAE,
    samples: tuple[Tensor, Tensor],
    info: DataInfo,
    objective: Objective,
) -> Snapshot:
    """Return the snapshot of a model on `samples`: their ids [n] and the examples [n, S, S]."""
    ids, x = samples
    result = run_pass(model, DeviceSplit(x, x.device), info, objective, len(x), float(facts["position"]))
    arrays = (ids, x.to(torch.uint8), result.grids, result.examples["accuracy"], result.losses["loss"])
    return Snapshot(label, facts, *(array.detach().cpu().numpy() for array in arrays))


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot beside the checkpoints."""
    arrays = {name: getattr(snapshot, name) for name in Snapshot._fields[2:]}
    artifacts.write_tensors(folder / f"{snapshot.label}{SUFFIX}", arrays, {"facts": json.dumps(snapshot.facts)})


def read_snapshots(folder: Path) -> list[Snapshot]:
    """Return all snapshots in a folder of checkpoints, by epoch, a regular checkpoint before a best one."""
    snapshots = []
    for path in folder.glob(f"*{SUFFIX}"):
        arrays, metadata = artifacts.read_tensors(path)
        label = path.name.removesuffix(SUFFIX)
        snapshots.append(Snapshot(label, json.loads(metadata["facts"]), **arrays))
    return sorted(snapshots, key=lambda s: (s.facts["epoch"], s.label.startswith("best")))
