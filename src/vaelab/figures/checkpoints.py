"""Pictures of checkpoints: the same training examples through the whole run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.kind import Named
from vaelab.figures.kinds import FIGURES

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.measures.snapshots import Snapshot

FILMSTRIP_SAMPLES = 6
FILMSTRIP_COLUMNS = 10
FRAMES = 60


def checkpoint_pictures(snapshots: Sequence["Snapshot"], info: DataInfo) -> Iterator[Named]:
    """Yield the picture of each checkpoint and the filmstrip, with the names of their files."""
    for snapshot in snapshots:
        yield f"checkpoints/{snapshot.label}", checkpoint_picture(snapshot, info)
    yield "filmstrip", filmstrip(snapshots, info)


def checkpoint_picture(snapshot: "Snapshot", info: DataInfo) -> Figure:
    """Return original beside reconstruction for each sample of a checkpoint, with its score and loss."""
    kind = FIGURES[info.kind]
    scored = [f"{kind.printed.format(s)}\nloss {_short(x)}" for s, x in zip(snapshot.score, snapshot.loss, strict=True)]
    what, facts = "best so far" if _is_best(snapshot) else "checkpoint", snapshot.facts
    value = f"{facts['metric']} on val {facts['val']:.3f}"
    title = f"Epoch {facts['epoch']}, {what}: training samples, {value} {kind.score}"
    return kind.examples.checkpoint(title, snapshot, scored, info)


def filmstrip(snapshots: Sequence["Snapshot"], info: DataInfo) -> Figure:
    """Return the samples' way through the regular checkpoints."""
    shown = _spread([s for s in snapshots if not _is_best(s)], FILMSTRIP_COLUMNS)
    return FIGURES[info.kind].examples.filmstrip(shown, min(FILMSTRIP_SAMPLES, len(shown[0].ids)), info)


def animation(snapshots: Sequence["Snapshot"], info: DataInfo, folder: Path | None = None) -> Iterator[Figure | Path]:
    """Yield the pictures of the regular checkpoints, the frames of epochs.gif; of many an even choice.

    Args:
        snapshots: of all checkpoints.
        info: of the data.
        folder: where the `checkpoint_pictures` are saved already: their files, which need not be drawn again.
    """
    for snapshot in _spread([s for s in snapshots if not _is_best(s)], FRAMES):
        name = f"checkpoints/{snapshot.label}.png"
        yield checkpoint_picture(snapshot, info) if folder is None else folder / name


def _is_best(snapshot: "Snapshot") -> bool:
    return snapshot.label.startswith("best")


def _short(value: float) -> str:
    """Losses are sums over thousands of pixels or means below 1."""
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _spread(snapshots: list["Snapshot"], most: int) -> list["Snapshot"]:
    if len(snapshots) <= most:
        return snapshots
    return [snapshots[round(i)] for i in np.linspace(0, len(snapshots) - 1, most)]
