"""What became of the tags of a row: which came out right, which were missed, which were invented.

D tags; a row is uint8 [D] of 0 and 1, its reconstruction uint8 [D] of 255 · probability.
"""

from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.names import tag_label

RIGHT, MISSED, INVENTED = "✓", "−", "+"
COLOURS = {RIGHT: "#1f5fa8", MISSED: "#c2410c", INVENTED: "#8e24aa"}
THRESHOLD = 0.5  # where the caller knows no other
LEGEND = f"{RIGHT} right, {MISSED} missed, {INVENTED} invented"


class Line(NamedTuple):
    """A tag in a list."""

    sign: str  # empty for a remark
    name: str
    value: str  # its probability
    colour: str


def outcomes(row: np.ndarray, decoded: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """Return the tags of each outcome by its sign, most probable first: predicted are those from `threshold` on."""
    predicted, there = decoded / 255 >= threshold, row > 0
    masks = {RIGHT: there & predicted, MISSED: there & ~predicted, INVENTED: ~there & predicted}
    probability = decoded.astype(np.int64)
    return {
        sign: (n := np.nonzero(mask)[0])[np.argsort(-probability[n], kind="stable")] for sign, mask in masks.items()
    }


def outcome_lines(
    row: np.ndarray, decoded: np.ndarray, info: DataInfo, threshold: float, most: int, pixels: int
) -> list[Line]:
    """Return a line for each tag that the row or its reconstruction has, with its probability; `most` lines at most.

    Where there are more, each outcome gets its share, and the last line counts what is left out. Names take `pixels`.
    """
    found = outcomes(row, decoded, threshold)
    shown = _shares({sign: len(tags) for sign, tags in found.items()}, most)
    lines = [
        Line(sign, tag_label(info.classes, int(tag), pixels), _probability(decoded[tag]), COLOURS[sign])
        for sign, tags in found.items()
        for tag in tags[: shown[sign]]
    ]
    left = [f"{len(tags) - shown[sign]} {sign}" for sign, tags in found.items() if len(tags) > shown[sign]]
    if left:
        lines.append(Line("", f"… and {', '.join(left)}", "", "#444444"))
    return lines or [Line("", "no tag, and none predicted", "", "#444444")]


def tag_lines(decoded: np.ndarray, info: DataInfo, threshold: float, most: int, pixels: int) -> list[Line]:
    """Return a line for each tag that was decoded, most frequent in training first; `most` lines at most."""
    tags = np.nonzero(decoded / 255 >= threshold)[0]
    tags = tags[np.argsort(-np.array(info.class_counts)[tags], kind="stable")]
    drawn = bool(np.isin(decoded, (0, 255)).all())  # not probabilities
    kept = tags if len(tags) <= most else tags[: most - 1]
    values = ["" if drawn else _probability(decoded[tag]) for tag in kept]
    lines = [
        Line("•", tag_label(info.classes, int(tag), pixels), value, "#222222")
        for tag, value in zip(kept, values, strict=True)
    ]
    if len(tags) > len(kept):
        lines.append(Line("", f"… and {len(tags) - len(kept)} more", "", "#444444"))
    return lines or [Line("", "no tag", "", "#444444")]


def _probability(value: np.integer) -> str:
    """Rounded down: what was missed by little does not look as if it reached the threshold."""
    return f"{100 * int(value) // 255 / 100:.2f}"


def _shares(counts: dict[str, int], most: int) -> dict[str, int]:
    """How many of each are shown: all, or as evenly as their numbers allow, with a line left over."""
    if sum(counts.values()) <= most:
        return counts
    shown = dict.fromkeys(counts, 0)
    while sum(shown.values()) < most - 1:
        least = min((sign for sign in counts if shown[sign] < counts[sign]), key=lambda sign: shown[sign])
        shown[least] += 1
    return shown
