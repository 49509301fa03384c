"""Grids in the palette of ARC: original, reconstruction, and the cells that are wrong."""

from collections.abc import Sequence

import numpy as np

from vaelab.dashboard.kinds.kind import KindViews, Look, Panel, Shown
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import PAPER, TILE
from vaelab.figures.grid.cells import extent, grid_tile, grid_tiles

RIGHT, WRONG = (225, 225, 225), (200, 0, 0)


def tiles(grids: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return grids [S, S], each as large as its tile allows."""
    return [grid_tiles([grid], info)[0] for grid in grids]


def panels(shown: Shown, info: DataInfo, look: Look) -> list[Panel]:
    """Return original, reconstruction and the wrong cells, on one scale."""
    x, y, classes = shown.original, shown.reconstruction, len(info.classes)
    side = extent(x, y, classes=classes)
    wrong = x != y
    inside = int(((x != classes) | (y != classes)).sum())
    text = f"{int(wrong.sum())} of {inside} cells wrong"
    found = (
        Panel("Original", grid_tile(x, side, classes, info.classes), "the original grid"),
        Panel("Reconstruction", grid_tile(y, side, classes, info.classes), "its reconstruction"),
        Panel(text.capitalize(), _wrong_tile(wrong, (x != classes) | (y != classes), side), text),
    )
    return [panel._replace(pixels=panel.pixels.repeat(look.zoom, 0).repeat(look.zoom, 1)) for panel in found]


def _wrong_tile(wrong: np.ndarray, inside: np.ndarray, side: int) -> np.ndarray:
    scale = TILE // side
    cells = np.full((side, side, 3), PAPER, np.uint8)
    cells[inside[:side, :side]] = RIGHT
    cells[wrong[:side, :side]] = WRONG
    tile = np.full((TILE, TILE, 3), PAPER, np.uint8)
    tile[: side * scale, : side * scale] = cells.repeat(scale, 0).repeat(scale, 1)
    return tile


def legend(look: Look) -> tuple[str, np.ndarray | None]:
    """Return what the colours stand for."""
    return (
        "Cells in the colours of classes; on the right gray: right, red: wrong (also cells outside of the grid)",
        None,
    )


GRID = KindViews(
    "grid", "grids", tiles, panels, legend, ("accuracy", "foreground_accuracy", "exact_match", "distortion", "rate")
)
