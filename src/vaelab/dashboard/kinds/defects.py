"""Images of data with defects: the mask as an outline, and the map of the anomaly score over the original."""

import numpy as np

from vaelab.dashboard.kinds import image
from vaelab.dashboard.kinds.kind import Look, Panel, Shown
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import Scale, image_tile
from vaelab.figures.defects.overlay import outlined, overlay, overlay_colours, pooled

ROOM, GAP = 104, 4  # pixels of a tile, about; between tiles


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
    text = f"Score of cells: highest {shown.scores.max():.2f}"
    return [*found, Panel(text, _outlined(heat, shown.mask), f"score map. {text}")]


def _outlined(pixels: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return pixels if mask is None else outlined(pixels, pooled(mask, len(pixels)))


def beside(shown: Shown, scale: Scale) -> np.ndarray:
    """Return original, reconstruction and the score map over the original side by side, for galleries."""
    first, second = image_tile(shown.original, ROOM), image_tile(shown.reconstruction, ROOM)
    third = first if shown.scores is None else overlay(first, pooled(shown.scores, len(first)), scale)
    gap = np.full((len(first), GAP, 3), 255, np.uint8)
    tiles = (_outlined(first, shown.mask), gap, second, gap, _outlined(third, shown.mask))
    return np.concatenate(tiles, axis=1)


def heat_bar(scale: Scale) -> np.ndarray:
    """Return the colours of score maps as a bar, low to high."""
    row = overlay_colours(scale)(np.linspace(0, 1, image.BAR[1]), bytes=True)[:, :3]
    return np.asarray(np.repeat(row[None], image.BAR[0], 0))


def heat(look: Look) -> tuple[str, np.ndarray] | None:
    """Return what the colours of score maps stand for, and their bar."""
    return None if look.scores is None else heat_legend(look.scores)


def heat_legend(scale: Scale) -> tuple[str, np.ndarray]:
    """Return what the colours of a scale of score maps stand for, and their bar."""
    ends = f"{scale.low:.2f} or less (left) to {scale.high:.2f} or more (right)"
    return f"Map over the original: {scale.label}, {ends}; cyan: mask of the defect", heat_bar(scale)


DEFECTS = image.IMAGE._replace(panels=panels, heat=heat)
