"""How probabilities of tags change: through the checkpoints of a run, from run to run, on ways through the latents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.names import labels
from vaelab.figures.kind import Numbers, SameExamples
from vaelab.figures.tags.panels import ABSENT, THERE, panels, path_panel, row_panel
from vaelab.figures.tags.tiles import PRINTED

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.measures.snapshots import Snapshot

MARKS = f"{THERE} the row has the tag, {ABSENT} it has not"
RUN = 130  # pixels of a run's name


def filmstrip(snapshots: Sequence["Snapshot"], count: int, info: DataInfo) -> Figure:
    """Return the probabilities of the tags of `count` samples at each checkpoint, a panel per sample."""
    first, shown = snapshots[0], []
    epochs = [f"{snapshot.facts['epoch']}" for snapshot in snapshots]
    for number in range(count):
        score = PRINTED.format(first.score[number])
        after = f" → {snapshots[-1].score[number]:.2f}" if len(snapshots) > 1 else ""
        title = f"train {first.ids[number]}: {score}{after}"
        decoded = np.stack([snapshot.reconstruction[number] for snapshot in snapshots])
        shown.append(row_panel(title, epochs, first.original[number], decoded, info))
    return panels(f"The same training samples after each of these epochs; {MARKS}", shown)


def by_run(same: SameExamples, info: DataInfo) -> Figure:
    """Return the probabilities of the tags of the same rows under each run, with the row's score."""
    shown, names = [], labels(list(same.reconstructions), RUN)
    for number, name in enumerate(same.ids):
        columns = [
            f"{text} · {same.scores[run][number]:.2f}" for run, text in zip(same.reconstructions, names, strict=True)
        ]
        decoded = np.stack([rows[number] for rows in same.reconstructions.values()])
        shown.append(row_panel(f"{same.phase} {name}", columns, same.original[number], decoded, info, by=0))
    title = f"The same rows of data set {same.data}, reconstructed by each run (· {PRINTED.split()[0]} of the row)"
    return panels(f"{title}; {MARKS}", shown)


def traversals(
    examples: np.ndarray, dimensions: Numbers, values: Sequence[float], start: str, info: DataInfo
) -> Figure:
    """Return for each latent dimension the probabilities of the tags that it changes most; examples [d, values, D]."""
    title = "Traversals: one latent at a time, those with the largest KL, and the tags that it changes most"
    columns = [f"{value:+.2f}".replace("-", "−") for value in values]
    shown = [path_panel(f"z[{j}]", columns, way, info) for j, way in zip(dimensions, examples, strict=True)]
    return panels(f"{title}; above the columns its value, the others at the posterior mean of {start}", shown)


def interpolations(examples: np.ndarray, pairs: np.ndarray, phase: str, info: DataInfo) -> Figure:
    """Return the tags that change most between the means of two rows; examples [n, steps, D], pairs [n, 2]."""
    columns = [f"{share:.2f}" for share in np.linspace(0, 1, examples.shape[1])]
    shown = [
        path_panel(f"{phase} {a} → {phase} {b}", columns, way, info)
        for (a, b), way in zip(pairs, examples, strict=True)
    ]
    title = "Interpolations: straight lines between the posterior means of two rows, and the tags that change most"
    return panels(f"{title}; above the columns the share of the second mean", shown)
