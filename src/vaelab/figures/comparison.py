"""Pictures that set the runs side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.evaluation.metric_names import CAPTIONS
from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.canvas.tiles import tiles_of
from vaelab.figures.tags import evolution

NOTES = {"grid": "(accuracy: over the cells of the original)", "image": "(dB: PSNR of the image, peak 1)"}
LETTERS = 20  # of a run's name above a tile


def reconstructions_by_run(
    phase: str,
    ids: np.ndarray,
    original: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
    info: DataInfo,
    data: str,
) -> Figure:
    """Return the same examples [n, ...], each column an example: the original, then each run's reconstruction.

    Above each reconstruction stands its score [n]: accuracy over the cells of the original, PSNR of an image. Of tags,
    a panel per example, each column a run, with the Jaccard index of the row.
    """
    if info.kind == "tags":
        return evolution.by_run(phase, ids, original, reconstructions, scores, info, data)
    lines = {"original": original, **reconstructions}
    columns = [tiles_of([examples[number] for examples in lines.values()], info) for number in range(len(ids))]
    captions = [[f"original\n{phase} {number}" for number in ids]]
    for name in reconstructions:
        captions.append([f"{_short(name)}\n{CAPTIONS[info.kind][1].format(score)}" for score in scores[name]])
    title = f"The same examples of data set {data}, reconstructed by each run {NOTES[info.kind]}"
    return mosaic(title, Tiles([list(row) for row in zip(*columns, strict=True)], captions))


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2 - 1]}…{name[-LETTERS // 2 :]}"
