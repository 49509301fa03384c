"""Tiles of images: the pixels are those of the data."""

import numpy as np
import pytest

from vaelab.data.format.info import image_info
from vaelab.figures.canvas import tiles
from vaelab.figures.image import image_tiles

RANDOM = np.random.default_rng(0)


def image(side, channels=3):
    return RANDOM.integers(0, 256, (channels, side, side), dtype=np.uint8)


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
    shown = image_tiles(list(x), image_info(3, 16, ()))
    assert len(shown) == 2
    assert (shown[1] == tiles.image_tile(x[1])).all()
