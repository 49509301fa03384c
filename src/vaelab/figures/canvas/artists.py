"""Artists that go to the picture pixel for pixel: an image as it is, and short texts as bitmaps.

matplotlib resamples every image, by a factor of 1 too, and draws text glyph by glyph: a picture of 200 captions takes a
second. Here texts are rasterised by Pillow, line by line.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.text import Text
from PIL import Image, ImageDraw, ImageFont

from vaelab.figures.canvas.files import DPI

BEFORE = {"left": 0, "bottom": 0, "center": 0.5, "right": 1, "top": 1}  # share of a text left of its place, or below


class Pixels(Artist):
    """An image uint8 [h, w, 3] whose top left pixel is `left` pixels from the left and `top` from the top."""

    def __init__(self, image: np.ndarray, left: int, top: int) -> None:
        super().__init__()
        self.image, self.left, self.top = image, left, top
        self.set_zorder(-1)

    def draw(self, renderer: RendererBase) -> None:
        """Put the image on the canvas."""
        height, width = self.image.shape[:2]
        pixels = np.full((height, width, 4), 255, dtype=np.uint8)
        pixels[..., :3] = self.image[::-1]  # canvases count from the bottom
        bottom = renderer.get_canvas_width_height()[1] - self.top - height
        renderer.draw_image(renderer.new_gc(), self.left, bottom, pixels)


class Caption(Text):
    """Plain text at a place: upright or turned by 90 degrees, aligned as matplotlib does but on whole pixels."""

    def draw(self, renderer: RendererBase) -> None:
        """Put the bitmap of the text on the canvas."""
        text = self.get_text()
        if not text:
            return
        across, up = self.get_horizontalalignment(), self.get_verticalalignment()
        mask = _bitmap(text.replace(r"\$", "$"), float(self.get_fontsize()) * DPI / 72, across == "right")
        mask = np.rot90(mask) if self.get_rotation() else mask
        pixels = np.empty((*mask.shape, 4), dtype=np.uint8)
        pixels[..., :3] = np.rint(255 * np.array(to_rgb(self.get_color())))
        pixels[..., 3] = mask[::-1]
        x, y = self.get_transform().transform(self.get_unitless_position())
        left = x - BEFORE[across] * mask.shape[1]
        bottom = y - BEFORE[up] * mask.shape[0]
        renderer.draw_image(renderer.new_gc(), math.floor(left), math.floor(bottom), pixels)


def caption(axes: Axes, x: float, y: float, text: str, **looks: Any) -> None:
    """Add a caption to axes, like `axes.text`."""
    artist = Caption(x, y, text, **looks)
    artist.set_transform(axes.transData)
    axes.add_artist(artist)


@lru_cache(maxsize=4096)
def _bitmap(text: str, size: float, right: bool) -> np.ndarray:
    """How much each pixel is covered, uint8 [h, w]; the lines one below the other."""
    font, lines = _font(size), text.split("\n")
    ascent, descent = font.getmetrics()
    line = ascent + descent - 1
    widths = [font.getlength(each) for each in lines]
    image = Image.new("L", (int(max(widths)) + 2, line * len(lines) + 1))
    draw = ImageDraw.Draw(image)
    for number, (each, width) in enumerate(zip(lines, widths, strict=True)):
        draw.text((image.width - 1 - width if right else 0, number * line), each, fill=255, font=font)
    return np.asarray(image)


@lru_cache(maxsize=8)
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont(FontProperties()), size)
