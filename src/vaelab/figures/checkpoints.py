"""Pictures of checkpoints: the same training examples through the whole run."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.evaluation.metric_names import CAPTIONS
from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.canvas.tiles import tiles_of
from vaelab.figures.tags import evolution
from vaelab.figures.tags import rows as tag_rows
from vaelab.figures.tags.outcomes import LEGEND, THRESHOLD
from vaelab.measures.snapshots import Snapshot

PAIRS_PER_ROW = 5
FILMSTRIP_SAMPLES = 6
FILMSTRIP_COLUMNS = 10
FRAMES = 60
NOTES = {
    "grid": "(accuracy: over all cells of the original)",
    "image": "(dB: PSNR of the image, peak 1)",
    "tags": f"({tag_rows.ORDER}; {LEGEND}, with its probability)",
}


def checkpoint_picture(snapshot: Snapshot, info: DataInfo) -> Figure:
    """Return original beside reconstruction for each sample of a checkpoint, with its score and loss."""
    printed = CAPTIONS[info.kind][1]
    scored = [f"{printed.format(s)}\nloss {_short(x)}" for s, x in zip(snapshot.score, snapshot.loss, strict=True)]
    if info.kind == "tags":
        return _tags(snapshot, info, scored)
    rows: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    for number in range(len(snapshot.ids)):
        if number % PAIRS_PER_ROW == 0:
            rows.append([])
            captions.append([])
        rows[-1] += tiles_of((snapshot.original[number], snapshot.reconstruction[number]), info)
        captions[-1] += [f"original\ntrain {snapshot.ids[number]}", scored[number]]
    return mosaic(_title(snapshot, info), Tiles(rows, captions))


def filmstrip(snapshots: Sequence[Snapshot], info: DataInfo) -> Figure:
    """Return the samples' way through the regular checkpoints: a row each, original first."""
    shown = _spread([s for s in snapshots if not s.label.startswith("best")], FILMSTRIP_COLUMNS)
    printed, count = CAPTIONS[info.kind][1], min(FILMSTRIP_SAMPLES, len(shown[0].ids))
    if info.kind == "tags":
        return evolution.filmstrip(shown, info, count)
    rows, captions = [], []
    for number in range(count):
        rows.append(tiles_of([shown[0].original[number], *(s.reconstruction[number] for s in shown)], info))
        scores = [f"epoch {s.facts['epoch']}\n{printed.format(s.score[number])}" for s in shown]
        captions.append([f"original\ntrain {shown[0].ids[number]}", *scores])
    title = f"The same training samples at each checkpoint {NOTES[info.kind]}"
    return mosaic(title, Tiles(rows, captions))


def animation(snapshots: Sequence[Snapshot], info: DataInfo) -> Iterator[Figure]:
    """Yield the pictures of the regular checkpoints, the frames of epochs.gif; of many an even choice."""
    for snapshot in _spread([s for s in snapshots if not s.label.startswith("best")], FRAMES):
        yield checkpoint_picture(snapshot, info)


def _tags(snapshot: Snapshot, info: DataInfo, scored: Sequence[str]) -> Figure:
    tags = snapshot.original.sum(1, dtype=np.int64)
    captions = [
        (f"original: {count} {'tag' if count == 1 else 'tags'}\ntrain {number}", text)
        for count, number, text in zip(tags, snapshot.ids, scored, strict=True)
    ]
    threshold = float(snapshot.facts.get("threshold", THRESHOLD))
    return tag_rows.pairs(_title(snapshot, info), snapshot.original, snapshot.reconstruction, captions, info, threshold)


def _title(snapshot: Snapshot, info: DataInfo) -> str:
    kind = "best so far" if snapshot.label.startswith("best") else "checkpoint"
    facts = snapshot.facts
    value = f"{facts['metric']} on val {facts['val']:.3f}"
    return f"Epoch {facts['epoch']}, {kind}: training samples, {value} {NOTES[info.kind]}"


def _short(value: float) -> str:
    """Losses are sums over thousands of pixels or means below 1."""
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _spread(snapshots: list[Snapshot], most: int) -> list[Snapshot]:
    if len(snapshots) <= most:
        return snapshots
    return [snapshots[round(i)] for i in np.linspace(0, len(snapshots) - 1, most)]
