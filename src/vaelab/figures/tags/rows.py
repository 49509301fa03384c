"""Rows of tags: beside their reconstructions, as samples of the prior, and on ways through the latent space.

D tags; originals are uint8 of 0 and 1, what is decoded is uint8 255 · probability.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import as_decoded, tiles_of
from vaelab.figures.tags.cards import Card, cards
from vaelab.figures.tags.outcomes import THRESHOLD, outcome_lines, tag_lines
from vaelab.figures.tags.panels import of_way, panels

PER_ROW, LINES, NAME = 3, 12, 170  # pairs; lines of text and pixels of a name beside each
SAMPLES_PER_ROW = 4
ORDER = "a cell per tag, the most frequent in training first"


def pairs(
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
            tiles_of((as_decoded(row, info), probability), info), texts,
            outcome_lines(row, probability, info, threshold, lines, NAME),
        )
        for row, probability, texts in zip(rows, decoded, captions, strict=True)
    ]  # fmt: skip
    room = lines if fixed else max(len(card.lines) for card in shown)
    return cards(title, shown, PER_ROW, room, NAME)


def samples(decoded: np.ndarray, info: DataInfo, prior: str, threshold: float = THRESHOLD) -> Figure:
    """Return samples of the prior [n, D], which the title names: all their tags as a tile, and the names of some."""
    shown = []
    for row in decoded:
        count = int((row / 255 >= threshold).sum())
        text = f"{count} tag" if count == 1 else f"{count} tags"
        shown.append(Card(tiles_of([row], info), [text], tag_lines(row, info, threshold, LINES - 2, NAME)))
    drawn = np.isin(decoded, (0, 255)).all()
    how = "tags as drawn" if drawn else f"tags with a probability of at least {threshold:g}"
    return cards(f"Samples from the prior: {prior}; {how} ({ORDER})", shown, SAMPLES_PER_ROW, LINES - 2, NAME)


def traversals(
    examples: np.ndarray, dimensions: Sequence[int], values: Sequence[float], info: DataInfo, start: str
) -> Figure:
    """Return for each latent dimension the probabilities of the tags that it changes most; examples [d, values, D]."""
    title = "Traversals: one latent at a time, those with the largest KL, and the tags that it changes most"
    columns = [f"{value:+.2f}".replace("-", "−") for value in values]
    shown = [of_way(f"z[{j}]", columns, way, info) for j, way in zip(dimensions, examples, strict=True)]
    return panels(f"{title}; above the columns its value, the others at the posterior mean of {start}", shown)


def interpolations(examples: np.ndarray, pairs: np.ndarray, phase: str, info: DataInfo) -> Figure:
    """Return the tags that change most between the means of two rows; examples [n, steps, D], pairs [n, 2]."""
    columns = [f"{share:.2f}" for share in np.linspace(0, 1, examples.shape[1])]
    shown = [
        of_way(f"{phase} {a} → {phase} {b}", columns, way, info) for (a, b), way in zip(pairs, examples, strict=True)
    ]
    title = "Interpolations: straight lines between the posterior means of two rows, and the tags that change most"
    return panels(f"{title}; above the columns the share of the second mean", shown)
