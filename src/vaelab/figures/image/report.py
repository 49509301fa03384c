"""All about the quality of one run in one picture, for `vaelab quality`."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.mosaic import MARGIN, Tiles, box, draw_tiles, titled
from vaelab.figures.image.reconstructions import compared
from vaelab.figures.latents import draw_deviations, draw_kl, draw_means, draw_moments

PER_ROW = 8
LEAST_WIDTH = 1500  # pixels, as are all below: room for four panels
PANEL_HEIGHT = 260
LEFT, ABOVE, BELOW = 64, 40, 50  # room of a panel's labels
LINE, LETTER = 15, 7  # of the text


class Posteriors(NamedTuple):
    """The posteriors of a split: N examples, L latent dimensions."""

    mean: np.ndarray  # [N, L]
    log_var: np.ndarray  # [N, L]
    kl: np.ndarray  # mean KL of each dimension, nats [L]
    active: np.ndarray  # bool [L]


def quality_picture(
    original: np.ndarray,
    reconstruction: np.ndarray,
    scores: Mapping[str, np.ndarray],
    names: Sequence[str],
    title: str,
    verdict: Sequence[str],
    posteriors: Posteriors | None = None,
) -> Figure:
    """Return images over their reconstructions and differences, the verdict, and what is known of the latents.

    Args:
        original: the images uint8 [n, C, S, S].
        reconstruction: of the same images.
        scores: mse, psnr and ssim of each image [n].
        names: what each image is called, such as "test 12".
        title: what is shown.
        verdict: lines of text, set in letters of one width; none for no verdict.
        posteriors: of the whole split; None leaves the latents out.
    """
    tiles = _tiles(original, reconstruction, scores, names)
    width = max(tiles.width, LEAST_WIDTH)
    lines = [part for line in verdict for part in textwrap.wrap(line, (width - 2 * MARGIN) // LETTER) or [""]]
    room = LINE * len(lines) + 2 * MARGIN if lines else 0
    panels = ABOVE + PANEL_HEIGHT + BELOW if posteriors else 0
    figure, top = titled(title, width + 2 * MARGIN, tiles.height + room + panels + 2 * MARGIN)
    draw_tiles(figure, tiles, MARGIN, top)
    top += tiles.height + MARGIN
    if lines:
        _draw_text(box(figure, MARGIN, top, width, room - MARGIN), lines)
    if posteriors:
        step = (width + MARGIN) // 4
        places = (MARGIN + LEFT + number * step for number in range(4))
        _draw_latents([box(figure, x, top + room + ABOVE, step - LEFT - MARGIN, PANEL_HEIGHT) for x in places],
                      posteriors)  # fmt: skip
    return figure


def _tiles(
    original: np.ndarray, reconstruction: np.ndarray, scores: Mapping[str, np.ndarray], names: Sequence[str]
) -> Tiles:
    """An image per column: original, reconstruction, difference."""
    tiles, captions, scale = compared(original, reconstruction, scores, names)
    rows: list[list[np.ndarray]] = []
    texts: list[list[str]] = []
    for start in range(0, len(tiles), PER_ROW):
        rows += [list(row) for row in zip(*tiles[start : start + PER_ROW], strict=True)]
        texts += [list(row) for row in zip(*captions[start : start + PER_ROW], strict=True)]
    return Tiles(rows, texts, dict.fromkeys(range(2, len(rows), 3), scale))


def _draw_text(axes: Axes, lines: Sequence[str]) -> None:
    axes.set(xticks=[], yticks=[], facecolor="#f4f4f4")
    axes.text(0.006, 0.5, "\n".join(lines), transform=axes.transAxes, family="monospace", fontsize=8, va="center")


def _draw_latents(panels: Sequence[Axes], posteriors: Posteriors) -> None:
    mean, log_var, kl, active = posteriors
    draw_means(panels[0], mean)
    draw_deviations(panels[1], log_var)
    draw_kl(panels[2], kl, active)
    panels[2].set_title(f"KL: {kl.sum():.1f} nats in {len(kl)} dimensions")
    draw_moments(panels[3], mean, log_var, kl)
    for axes in panels:
        axes.title.set_fontsize(10)
        axes.tick_params(labelsize=8)
