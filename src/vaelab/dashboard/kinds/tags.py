"""Rows of tags: a cell per tag, the most frequent first, and which come out right, missed or invented."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

from vaelab.dashboard.kinds.kind import KindViews, Look, Panel, Shown
from vaelab.data.format.info import DataInfo
from vaelab.figures.tags.outcomes import COLOURS, INVENTED, MISSED, RIGHT, outcomes
from vaelab.figures.tags.tiles import NO_TAG, ORDER, as_decoded, by_frequency, tag_tile, tag_tiles

TITLES = {RIGHT: "right", MISSED: "missed", INVENTED: "invented"}


def tiles(rows: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return rows [D], 255 · probability or 0 and 1, as tiles."""
    return tag_tiles([as_decoded(row) if row.max(initial=0) <= 1 else row for row in rows], info)


def panels(shown: Shown, info: DataInfo, look: Look) -> list[Panel]:
    """Return original, probabilities, and the outcome of each tag at the threshold."""
    found = outcomes(shown.original, shown.reconstruction, look.threshold)
    text = ", ".join(f"{len(found[sign])} {title}" for sign, title in TITLES.items())
    first, second = tag_tiles([as_decoded(shown.original), shown.reconstruction], info)
    panels = (
        Panel(f"Original: {int(shown.original.sum())} tags", first, "the tags of the row, black"),
        Panel("Reconstruction: probabilities", second, "the probability of each tag, the darker the higher"),
        Panel(text.capitalize(), _outcome_tile(found, info), f"tags by outcome: {text}"),
    )
    return [panel._replace(pixels=panel.pixels.repeat(look.zoom, 0).repeat(look.zoom, 1)) for panel in panels]


def _outcome_tile(found: dict[str, np.ndarray], info: DataInfo) -> np.ndarray:
    """A tile whose cells have the colours of outcomes: the cells of three tiles, one for each."""
    order, size = by_frequency(info), info.shape[0]
    blank = tag_tile(np.zeros(size, np.uint8))
    pixels = blank.copy()
    for sign, tags in found.items():
        there = np.zeros(size, np.uint8)
        there[tags] = 255
        marked = (tag_tile(there[order]) != blank).any(2) & (blank != NO_TAG).any(2)
        pixels[marked] = np.rint(255 * np.array(to_rgb(COLOURS[sign]))).astype(np.uint8)
    return pixels


def lists(shown: Shown, info: DataInfo, look: Look) -> dict[str, Sequence[str]]:
    """Return the tags of each outcome with their probabilities, most probable first."""
    found = outcomes(shown.original, shown.reconstruction, look.threshold)
    return {
        f"{sign} {TITLES[sign]}: {len(tags)}": [
            f"{info.classes[int(tag)]} {shown.reconstruction[tag] / 255:.2f}" for tag in tags
        ]
        for sign, tags in found.items()
    }


def legend(look: Look) -> tuple[str, np.ndarray | None]:
    """Return what the cells stand for."""
    text = f"{ORDER[0].upper()}{ORDER[1:]}; on the right blue: right, orange: missed, purple: invented"
    return f"{text}, predicted from probability {look.threshold:g} on", None


TAGS = KindViews(
    "row", "rows", tiles, panels, legend, ("lrap", "jaccard_index", "recall_at_10", "hamming_loss", "bce"), lists
)
