"""Whole strips, stitched from their patches, with scores, masks and detections.

n patches of a strip, C channels, S side of a patch, R source pixels to a side of one of its own, h cells of a score
map to a side. A pixel of the picture, h w of them, is `grain` source pixels a side.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import ndimage

from vaelab.figures.canvas.artists import Pixels, caption
from vaelab.figures.canvas.mosaic import CAPTION_LINE, GAP, LEAST_WIDTH, MARGIN, titled
from vaelab.figures.canvas.names import label
from vaelab.figures.canvas.tiles import PAPER, Scale, image_tile
from vaelab.figures.defects.overlay import (
    BAR_FOOT,
    BLACK,
    CYAN,
    WHITE,
    draw_lying_bar,
    nothing,
    outlined,
    overlay,
    overlay_colours,
    page_of,
    pooled,
    whole,
)

MOST_WIDTH = 2048  # pixels of the picture, as are all below
HATCH, HATCH_EVERY = 205, 8
INSET = 4  # between a patch and the region that marks it
BETWEEN = 14  # both pictures of a strip, for numbers
TICK, TICK_ROOM = 4, 18  # a tick; that and its number
LEAST_TICK = 64  # between two
BAR_WIDTH = 480
PLATE, PLATE_LETTER = 11, 6  # height of a number, width of a letter
THIN = 1  # line around masks, which may be thin themselves
TICKS = 8  # of a strip, about; no pixels
LEGEND = (
    "Each strip: its patches, as the model sees them; below, their scores over them, the highest where patches overlap."
    "\nCyan: outline of the mask. White: flagged patches, with the highest score of a patch among them. "
    "Hatched: no patch."
)


class Strip(NamedTuple):
    """A strip as its patches."""

    name: str
    group: str
    defect: str  # "none" for none
    shape: tuple[int, int]  # height and width, source pixels
    reduce: int  # R
    x: np.ndarray  # uint8 [n, C, S, S]
    top: np.ndarray  # int [n], source pixels
    left: np.ndarray  # int [n]
    score: np.ndarray  # float [n, h, h]
    mask: np.ndarray | None  # uint8 [n, R·S, R·S], 1 on defects; None where none is known
    flagged: np.ndarray  # bool [n]
    value: np.ndarray  # float [n]: score of each patch


class Stitched(NamedTuple):
    """A strip as one image."""

    pixels: np.ndarray  # uint8 [h, w, 3], hatched where no patch is
    score: np.ndarray  # float [h, w], −inf where no patch is
    mask: np.ndarray  # bool [h, w]
    flagged: np.ndarray  # float [h, w]: value inside of flagged patches, −inf elsewhere


def strip_view(title: str, strips: Sequence[Strip], scale: Scale) -> Figure:
    """Return strips below each other, each with its scores, the outline of its mask and its flagged patches.

    Args:
        title: what is shown.
        strips: whole ones; of none, the picture says that there are none.
        scale: of the score maps.
    """
    if not strips:
        return nothing(title)
    size = grain(strips)
    views = [stitch(strip, size) for strip in strips]
    width = max(LEAST_WIDTH, *(view.mask.shape[1] for view in views))
    head = CAPTION_LINE * (LEGEND.count("\n") + 1)
    heights = [2 * GAP + CAPTION_LINE + 2 * len(view.mask) + BETWEEN + TICK_ROOM for view in views]
    figure, top = titled(title, width + 2 * MARGIN, head + sum(heights) + BAR_FOOT)
    page = page_of(figure, MARGIN, top, width, head + sum(heights))
    caption(page, 0, 0, LEGEND, fontsize=8, va="top")
    down = head
    for strip, view, height in zip(strips, views, heights, strict=True):
        down += 2 * GAP + CAPTION_LINE
        caption(page, 0, down - 4, label(_heading(strip), width), fontsize=8, va="bottom")
        image = _image(page, view, scale, down)
        _draw_ticks(page, image, strip.shape[1], size, down + len(image))
        figure.add_artist(Pixels(image, MARGIN, top + down))
        down += height - 2 * GAP - CAPTION_LINE
    draw_lying_bar(figure, scale, overlay_colours(scale), MARGIN, top + down, BAR_WIDTH)
    return figure


def grain(strips: Sequence[Strip]) -> int:
    """Return the least power of two, of source pixels to a pixel of the picture, with which all strips have room."""
    widest, size = max(strip.shape[1] for strip in strips), 1
    while -(-widest // size) > MOST_WIDTH:
        size *= 2
    return size


def stitch(strip: Strip, size: int) -> Stitched:
    """Return the patches of a strip at their places, `size` source pixels to a pixel."""
    height, width = (-(-pixels // size) for pixels in strip.shape)
    line = np.add.outer(np.arange(height), np.arange(width)) % HATCH_EVERY == 0
    pixels = np.where(line[..., None], HATCH, PAPER).astype(np.uint8).repeat(3, 2)
    score, flagged = np.full((2, height, width), -np.inf, np.float32)
    mask, side = np.zeros((height, width), bool), max(1, strip.reduce * strip.x.shape[-1] // size)
    inset = min(INSET, side // 4)
    for number, (top, left) in enumerate(zip(strip.top // size, strip.left // size, strict=True)):
        place = slice(top, top + side), slice(left, left + side)
        pixels[place] = image_tile(strip.x[number], side)
        np.maximum(score[place], pooled(strip.score[number], side), out=score[place])
        if strip.mask is not None:
            mask[place] |= pooled(strip.mask[number], side) != 0
        if strip.flagged[number]:
            inner = flagged[top + inset : top + side - inset, left + inset : left + side - inset]
            np.maximum(inner, strip.value[number], out=inner)
    return Stitched(pixels, score, mask, flagged)


def _image(page: Axes, view: Stitched, scale: Scale, down: int) -> np.ndarray:
    """The strip above its scores, with room for ticks, and numbers of the flagged patches on the page."""
    heat = np.where(np.isfinite(view.score)[..., None], overlay(view.pixels, view.score, scale), view.pixels)
    flagged = np.isfinite(view.flagged)
    heat = outlined(outlined(heat, flagged, WHITE), whole(view.mask, THIN), CYAN, THIN)
    regions, _ = ndimage.label(flagged, np.ones((3, 3)))
    for number, place in enumerate(ndimage.find_objects(regions), 1):
        inside = regions[place] == number
        text = _printed(view.flagged[place][inside].max())
        y, x = place[0].start - INSET - 2, place[1].start + int(inside[0].argmax())
        y = y if y >= PLATE else 0  # above the region, in the picture; else above the picture
        heat[max(0, y - PLATE) : y, x : x + PLATE_LETTER * len(text) + 2] = BLACK
        colour = "white" if y else "black"
        bottom = down + len(heat) + BETWEEN + y
        caption(page, x + 1, bottom, text, fontsize=7, va="bottom", color=colour)
    paper = np.full((BETWEEN + TICK, heat.shape[1], 3), PAPER, np.uint8)
    return np.concatenate([view.pixels, paper[:BETWEEN], heat, paper[BETWEEN:]])


def _draw_ticks(page: Axes, image: np.ndarray, width: int, size: int, below: int) -> None:
    step = 2 ** max(round(np.log2(width / TICKS)), round(np.log2(LEAST_TICK * size)))
    for place in range(0, width, step):
        image[-TICK:, place // size] = BLACK
        caption(page, place // size, below, f"{place}" if place else "0 px", fontsize=7, va="top")


def _heading(strip: Strip) -> str:
    flagged = strip.flagged
    parts = [strip.name, f"group {strip.group}"]
    if strip.defect != "none" and strip.mask is not None:
        marked = strip.mask.any((1, 2))
        parts.append(f"defect: {strip.defect}, {_counted(flagged[marked])}")
        parts.append(f"without it: {_counted(flagged[~marked])}")
    else:
        known = "no defect" if strip.defect == "none" else f"defect: {strip.defect}, no mask"
        parts.append(f"{known}, {_counted(flagged)}")
    return " · ".join([*parts, f"highest score {_printed(strip.value.max())}"] if len(flagged) else parts)


def _counted(flagged: np.ndarray) -> str:
    return f"{len(flagged)} {'patch' if len(flagged) == 1 else 'patches'} ({int(flagged.sum())} flagged)"


def _printed(value: float) -> str:
    return f"{value:#.3g}".rstrip(".")
