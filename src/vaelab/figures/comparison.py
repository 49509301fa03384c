"""Pictures that set the runs side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.tiles import extent, mosaic, tile


def reconstructions_by_run(
    phase: str,
    ids: np.ndarray,
    original: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    accuracies: Mapping[str, np.ndarray],
    classes: int,
    data: str,
) -> Figure:
    """Return the same test grids [n, S, S], each column a grid: the original, then each run's reconstruction.

    Above each reconstruction stands its accuracy [n], over the cells of the original.
    """
    rows = {"original": original, **reconstructions}
    tiles: list[list[np.ndarray]] = [[] for _ in rows]
    captions: list[list[str]] = [[] for _ in rows]
    for number in range(len(ids)):
        side = extent(*(grids[number] for grids in rows.values()), classes=classes)
        for line, (name, grids) in enumerate(rows.items()):
            tiles[line].append(tile(grids[number], side, classes))
            what = f"accuracy {accuracies[name][number]:.2f}" if name in accuracies else f"{phase} {ids[number]}"
            captions[line].append(f"{name}\n{what}")
    return mosaic(
        f"The same examples of data set {data}, reconstructed by each run (accuracy: over the cells of the original)",
        tiles,
        captions,
    )
