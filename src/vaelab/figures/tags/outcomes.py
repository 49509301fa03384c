"""What a threshold makes of tags: which come out right, missed or invented, and precision, recall and F1 of all.

D tags; a row is uint8 [D] of 0 and 1, its reconstruction uint8 [D] of 255 · probability.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.colours import BLUE, GRAY, GREEN, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import tag_label

RIGHT, MISSED, INVENTED = "✓", "−", "+"
COLOURS = {RIGHT: "#1f5fa8", MISSED: "#c2410c", INVENTED: "#8e24aa"}
THRESHOLD = 0.5  # where the caller knows no other
SMALL = 0.05  # best threshold below which the axis is logarithmic
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


class ThresholdMeasures(NamedTuple):
    """Measures at the thresholds 1/255 to 1, each [255]; NaN where nothing is predicted, or nothing is there."""

    threshold: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def measures_by_threshold(rows: np.ndarray, decoded: np.ndarray) -> ThresholdMeasures:
    """Return the micro-averaged measures of rows uint8 [n, D] of 0 and 1, reconstructed as uint8 255 · probability.

    Predicted are the tags whose probability is the threshold or more.
    """
    there = np.bincount(decoded[rows > 0], minlength=256)
    predicted = np.bincount(decoded.ravel(), minlength=256)[::-1].cumsum()[::-1][1:]
    hits, true = there[::-1].cumsum()[::-1][1:], int(there.sum())
    total = predicted + true
    return ThresholdMeasures(
        np.arange(1, 256) / 255, _ratio(hits, predicted), _ratio(hits, np.full(255, true)), _ratio(2 * hits, total)
    )


def threshold_curves(rows: np.ndarray, decoded: np.ndarray, phase: str, used: float, best: float | None) -> Figure:
    """Return precision, recall and F1 against the threshold, with the one in use and the best one on val marked.

    Args:
        rows: originals uint8 [n, D] of 0 and 1.
        decoded: their reconstructions uint8 [n, D], 255 · probability.
        phase: their split.
        used: `evaluate.threshold`.
        best: threshold of the best F1 on val; None where it is not known.
    """
    found = measures_by_threshold(rows, decoded)
    figure = new_figure(9, 4.8)
    axes = figure.add_subplot()
    for values, colour, style, name in (
        (found.precision, BLUE, "--", "precision"),
        (found.recall, GREEN, "-.", "recall"),
        (found.f1, "#222222", "-", "F1"),
    ):
        axes.plot(found.threshold, values, style, color=colour, label=name)
    marked = {"in use": (used, GRAY, "o")}
    if best is not None and np.isfinite(best):
        marked["best F1 on val"] = (best, ORANGE, "D")
    for name, (threshold, colour, marker) in marked.items():
        f1 = found.f1[min(254, max(0, int(np.ceil(255 * threshold - 1e-9)) - 1))]
        axes.axvline(threshold, color=colour, linewidth=1)
        axes.plot([threshold], [f1], marker, color=colour, label=f"{name}: {threshold:.3g}, F1 {f1:.3f}")
    if best is not None and best < SMALL:
        axes.set_xscale("log")
    axes.set(xlabel="threshold: probability from which a tag is predicted", ylim=(-0.02, 1.02), xlim=(1 / 255, 1))
    axes.set(ylabel=f"on {phase}, all tags together (micro)")
    axes.set_title(
        f"Precision, recall and F1 of {len(rows)} {phase} rows; probabilities in steps of 1/255", fontsize=11
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


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


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
