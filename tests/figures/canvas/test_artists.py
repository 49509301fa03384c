"""Pixels and captions land where they are put."""

import numpy as np
import pytest
from PIL import Image

from vaelab.figures.canvas import files
from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import box, paste

SIDE = 200


def drawn(tmp_path, image, **looks):
    figure = files.new_figure(SIDE / files.DPI, SIDE / files.DPI)
    figure.set_layout_engine("none")
    axes = box(figure, 0, 0, SIDE, SIDE)
    if looks:
        caption(axes, SIDE / 2, SIDE / 2, looks.pop("text"), fontsize=8, **looks)
    paste(figure, axes, image, 0, 0)
    files.save_png(figure, tmp_path / "picture.png")
    return np.asarray(Image.open(tmp_path / "picture.png"))


def ink(pixels):
    """First and last row and column that are not white, and one past them."""
    dark = (pixels < 255).any(2)
    rows, columns = np.nonzero(dark.any(1))[0], np.nonzero(dark.any(0))[0]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def test_an_image_comes_out_pixel_for_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    assert (drawn(tmp_path, image) == image).all()


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_caption_is_on_the_side_of_its_place_that_it_asks_for(tmp_path, rotation):
    paper, middle = np.full((SIDE, SIDE, 3), 255, np.uint8), SIDE / 2
    size = {}
    for across, up in (("left", "bottom"), ("right", "top"), ("center", "center")):
        shown = drawn(tmp_path, paper, text="several letters", ha=across, va=up, rotation=rotation)
        top, bottom, left, right = ink(shown)
        size[across] = (bottom - top, right - left)
        assert {"left": left >= middle, "right": right <= middle + 1, "center": abs(left + right - SIDE) <= 4}[across]
        assert {"bottom": bottom <= middle + 1, "top": top >= middle, "center": abs(top + bottom - SIDE) <= 6}[up]
    assert len(set(size.values())) == 1
    assert (size["left"][0] > size["left"][1]) == (rotation == 90)


def test_a_caption_has_its_colour_its_lines_and_no_escapes(tmp_path):
    paper = np.full((SIDE, SIDE, 3), 255, np.uint8)
    one = drawn(tmp_path, paper, text=r"\$x", color="#ff0000", va="top")
    assert (one[..., 0] == 255).all()  # red on white
    assert (one == drawn(tmp_path, paper, text="$x", color="#ff0000", va="top")).all()
    two = drawn(tmp_path, paper, text="$x\n$x", color="#ff0000", va="top")
    top, bottom, *_ = ink(one)
    assert ink(two)[1] - ink(two)[0] > 1.8 * (bottom - top)
