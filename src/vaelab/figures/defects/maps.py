"""Patches beside their reconstructions, with errors, scores and the outline of the defect, on scales for all.

C channels, S side of a patch, R source pixels to a side of one of its own, h cells of a score map to a side.
"""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import (
    CAPTION_LINE,
    GAP,
    LEAST_WIDTH,
    LETTER,
    MARGIN,
    TITLE_LINE,
    Tiles,
    draw_tiles,
    titled,
)
from vaelab.figures.canvas.names import label
from vaelab.figures.canvas.tiles import Scale, around_zero, heat_tile, image_tile, up_from_zero
from vaelab.figures.defects.overlay import (
    BAR_FOOT,
    draw_lying_bar,
    nothing,
    outlined,
    overlay,
    overlay_colours,
    page_of,
    pooled,
    whole,
)
from vaelab.figures.image.errors import difference, spectrum_difference

Bar = tuple[Scale, str | Colormap, int, int]  # the latter: first and last of the columns that it stands below

ROOM, SMALL_ROOM = 192, 128  # pixels of a tile, about
FRAME_LINES = 2  # of the title and of each caption in a frame of a GIF
PER_ROW = 3  # patches in a row of such a frame
ERROR = "absolute error, mean over channels, share of the range"
SPECTRUM = "log amplitude, reconstruction less original, dB; blue: lost, red: added"
FOURIER = "FFT error map: frequency 0 in the\nmiddle, 0.5 per pixel at the edges"
OVERLAY = "score over the original"
OUTLINE = "cyan line: mask of the defect"


class ShownPatch(NamedTuple):
    """A patch and what is known of it."""

    x: np.ndarray  # uint8 [C, S, S]
    reconstruction: np.ndarray  # uint8 [C, S, S]
    score: np.ndarray  # float [h, h]
    mask: np.ndarray | None  # uint8 [R·S, R·S], 1 on defects; None where none is known
    caption: Sequence[str]  # lines


def patches(title: str, shown: Sequence[ShownPatch], scale: Scale, among: Sequence[ShownPatch] = ()) -> Figure:
    """Return a row per patch: original, reconstruction, error map, FFT error map, score map over the original.

    Args:
        title: what is shown, and why these.
        shown: patches of one side; of none, the picture says that there are none.
        scale: of the score maps.
        among: patches, these among them, of all pictures that share scales of errors; none: of this picture alone.
    """
    if not shown:
        return nothing(title)
    errors, spectra = _errors(shown)
    every, spectra_of_every = _errors(among) if among else (errors, spectra)
    of_error, of_spectrum = up_from_zero(every, ERROR, 1 / 255), around_zero(spectra_of_every, SPECTRUM, 1.0)
    rows, captions = [], []
    for one, error, spectrum in zip(shown, errors, spectra, strict=True):
        original, decoded, heat = _tiles(one, scale, ROOM)
        rows.append([original, decoded, heat_tile(error, of_error, ROOM), heat_tile(spectrum, of_spectrum, ROOM), heat])
        lines = _fitted(one.caption, len(rows[0]) * len(original))
        captions.append([f"\n{lines}", "", "", "", ""])  # a line apart from the row above
    tiles, last = Tiles(rows, captions), len(rows[0]) - 1
    bars: list[Bar] = [(of_error, of_error.colours, 2, 2), (of_spectrum, of_spectrum.colours, 3, 3)]
    headings = ["original", "reconstruction", "error map", FOURIER, f"{OVERLAY}\n{_legend(shown)}".rstrip()]
    return _page(title, tiles, headings, [*bars, (scale, overlay_colours(scale), last, last)])


def film_frame(title: str, shown: Sequence[ShownPatch], scale: Scale) -> Figure:
    """Return original, reconstruction and score map over the original of each patch, as a frame of a GIF.

    Its size follows from the number of patches and their side alone: titles and captions are cut to two lines.

    Args:
        title: the epoch, and how well the scores tell defects.
        shown: the same patches in every frame, of one side.
        scale: of the score maps, the same in every frame.
    """
    if not shown:
        return nothing(title)
    tiles = _triples([shown[start : start + PER_ROW] for start in range(0, len(shown), PER_ROW)], scale)
    heading = f"of each patch: original, reconstruction, {OVERLAY}; {_legend(shown)}".rstrip("; ")
    return _page(title, tiles, [heading], [(scale, overlay_colours(scale), 0, 2)], FRAME_LINES)


def kinds_of_patches(title: str, groups: Sequence[Sequence[ShownPatch]], scale: Scale) -> Figure:
    """Return original, reconstruction and score map over the original of patches, a row for each group.

    Args:
        title: what is shown.
        groups: PER_ROW patches each, or fewer; what each is says the first line of its captions.
        scale: of the score maps.
    """
    groups = [group for group in groups if group]
    if not groups:
        return nothing(title)
    every = [one for group in groups for one in group]
    heading = f"of each patch: original, reconstruction, {OVERLAY}; {_legend(every)}".rstrip("; ")
    return _page(title, _triples(groups, scale), [heading], [(scale, overlay_colours(scale), 0, 2)])


def _triples(groups: Sequence[Sequence[ShownPatch]], scale: Scale) -> Tiles:
    """Three tiles for each patch, a row for each group."""
    rows: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    for group in groups:
        rows.append([])
        captions.append([])
        for one in group:
            rows[-1] += _tiles(one, scale, SMALL_ROOM)
            lines = [*one.caption, *[""] * FRAME_LINES][:FRAME_LINES]
            captions[-1] += [_fitted(lines, 3 * len(rows[0][0])), "", ""]
    return Tiles(rows, captions)


def _errors(shown: Sequence[ShownPatch]) -> tuple[np.ndarray, np.ndarray]:
    """Errors and differences of spectra, both [n, S, S]."""
    x, reconstruction = (np.stack([getattr(one, name) for one in shown]) for name in ("x", "reconstruction"))
    return difference(x, reconstruction), spectrum_difference(x, reconstruction)


def _tiles(one: ShownPatch, scale: Scale, room: int) -> list[np.ndarray]:
    """Original, reconstruction and overlay, each uint8 [side, side, 3]."""
    original, decoded = image_tile(one.x, room), image_tile(one.reconstruction, room)
    heat = overlay(original, pooled(one.score, len(original)), scale)
    return [original, decoded, heat if one.mask is None else outlined(heat, whole(pooled(one.mask, len(heat))))]


def _fitted(lines: Sequence[str], pixels: int) -> str:
    return "\n".join(label(line, pixels) for line in lines)


def _legend(shown: Sequence[ShownPatch]) -> str:
    return OUTLINE if any(one.mask is not None and one.mask.any() for one in shown) else ""


def _page(
    title: str, tiles: Tiles, headings: Sequence[str], bars: Sequence[Bar], title_lines: int | None = None
) -> Figure:
    """A figure of tiles with headings above their columns and colour bars below; room for some lines of title."""
    width = max(tiles.width, LEAST_WIDTH)
    head = CAPTION_LINE * max(text.count("\n") + 1 for text in headings) + GAP
    height, spare = head + tiles.height + BAR_FOOT, 0
    if title_lines is not None:
        wrapped = textwrap.wrap(title, (width + 2 * MARGIN) // LETTER, max_lines=title_lines, placeholder=" …")
        title, spare = " ".join(wrapped), TITLE_LINE * (title_lines - len(wrapped))
    figure, top = titled(title, width + 2 * MARGIN, height + spare)
    top += spare
    page = page_of(figure, MARGIN, top, width, head)
    for column, text in enumerate(headings):
        caption(page, column * tiles.pitch, head - 4, text, fontsize=8, va="bottom")
    draw_tiles(figure, tiles, MARGIN, top + head)
    for scale, colours, first, last in bars:
        across, below = (last - first) * tiles.pitch + tiles.side, top + head + tiles.height
        draw_lying_bar(figure, scale, colours, MARGIN + first * tiles.pitch, below, across)
    return figure
