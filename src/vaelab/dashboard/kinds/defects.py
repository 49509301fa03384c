"""Images of data with defects: the mask as an outline, and the map of the anomaly score over the original."""

import numpy as np

from vaelab.dashboard.kinds import image
from vaelab.dashboard.kinds.kind import Look, Panel, Shown
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import Scale, image_tile
from vaelab.figures.defects.overlay import outlined, overlay, overlay_colours, pooled

ROOM = 128  # pixels of a tile, about


def panels(shown: Shown, info: DataInfo, look: Look) -> list[Panel]:
    """Return original with the mask's outline, reconstruction, error, and the score map where there is one."""
    first, *others = image.panels(shown, info, look)
    marked = _outlined(first.pixels, shown.mask)
    known = "" if shown.mask is None else ", mask" if shown.mask.any() else ", intact"
    found = [Panel(f"Original{known}", marked, f"the original image{known}"), *others]
    if shown.scores is None or look.scores is None:
        return found
    pixels = image_tile(shown.original, info.shape[-1] * look.zoom)
    heat = overlay(pixels, pooled(shown.scores, len(pixels)), look.scores)
    text = f"score map, highest cell {shown.scores.max():.3g}"
    return [*found, Panel(f"Score: max {shown.scores.max():.3g}", _outlined(heat, shown.mask), text)]


def _outlined(pixels: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return pixels if mask is None else outlined(pixels, pooled(mask, len(pixels)))


def marked(shown: Shown, scale: Scale) -> np.ndarray:
    """Return the score map over the original with the outline of the mask, for galleries."""
    pixels = image_tile(shown.original, ROOM)
    heat = pixels if shown.scores is None else overlay(pixels, pooled(shown.scores, len(pixels)), scale)
    return _outlined(heat, shown.mask)


def heat_bar(scale: Scale) -> np.ndarray:
    """Return the colours of score maps as a bar, low to high."""
    row = overlay_colours(scale)(np.linspace(0, 1, image.BAR[1]), bytes=True)[:, :3]
    return np.asarray(np.repeat(row[None], image.BAR[0], 0))


def legend(look: Look) -> tuple[str, np.ndarray | None]:
    """Return what the colours of errors and of score maps stand for."""
    text, bar = image.legend(look)
    if look.scores is not None:
        text += f". Score map: {look.scores.label}, {look.scores.low:.3g} to {look.scores.high:.3g}; cyan: the mask"
    return text, bar


DEFECTS = image.IMAGE._replace(panels=panels, legend=legend)
