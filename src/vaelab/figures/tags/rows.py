"""Rows of tags as cards: tiles that show all tags at once, and beside them the names of those that matter.

D tags; originals are uint8 of 0 and 1, what is decoded is uint8 255 · probability.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import CAPTION_LINE, GAP, MARGIN, box, paste, titled
from vaelab.figures.canvas.tiles import PAPER, TILE
from vaelab.figures.tags.outcomes import THRESHOLD, Line, outcome_lines, tag_lines
from vaelab.figures.tags.tiles import ORDER, as_decoded, tag_tiles

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.measures.snapshots import Snapshot

PAIRS_PER_ROW, SAMPLES_PER_ROW = 3, 4
LINES, NAME = 12, 170  # lines of text beside a pair, pixels of a name
LINE_HEIGHT = 13  # pixels, as are all below
SIGN, VALUE = 13, 30  # room before and after a name
BETWEEN = 20  # cards


class Card(NamedTuple):
    """A row of tags."""

    tiles: Sequence[np.ndarray]  # each uint8 [TILE, TILE, 3]
    captions: Sequence[str]  # above each tile
    lines: Sequence[Line]


def checkpoint(title: str, snapshot: "Snapshot", scored: Sequence[str], info: DataInfo) -> Figure:
    """Return original beside reconstruction for each sample of a checkpoint."""
    threshold = float(snapshot.facts.get("threshold", THRESHOLD))
    captions = [
        (original_caption(row, "train", number), text)
        for row, number, text in zip(snapshot.original, snapshot.ids, scored, strict=True)
    ]
    return reconstructed_rows(title, snapshot.original, snapshot.reconstruction, captions, info, threshold)


def original_caption(row: np.ndarray, phase: str, number: int) -> str:
    """Return what stands above an original [D]."""
    return f"original: {_counted(int(row.sum(dtype=np.int64)))}\n{phase} {number}"


def reconstructed_rows(
    title: str,
    rows: np.ndarray,
    decoded: np.ndarray,
    captions: Sequence[tuple[str, str]],
    info: DataInfo,
    threshold: float = THRESHOLD,
    lines: int = LINES,
    fixed: bool = True,
) -> Figure:
    """Return originals [n, D] beside their reconstructions, with the tags that came out right, missed or invented.

    Args:
        title: what is shown.
        rows: originals.
        decoded: their reconstructions.
        captions: above original and reconstruction of each row.
        info: description of the data.
        threshold: probability from which a tag counts as predicted.
        lines: of text beside each pair, at most.
        fixed: leave room for all of these lines, so that pictures of other reconstructions have the same size.
    """
    shown = [
        Card(
            tag_tiles((as_decoded(row), probability), info), texts,
            outcome_lines(row, probability, info, threshold, lines, NAME),
        )
        for row, probability, texts in zip(rows, decoded, captions, strict=True)
    ]  # fmt: skip
    room = lines if fixed else max(len(card.lines) for card in shown)
    return cards(title, shown, PAIRS_PER_ROW, room, NAME)


def prior_samples(decoded: np.ndarray, prior: str, info: DataInfo, threshold: float = THRESHOLD) -> Figure:
    """Return samples of the prior [n, D], which the title names: all their tags as a tile, and the names of some."""
    shown = []
    for row in decoded:
        count = int((row / 255 >= threshold).sum())
        lines = tag_lines(row, info, threshold, LINES - 2, NAME)
        shown.append(Card(tag_tiles([row], info), [_counted(count)], lines))
    drawn = np.isin(decoded, (0, 255)).all()
    how = "tags as drawn" if drawn else f"tags with a probability of at least {threshold:g}"
    return cards(f"Samples from the prior: {prior}; {how} ({ORDER})", shown, SAMPLES_PER_ROW, LINES - 2, NAME)


def cards(title: str, shown: Sequence[Card], per_row: int, lines: int, names: int) -> Figure:
    """Return a figure of cards, each with room for so many lines, whose names take `names` pixels at most.

    The size depends on the number of cards alone, so that pictures of one run can be the frames of a film.
    """
    tiles = len(shown[0].tiles)
    head = GAP + CAPTION_LINE * max(text.count("\n") + 1 for card in shown for text in card.captions)
    width = tiles * (TILE + GAP) + SIGN + names + VALUE + BETWEEN
    height = max(head + TILE, LINE_HEIGHT * lines) + BETWEEN
    across, down = min(per_row, len(shown)), -(-len(shown) // per_row)
    size = across * width - BETWEEN, down * height
    figure, top = titled(title, max(size[0] + 2 * MARGIN, 900), size[1] + MARGIN)
    image = np.full((size[1], size[0], 3), PAPER, dtype=np.uint8)
    axes = box(figure, MARGIN, top, *size)
    for number, card in enumerate(shown):
        left, upper = number % per_row * width, number // per_row * height
        for tile, (pixels, text) in enumerate(zip(card.tiles, card.captions, strict=True)):
            x, y = left + tile * (TILE + GAP), upper + head
            image[y : y + TILE, x : x + TILE] = pixels
            caption(axes, x, y - 4, text, fontsize=8, va="bottom")
        _draw_lines(axes, card.lines, left + tiles * (TILE + GAP) + 2, upper + GAP, names)
    paste(figure, axes, image, MARGIN, top)
    return figure


def _draw_lines(axes: Axes, lines: Sequence[Line], left: int, top: int, names: int) -> None:
    for number, line in enumerate(lines):
        y = top + number * LINE_HEIGHT
        name = f"{line.sign} {line.name}" if line.sign else line.name
        for x, text, side in (
            (left if line.sign else left + SIGN, name, "left"),
            (left + SIGN + names + VALUE - 4, line.value, "right"),
        ):
            if text:
                caption(axes, x, y, text, fontsize=8, va="top", ha=side, color=line.colour)


def _counted(count: int) -> str:
    return f"{count} {'tag' if count == 1 else 'tags'}"
