"""Pictures of checkpoints: the same training examples through the whole run."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.prepared import DataInfo
from vaelab.evaluation.snapshots import Snapshot
from vaelab.figures.tiles import extent, mosaic, tile

PAIRS_PER_ROW = 5
FILMSTRIP_SAMPLES = 6
FILMSTRIP_COLUMNS = 10
FRAMES = 60
NOTE = "(accuracy: over all cells of the original)"


def checkpoint_picture(snapshot: Snapshot, info: DataInfo) -> Figure:
    """Return original beside reconstruction for each sample of a checkpoint, with its accuracy and loss."""
    classes = len(info.classes)
    tiles: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    for number in range(len(snapshot.ids)):
        if number % PAIRS_PER_ROW == 0:
            tiles.append([])
            captions.append([])
        pair = snapshot.original[number], snapshot.reconstruction[number]
        side = extent(*pair, classes=classes)
        tiles[-1] += [tile(grid, side, classes) for grid in pair]
        scored = f"accuracy {snapshot.accuracy[number]:.2f}\nloss {snapshot.loss[number]:.1f}"
        captions[-1] += [f"original\ntrain {snapshot.ids[number]}", scored]
    return mosaic(_title(snapshot), tiles, captions)


def filmstrip(snapshots: Sequence[Snapshot], info: DataInfo) -> Figure:
    """Return the samples' way through the regular checkpoints: a row each, original first."""
    shown = _spread([s for s in snapshots if not s.label.startswith("best")], FILMSTRIP_COLUMNS)
    classes, count = len(info.classes), min(FILMSTRIP_SAMPLES, len(shown[0].ids))
    tiles, captions = [], []
    for number in range(count):
        grids = [shown[0].original[number], *(s.reconstruction[number] for s in shown)]
        side = extent(*grids, classes=classes)
        tiles.append([tile(grid, side, classes) for grid in grids])
        scores = [f"epoch {s.facts['epoch']}\naccuracy {s.accuracy[number]:.2f}" for s in shown]
        captions.append([f"original\ntrain {shown[0].ids[number]}", *scores])
    return mosaic(f"The same training samples at each checkpoint {NOTE}", tiles, captions)


def animation(snapshots: Sequence[Snapshot], info: DataInfo) -> Iterator[Figure]:
    """Yield the pictures of the regular checkpoints, the frames of epochs.gif; of many an even choice."""
    for snapshot in _spread([s for s in snapshots if not s.label.startswith("best")], FRAMES):
        yield checkpoint_picture(snapshot, info)


def _title(snapshot: Snapshot) -> str:
    kind = "best so far" if snapshot.label.startswith("best") else "checkpoint"
    facts = snapshot.facts
    value = f"{facts['metric']} on val {facts['val']:.3f}"
    return f"Epoch {facts['epoch']}, {kind}: training samples, {value} {NOTE}"


def _spread(snapshots: list[Snapshot], most: int) -> list[Snapshot]:
    if len(snapshots) <= most:
        return snapshots
    return [snapshots[round(i)] for i in np.linspace(0, len(snapshots) - 1, most)]
