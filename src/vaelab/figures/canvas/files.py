"""How pictures reach the disk: no display, no global state, the same bytes for the same picture."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from vaelab import storage

DPI = 100


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that size in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with storage.atomic(path) as temporary:
        temporary.write_bytes(png(figure))


def png(figure: Figure) -> bytes:
    """Return a figure as PNG. Drawn once: `savefig` would draw every figure twice, to learn its size."""
    buffer = io.BytesIO()
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.execute(figure)  # drawing does so once more: sizes follow from a first layout
    Image.fromarray(_pixels(figure)).save(buffer, "PNG", dpi=(DPI, DPI), compress_level=3)  # three times as fast as 6
    return buffer.getvalue()


def save_pngs(figures: Iterable[tuple[str, Figure]], folder: Path) -> None:
    """Write figures as PNG, each under its name."""
    for name, figure in figures:
        save_png(figure, folder / f"{name}.png")


def save_gif(figures: Iterable[Figure | Path], path: Path, seconds: float = 0.8) -> None:
    """Write figures of one size, or their PNGs, as a GIF that loops; the last frame stays three times as long."""
    frames = [_few_colours(_frame(figure)) for figure in figures]
    milliseconds = [int(1000 * seconds)] * (len(frames) - 1) + [int(3000 * seconds)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, optimize=False
    )
    with storage.atomic(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _frame(figure: Figure | Path) -> Image.Image:
    return Image.open(figure) if isinstance(figure, Path) else Image.fromarray(_pixels(figure))


def _few_colours(image: Image.Image) -> Image.Image:
    """A GIF holds 256 colours: grids have fewer, photographs are dithered."""
    dither = Image.Dither.NONE if image.getcolors(256) else Image.Dither.FLOYDSTEINBERG
    return image.quantize(256, dither=dither)


def _pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
