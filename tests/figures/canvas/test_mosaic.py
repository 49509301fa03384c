"""Mosaics and heat maps: every pixel where it belongs, and what is compared shares a scale."""

import numpy as np
import pytest
from PIL import Image

from vaelab.figures.canvas import files, mosaic, tiles

RANDOM = np.random.default_rng(0)


def image(side):
    return RANDOM.integers(0, 256, (3, side, side), dtype=np.uint8)


@pytest.mark.parametrize("side", [16, 100, 300])
def test_a_mosaic_shows_each_pixel(side, tmp_path):
    rows = [[tiles.image_tile(image(side)) for _ in range(count)] for count in (3, 2)]
    part = mosaic.Tiles(rows, [["a\nb"] * 3, ["c"] * 2])
    files.save_png(mosaic.mosaic("title", part), tmp_path / "mosaic.png")
    with Image.open(tmp_path / "mosaic.png") as saved:
        shown = np.asarray(saved.convert("RGB"))
    for row, line in enumerate(rows):
        top = 32 + row * (part.head + part.side) + part.head
        for column, tile in enumerate(line):
            left = mosaic.MARGIN + column * part.pitch
            assert (shown[top : top + part.side, left : left + part.side] == tile).all()


@pytest.mark.parametrize(("captions", "head"), [([], 8), ([["a"]], 22), ([["a\nb"]], 34), ([["a\nb\nc"]], 46)])
def test_captions_have_as_much_room_as_they_need(captions, head):
    assert mosaic.Tiles([[tiles.image_tile(image(16))]], captions).head == head


def test_captions_stay_in_their_column():
    captions = [["original\ntrain 123456", "PSNR 24.3 dB\nloss -123456.7"]]
    part = mosaic.Tiles([[tiles.image_tile(image(90))] * 2], captions)
    figure = mosaic.mosaic("title", part)
    figure.canvas.draw()
    for text in figure.axes[0].texts:
        assert text.get_window_extent().width <= part.pitch


def test_a_long_title_is_broken_and_stays_in_the_figure():
    figure = mosaic.mosaic("a title that is too long " * 9, mosaic.Tiles([[tiles.image_tile(image(16))]], []))
    figure.canvas.draw()
    place = figure.get_suptitle().count("\n"), figure._suptitle.get_window_extent()
    assert place[0] == 1
    assert place[1].x0 >= 0
    assert place[1].x1 <= figure.bbox.x1


def test_a_scale_from_zero_holds_all_but_a_thousandth():
    values = np.linspace(0, 1, 10001)
    scale = tiles.up_from_zero(values, "", 0.1)
    assert (scale.low, scale.high, scale.beyond) == (0, pytest.approx(0.999), "max")
    assert tiles.up_from_zero(values / 100, "", 0.1) == tiles.Scale(0, 0.1, "inferno", "", "neither")


def test_a_scale_around_zero_is_symmetric():
    scale = tiles.around_zero(np.array([-3.0, 1.0, 2.0]), "", 1.0)
    assert (scale.low, scale.high) == (pytest.approx(-3, rel=0.01), -scale.low)
    assert tiles.around_zero(np.zeros(3), "", 1.0) == tiles.Scale(-1, 1, "RdBu_r", "", "neither")


def test_blue_is_below_zero_and_red_above():
    values = np.repeat([[-1.0, 0.0, 1.0]], 3, axis=0)
    low, zero, high = tiles.heat_tile(values, tiles.around_zero(values, "", 1.0), 3)[0].astype(int)
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert zero.min() > 240


def test_the_bar_of_a_row_stands_beside_it_with_its_scale():
    scale = tiles.Scale(0, 0.3, "inferno", "difference\nshare", "neither")
    part = mosaic.Tiles([[tiles.image_tile(image(16))]] * 2, [], {1: scale})
    figure = mosaic.mosaic("title", part)
    picture, bar = figure.axes
    assert (bar.get_ylabel(), bar.get_ylim()) == ("difference\nshare", (0, 0.3))
    assert bar.get_position().y0 == pytest.approx(picture.get_position().y0)
    figure.canvas.draw()
    assert bar.get_position().height * figure.bbox.height == pytest.approx(part.side)
    assert bar.get_tightbbox().x1 <= figure.bbox.x1
