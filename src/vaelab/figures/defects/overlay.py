"""Score maps over the images that they are of, and outlines that read on any of them.

h w pixels of what is drawn.
"""

import textwrap
from collections.abc import Iterable

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from scipy import ndimage

from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import BAR, GAP, LEAST_WIDTH, MARGIN, box, titled
from vaelab.figures.canvas.tiles import Scale

BAR_FOOT = GAP + BAR + 64  # pixels of a lying colour bar, its ticks and three lines of label
LABEL_LETTER = 5  # pixels of a letter of that label, rather too few: a line may be as wide as the bar and a little more
OPAQUE = (0.15, 0.85)  # share of the heat in what is shown, at the low and at the high end of the scale
LEVELS = 256
CYAN, WHITE, BLACK = (0, 229, 255), (255, 255, 255), (0, 0, 0)
LINE = 2  # pixels
EIGHT = np.ones((3, 3), bool)  # neighbours of a pixel
LUMINANCE = np.array([0.299, 0.587, 0.114])


def score_scale(maps: Iterable[np.ndarray], name: str) -> Scale:
    """Return the scale of score maps: from their median, as defects are small, to all but a thousandth of the cells.

    Args:
        maps: of any sides.
        name: the score and its unit.
    """
    values = np.concatenate([np.zeros(0), *(np.ravel(found) for found in maps)])
    if not len(values):
        return Scale(0.0, 1.0, "plasma", name, "neither")
    low, high = (float(value) for value in np.quantile(values, (0.5, 0.999)))
    high = high if high > low else low + 1
    return Scale(
        low, high, "plasma", name, "both" if values.min() < low else "max" if values.max() > high else "neither"
    )


def pooled(values: np.ndarray, side: int) -> np.ndarray:
    """Return a map [n, n] as [side, side]: cells are repeated where it grows; the largest stays where it shrinks.

    So a mask keeps a defect of one pixel, and a score map its highest cell.
    """
    n = len(values)
    if n <= side:
        cells = (2 * np.arange(side) + 1) * n // (2 * side)
        return values[cells][:, cells]
    starts = np.arange(side) * n // side
    shrunk: np.ndarray = np.maximum.reduceat(np.maximum.reduceat(values, starts, 0), starts, 1)
    return shrunk


def overlay(pixels: np.ndarray, scores: np.ndarray, scale: Scale) -> np.ndarray:
    """Return pixels uint8 [h, w, 3], turned gray, under scores [h, w], which cover more the higher they are."""
    level = np.clip((scores - scale.low) / (scale.high - scale.low), 0, 1)
    place = np.rint((LEVELS - 1) * np.nan_to_num(level)).astype(np.int64)
    colours, share = _heat(scale)
    gray = (pixels @ LUMINANCE)[..., None]
    return np.asarray(np.rint(255 * (share * colours)[place] + (1 - share)[place] * gray).astype(np.uint8))


def outlined(pixels: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = CYAN, line: int = LINE) -> np.ndarray:
    """Return pixels uint8 [h, w, 3] with a line around the regions of a mask [h, w], and a black one around that.

    The lines are outside of the regions, but where those reach the edge of the picture.
    """
    inside = mask != 0
    if not inside.any():
        return pixels
    grown = ndimage.binary_dilation(inside, EIGHT, line)
    frame = np.ones_like(inside)
    frame[line:-line, line:-line] = False
    drawn = pixels.copy()
    drawn[ndimage.binary_dilation(grown, EIGHT) & ~grown] = BLACK
    drawn[grown & ~inside | inside & frame] = colour
    return drawn


def whole(mask: np.ndarray, line: int = LINE) -> np.ndarray:
    """Return a mask [h, w] without holes, and without gaps that the outlines of both sides would fill."""
    wide = np.pad(mask != 0, 2 * line)
    wide = ndimage.binary_fill_holes(ndimage.binary_closing(wide, EIGHT, line))
    filled: np.ndarray = wide[2 * line : -2 * line, 2 * line : -2 * line]
    return filled


def overlay_colours(scale: Scale) -> Colormap:
    """Return the colours that scores have over middle gray, low to high."""
    colours, share = _heat(scale)
    return ListedColormap(share * colours + (1 - share) / 2)


def draw_lying_bar(figure: Figure, scale: Scale, colours: str | Colormap, left: int, top: int, width: int) -> None:
    """Draw a horizontal colour bar GAP pixels below this place, of that width; it takes BAR_FOOT pixels."""
    axes = box(figure, left, top + GAP, width, BAR)
    shown = ScalarMappable(Normalize(scale.low, scale.high), colours)
    bar = figure.colorbar(shown, cax=axes, orientation="horizontal", extend=scale.beyond, extendfrac=0.05)
    bar.ax.tick_params(labelsize=7)
    bar.set_label(textwrap.fill(" ".join(scale.label.split()), width // LABEL_LETTER), fontsize=7)


def page_of(figure: Figure, left: int, top: int, width: int, height: int) -> Axes:
    """Return axes without a frame that count pixels, from their top left, which is at this place of the figure."""
    axes = box(figure, left, top, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def nothing(title: str) -> Figure:
    """Return a picture that says that there is nothing to be shown."""
    figure, top = titled(title, LEAST_WIDTH + 2 * MARGIN, 60)
    caption(page_of(figure, MARGIN, top, LEAST_WIDTH, 60), 0, 10, "There are none.", fontsize=9, va="top")
    return figure


def _heat(scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Colour [LEVELS, 3] and share [LEVELS, 1] of each level in what is shown."""
    level = np.linspace(0, 1, LEVELS)
    return colormaps[scale.colours](level)[:, :3], (OPAQUE[0] + (OPAQUE[1] - OPAQUE[0]) * level)[:, None]
