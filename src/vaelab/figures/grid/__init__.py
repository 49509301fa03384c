"""Pictures of grids."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaelab.data.format.info import DataInfo
from vaelab.figures.grid import cells
from vaelab.figures.kind import KindFigures, Named, RunMaterial, Titled, curves_of
from vaelab.figures.tile_pictures import Tiling, tile_pictures

if TYPE_CHECKING:  # it is read by name alone
    from vaelab.comparison.collect import Result


def _size(grid: np.ndarray, info: DataInfo) -> str:
    return "{}×{}".format(*cells.grid_size(grid, len(info.classes)))


def _of_run(m: RunMaterial) -> Iterator[Named]:
    recall = [m.metrics[m.phase][f"recall_{number}"] for number in range(len(m.info.classes))]
    yield "recall", cells.recall_bars(recall, m.info.class_counts, m.info.classes, m.phase)


def _of_group(group: Sequence["Result"], data: str, info: DataInfo) -> Iterator[Titled]:
    recalls = {r.run.name: [r.final[f"recall_{k}"] for k in range(len(info.classes))] for r in group}
    yield "recall", "Recall", cells.recall_by_run(recalls, info.classes, group[0].phase)


SCORE, PRINTED = "(accuracy: over all cells of the original)", "accuracy {:.2f}"
GRID = KindFigures(
    noun="grid",
    score=SCORE,
    printed=PRINTED,
    curves=curves_of(
        {
            "loss": (0, None),
            "accuracy": (0, 1),
            "foreground_accuracy": (0, 1),
            "macro_f1": (0, 1),
            "kl": (0, None),
        }
    ),
    pair=lambda original, made, info: cells.grid_tiles([original, made], info),
    examples=tile_pictures(Tiling(cells.grid_tiles, SCORE, PRINTED, "most probable colour of each cell", _size)),
    of_run=_of_run,
    of_group=_of_group,
)
