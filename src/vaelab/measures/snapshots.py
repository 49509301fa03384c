"""Snapshots: what a checkpoint makes of the same training examples, kept as arrays so that it can be drawn again."""

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vaelab import storage
from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import DataInfo
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import run_pass
from vaelab.metrics.directions import VALIDATION
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective

SUFFIX = ".samples.safetensors"


class Snapshot(NamedTuple):
    """Originals and reconstructions at one checkpoint; n samples."""

    label: str  # epoch_003, best_epoch_004
    facts: dict[str, float | str]  # epoch, metric and its value on val, and so on
    ids: np.ndarray  # of the examples in the training split [n]
    original: np.ndarray  # uint8: grids [n, S, S] with K outside; images [n, C, S, S]; tags [n, D] of 0 and 1
    reconstruction: np.ndarray  # like original; tags: probabilities times 255
    score: np.ndarray  # grids: accuracy; images: PSNR in dB; tags: Jaccard index [n]
    loss: np.ndarray  # the objective at that epoch, of the reconstruction that is shown, of the posterior mean [n]


def take_snapshot(
    label: str,
    facts: dict[str, float | str],
    model: VAE,
    samples: Tensor,
    split: DeviceSplit,
    info: DataInfo,
    objective: Objective,
) -> Snapshot:
    """Return the snapshot of a model on the examples `samples` [n] of a split, with the posterior mean as z."""
    kind, originals = MEASURES[info.kind], split.stored(samples)
    chosen = DeviceSplit([originals], split.group[samples.to(split.device)], split.device, info.kind)
    measure = partial(kind.val_metrics, info=info)
    result = run_pass(model, chosen, objective, len(samples), float(facts["position"]), measure, kind.stored)
    score = result.measured.examples[VALIDATION[info.kind].example_score]
    arrays = (samples, originals, result.outputs, score, result.losses["loss"])
    return Snapshot(label, facts, *(array.detach().cpu().numpy() for array in arrays))


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot beside the checkpoints."""
    arrays = {name: getattr(snapshot, name) for name in Snapshot._fields[2:]}
    storage.write_tensors(folder / f"{snapshot.label}{SUFFIX}", arrays, {"facts": json.dumps(snapshot.facts)})


def read_snapshots(folder: Path) -> list[Snapshot]:
    """Return all snapshots in a folder of checkpoints, by epoch, a regular checkpoint before a best one."""
    snapshots = []
    for path in folder.glob(f"*{SUFFIX}"):
        arrays, metadata = storage.read_tensors(path)
        label = path.name.removesuffix(SUFFIX)
        snapshots.append(Snapshot(label, json.loads(metadata["facts"]), **arrays))
    return sorted(snapshots, key=lambda s: (s.facts["epoch"], s.label.startswith("best")))
