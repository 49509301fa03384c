"""Pictures of examples that are shown as tiles: checkpoints, runs, samples of the prior, ways through the latents."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.kind import ExamplePictures, Numbers, SameExamples

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.measures.snapshots import Snapshot

PAIRS_PER_ROW, SAMPLES_PER_ROW = 5, 12
LETTERS = 20  # of a run's name above a tile


class Tiling(NamedTuple):
    """How a kind of examples is shown as tiles."""

    tiles: Callable[[Sequence[np.ndarray], DataInfo], list[np.ndarray]]  # of one scale, each uint8 [side, side, 3]
    score: str  # what stands above a reconstruction
    printed: str  # how it is printed
    decoded: str  # what is shown of a distribution
    caption: Callable[[np.ndarray, DataInfo], str] | None = None  # above a sample of the prior


def tile_pictures(tiling: Tiling) -> ExamplePictures:
    """Return pictures of examples as mosaics of tiles."""
    drawn = (_checkpoint, _filmstrip, _by_run, _prior_samples, _traversals, _interpolations)
    return ExamplePictures(*(partial(draw, tiling) for draw in drawn))


def _checkpoint(tiling: Tiling, title: str, snapshot: "Snapshot", scored: Sequence[str], info: DataInfo) -> Figure:
    """Original beside reconstruction for each sample."""
    rows: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    for number in range(len(snapshot.ids)):
        if number % PAIRS_PER_ROW == 0:
            rows.append([])
            captions.append([])
        rows[-1] += tiling.tiles((snapshot.original[number], snapshot.reconstruction[number]), info)
        captions[-1] += [f"original\ntrain {snapshot.ids[number]}", scored[number]]
    return mosaic(title, Tiles(rows, captions))


def _filmstrip(tiling: Tiling, snapshots: Sequence["Snapshot"], count: int, info: DataInfo) -> Figure:
    """A row for each sample, original first."""
    first = snapshots[0]
    rows, captions = [], []
    for number in range(count):
        rows.append(tiling.tiles([first.original[number], *(s.reconstruction[number] for s in snapshots)], info))
        scores = [f"epoch {s.facts['epoch']}\n{tiling.printed.format(s.score[number])}" for s in snapshots]
        captions.append([f"original\ntrain {first.ids[number]}", *scores])
    return mosaic(f"The same training samples at each checkpoint {tiling.score}", Tiles(rows, captions))


def _by_run(tiling: Tiling, same: SameExamples, info: DataInfo) -> Figure:
    """A column for each example: the original, then each run's reconstruction with its score."""
    lines = [same.original, *same.reconstructions.values()]
    columns = [tiling.tiles([examples[number] for examples in lines], info) for number in range(len(same.ids))]
    captions = [[f"original\n{same.phase} {number}" for number in same.ids]]
    for name in same.reconstructions:
        captions.append([f"{_short(name)}\n{tiling.printed.format(score)}" for score in same.scores[name]])
    title = f"The same examples of data set {same.data}, reconstructed by each run {tiling.score}"
    return mosaic(title, Tiles([list(row) for row in zip(*columns, strict=True)], captions))


def _prior_samples(tiling: Tiling, samples: np.ndarray, prior: str, info: DataInfo) -> Figure:
    rows = [samples[start : start + SAMPLES_PER_ROW] for start in range(0, len(samples), SAMPLES_PER_ROW)]
    tiles = [[tiling.tiles([sample], info)[0] for sample in row] for row in rows]
    captions = [[tiling.caption(sample, info) for sample in row] for row in rows] if tiling.caption else []
    return mosaic(f"Samples from the prior: {prior}, {tiling.decoded}", Tiles(tiles, captions))


def _traversals(
    tiling: Tiling, examples: np.ndarray, dimensions: Numbers, values: Sequence[float], start: str, info: DataInfo
) -> Figure:
    tiles = [tiling.tiles(list(row), info) for row in examples]
    captions = [[f"z[{j}] = {value:+.1f}" for value in values] for j in dimensions]
    title = "Traversals: one latent at a time, those with the largest KL; the others at the posterior mean of"
    return mosaic(f"{title} {start}", Tiles(tiles, captions))


def _interpolations(tiling: Tiling, examples: np.ndarray, pairs: np.ndarray, phase: str, info: DataInfo) -> Figure:
    shares = np.linspace(0, 1, examples.shape[1])
    captions = [[f"{phase} {a} · {1 - s:.2f}\n{phase} {b} · {s:.2f}" for s in shares] for a, b in pairs]
    tiles = [tiling.tiles(list(row), info) for row in examples]
    title = "Interpolations: straight lines in latent space between the means of two examples"
    return mosaic(title, Tiles(tiles, captions))


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2 - 1]}…{name[-LETTERS // 2 :]}"
