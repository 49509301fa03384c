"""The same rows of tags again and again: through the checkpoints of a run, or under each run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.evaluation.metric_names import CAPTIONS
from vaelab.figures.canvas.names import labels
from vaelab.figures.tags.panels import ABSENT, THERE, of_row, panels

if TYPE_CHECKING:  # it needs torch, and comparisons do not
    from vaelab.measures.snapshots import Snapshot

MARKS = f"{THERE} the row has the tag, {ABSENT} it has not"
RUN = 130  # pixels of a run's name


def filmstrip(snapshots: Sequence["Snapshot"], info: DataInfo, count: int) -> Figure:
    """Return the probabilities of the tags of `count` samples at each checkpoint, a panel per sample."""
    printed, first, shown = CAPTIONS[info.kind][1], snapshots[0], []
    epochs = [f"{snapshot.facts['epoch']}" for snapshot in snapshots]
    for number in range(count):
        score = printed.format(first.score[number])
        after = f" → {snapshots[-1].score[number]:.2f}" if len(snapshots) > 1 else ""
        title = f"train {first.ids[number]}: {score}{after}"
        decoded = np.stack([snapshot.reconstruction[number] for snapshot in snapshots])
        shown.append(of_row(title, epochs, first.original[number], decoded, info))
    return panels(f"The same training samples after each of these epochs; {MARKS}", shown)


def by_run(
    phase: str,
    ids: np.ndarray,
    original: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
    info: DataInfo,
    data: str,
) -> Figure:
    """Return the probabilities of the tags of the same rows [n, D] under each run, with the row's score [n]."""
    shown, names = [], labels(list(reconstructions), RUN)
    for number, name in enumerate(ids):
        columns = [f"{text} · {scores[run][number]:.2f}" for run, text in zip(reconstructions, names, strict=True)]
        decoded = np.stack([rows[number] for rows in reconstructions.values()])
        shown.append(of_row(f"{phase} {name}", columns, original[number], decoded, info))
    printed = CAPTIONS[info.kind][1].split()[0]
    title = f"The same rows of data set {data}, reconstructed by each run (· {printed} of the row); {MARKS}"
    return panels(title, shown)
