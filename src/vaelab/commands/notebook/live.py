"""What a notebook asks of the models themselves: measures of chosen examples, and the same samples over the epochs."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import torch
from matplotlib.figure import Figure

from vaelab import artifacts
from vaelab.commands.notebook.titles import AT_MEAN
from vaelab.data.format.batches import DeviceSplit, default_device
from vaelab.figures.checkpoints import checkpoint_picture
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import run_pass
from vaelab.measures.snapshots import Snapshot, read_snapshots
from vaelab.models.files import load_model
from vaelab.models.image.features import Inputs
from vaelab.objective.objective import Objective

OF_DRAWN_Z = ("distortion", "distortion_cells", "distortion_extent", "bce")  # as they are saved


def measured(run: str, phase: str, ids: Sequence[int]) -> pd.DataFrame:
    """Return what the model of a run reaches on examples of a split, by the functions of the evaluation.

    All of it is of the posterior mean: what is saved of drawn z has another value here, and `_at_mean` behind its name.
    """
    device = default_device()
    file = load_model(artifacts.models(run) / "model.safetensors", device)
    seen, kind = Inputs(file.run.model, artifacts.prepared(file.run.data), device), MEASURES[file.info.kind]
    split, rows = seen.split(phase), torch.tensor(list(ids))
    chosen = DeviceSplit([split.stored(rows)], split.group[rows.to(device)], device, file.info.kind)
    objective = Objective(file.run.loss, seen.info, len(seen.split("train")), device)
    measure = partial(kind.evaluation_metrics, info=seen.info, run=file.run)
    size, position = file.run.evaluate.batch_size, float(file.facts["position"])
    found = run_pass(file.model, chosen, objective, size, position, measure, kind.stored)
    columns = {
        f"{name}{AT_MEAN}" if name in OF_DRAWN_Z else name: values.cpu().numpy()
        for name, values in found.measured.examples.items()
    }
    return pd.DataFrame(columns, index=pd.Index(list(ids), name="index"))


def snapshots(run: str) -> dict[int, Snapshot]:
    """Return by epoch what the checkpoints of a run made of the same training samples."""
    found = read_snapshots(artifacts.models(run) / "checkpoints")
    return {int(snapshot.facts["epoch"]): snapshot for snapshot in reversed(found)}


def picture(run: str, epoch: int) -> Figure:
    """Return the samples of a checkpoint, original beside reconstruction."""
    return checkpoint_picture(snapshots(run)[epoch], load_model(artifacts.models(run) / "model.safetensors").info)
