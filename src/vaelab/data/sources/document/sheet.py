"""A sheet that text and rules are put on with Pillow, and which then becomes a page as a scanner would see it."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from vaelab.data.sources.document.pages import Page, Word

BLACK, WHITE = 0, 255
FONTS = {  # in matplotlib's folder of fonts: regular, bold, italic; and the size at which a line is about as wide
    "sans": (("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"), 1.0),
    "serif": (("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"), 1.0),
    "times": (("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"), 1.2),
    "mono": (("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"), 0.95),
}
STYLES = ("regular", "bold", "italic")


class Look(NamedTuple):
    """How a piece of text is set: style, size as a multiple of the sheet's, family (empty: the sheet's)."""

    style: str = "regular"
    scale: float = 1.0
    family: str = ""


PLAIN, BOLD, SMALL, HEADING = Look(), Look("bold"), Look(scale=0.9), Look("bold", 1.3)


@cache
def _font(family: str, style: str, pixels: int) -> ImageFont.FreeTypeFont:
    file = f"{FONTS[family][0][STYLES.index(style)]}.ttf"
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / file
    return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)  # the one that is always there


def _space(font: ImageFont.FreeTypeFont) -> float:
    return max(1.2 * font.getlength(" "), 0.28 * font.size)  # wide enough to stay a gap at small sizes


@dataclass
class Sheet:
    """A sheet in work. `y` is the base line of the next line of text; a word that does not fit is left out."""

    width: int
    height: int
    family: str
    em: float  # size of the type, pixels
    y: float = 0.0
    words: dict[int, list[Word]] = field(default_factory=dict)  # by base line

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.width, self.height), WHITE)
        self.draw = ImageDraw.Draw(self.image)
        self.margin = round(0.07 * min(self.width, self.height))
        self.y = self.margin + 1.2 * self.em

    @property
    def left(self) -> int:
        """Column at which the text begins."""
        return self.margin

    @property
    def right(self) -> int:
        """Column at which the right margin begins."""
        return self.width - self.margin

    def room(self, lines: float = 1) -> bool:
        """Return whether so many more lines fit above the bottom margin."""
        return self.y + (lines - 1) * self.leading <= self.height - self.margin

    @property
    def leading(self) -> float:
        """Distance of two base lines, pixels."""
        return 1.4 * self.em

    def skip(self, lines: float = 1) -> None:
        """Move down by so many lines."""
        self.y += lines * self.leading

    def font(self, look: Look) -> ImageFont.FreeTypeFont:
        """Return the font for a look."""
        family = look.family or self.family
        return _font(family, look.style, max(6, round(self.em * look.scale * FONTS[family][1])))

    def length(self, text: str, look: Look = PLAIN) -> float:
        """Return the width of a text, pixels."""
        font, words = self.font(look), text.split()
        return sum(font.getlength(word) for word in words) + (len(words) - 1) * _space(font)

    def write(self, x: float, text: str, look: Look = PLAIN, align: float = 0.0) -> float:
        """Write at the base line, and return where the text ends; align 0: x is its left end, 0.5: middle, 1: right."""
        font = self.font(look)
        x -= align * self.length(text, look)
        for word in text.split():
            self._word(round(x), word, font)
            x += font.getlength(word) + _space(font)
        return x - _space(font)

    def paragraph(self, text: str, look: Look = PLAIN) -> None:
        """Write a text over as many lines as it takes, between the margins, and move below it."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.length(longer, look) > self.right - self.left:
                self.write(self.left, line, look)
                self.skip()
                longer = word
            line = longer
        self.write(self.left, line, look)
        self.skip()

    def rule(self, left: float, top: float, right: float, bottom: float, thickness: int = 1) -> None:
        """Draw a straight rule between two points."""
        self.draw.line([(round(left), round(top)), (round(right), round(bottom))], fill=BLACK, width=thickness)

    def box(self, left: float, top: float, right: float, bottom: float, fill: int | None = None) -> None:
        """Draw a rectangle, filled with a gray if one is given; none on a sheet that is too narrow for it."""
        if left <= right and top <= bottom:
            self.draw.rectangle([round(left), round(top), round(right), round(bottom)], outline=BLACK, fill=fill)

    def _word(self, x: int, word: str, font: ImageFont.FreeTypeFont) -> None:
        y = round(self.y)
        left, top, right, bottom = (round(v) for v in self.draw.textbbox((x, y), word, font=font, anchor="ls"))
        if left < 1 or top < 1 or right >= self.width or bottom >= self.height:
            return
        self.draw.text((x, y), word, fill=BLACK, font=font, anchor="ls")
        self.words.setdefault(y, []).append(Word(word, left - 1, top - 1, right + 1, bottom + 1))  # blur reaches out

    def scanned(self, name: str, rng: Generator) -> Page:
        """Return the finished page: blurred a little, on toned paper that is unevenly lit, with noise."""
        blurred = self.image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.55) * self.em / 13))
        white = np.asarray(blurred, dtype=np.float32) / 255
        ink, paper = rng.uniform(5, 70), rng.uniform(222, 250)
        down, across = np.mgrid[-1 : 1 : self.height * 1j, -1 : 1 : self.width * 1j].astype(np.float32)
        light = down * rng.uniform(-5, 5) + across * rng.uniform(-5, 5)
        noise = rng.standard_normal(white.shape, dtype=np.float32) * rng.uniform(1, 4)
        gray = ink + (paper - ink) * white + light + noise
        lines = [sorted(self.words[y], key=lambda word: word.left) for y in sorted(self.words)]
        return Page(name, gray.round().clip(0, 255).astype(np.uint8), lines)
