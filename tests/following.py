"""A folder with tiny runs whose trainings are followed, and what TensorBoard reads of their events."""

import csv
from pathlib import Path

import pytest
from helpers import tiny_run, write_grids, write_images, write_tags
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vaelab import artifacts, outputs
from vaelab.commands.tensorboard.follower import LOGS
from vaelab.figures.canvas.files import save_png
from vaelab.figures.checkpoints import checkpoint_picture
from vaelab.training.loop import fit

WRITE = {"grid": write_grids, "image": write_images, "tags": write_tags}
WRITTEN_AS_FLOAT32 = 1e-6  # relative


def train(kind="image", name="tiny", watch=lambda history: (), root=Path(), **blocks):
    """Train a tiny run as stage train does; `watch` is called after each epoch."""
    run = tiny_run(name, kind, kind, **blocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        if not artifacts.prepared(kind).exists():
            WRITE[kind](artifacts.prepared(kind))
        outputs.write_run(run)
        pictures = artifacts.plots(name) / "checkpoints"
        fit(
            run, artifacts.prepared(kind), artifacts.models(name),
            lambda snapshot, info: save_png(checkpoint_picture(snapshot, info), pictures / f"{snapshot.label}.png"),
            watch,
        )  # fmt: skip
    return run


def rows(name="tiny", phase="val"):
    """The rows of a phase in history.csv."""
    with (artifacts.models(name) / "history.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["phase"] == phase]


def reader(name):
    """What TensorBoard reads of a run, up to now; `Reload` reads on."""
    return EventAccumulator(str(LOGS / name), size_guidance={"scalars": 0, "images": 0}).Reload()


def scalars(read):
    """By tag and step; each step must be there once."""
    found = {}
    for tag in read.Tags()["scalars"]:
        events = read.Scalars(tag)
        assert len({event.step for event in events}) == len(events), tag
        found[tag] = {event.step: event.value for event in events}
    return found


def assert_as_in_history(name="tiny", phases=("train", "val")):
    """All numbers of history.csv are there, once, and no others."""
    for phase in phases:
        found = scalars(reader(f"{name}/{phase}"))
        numbers = sorted(value for steps in found.values() for value in steps.values())
        columns = [column for column in rows(name, phase)[0] if column not in ("epoch", "phase", "step")]
        kept = [
            (int(row["epoch"]), column, float(row[column]))
            for row in rows(name, phase)
            for column in columns
            if row[column]
        ]
        assert numbers == pytest.approx(sorted(value for *_, value in kept), rel=WRITTEN_AS_FLOAT32)
        assert {step for steps in found.values() for step in steps} == {epoch for epoch, *_ in kept}
