"""Images: original, reconstruction and absolute error at whole multiples of the true size, on one scale for all."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps

from vaelab.dashboard.kinds.kind import KindViews, Look, Panel, Shown
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import Scale, heat_tile, image_tile
from vaelab.figures.image.errors import difference

THUMBNAIL = 96  # pixels, about
BAR = (12, 256)  # pixels
COLOURS = "inferno"


def tiles(images: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return images [C, S, S] as thumbnails."""
    return [image_tile(image, THUMBNAIL) for image in images]


def panels(shown: Shown, info: DataInfo, look: Look) -> list[Panel]:
    """Return original, reconstruction and where they differ."""
    room = info.shape[-1] * look.zoom
    error = difference(shown.original[None], shown.reconstruction[None])[0]
    at = np.unravel_index(int(error.argmax()), error.shape)
    text = f"mean {error.mean():.3f} of the range, largest {error.max():.3f} at row {at[0]}, column {at[1]}"
    return [
        Panel("Original", image_tile(shown.original, room), "the original image"),
        Panel("Reconstruction", image_tile(shown.reconstruction, room), "its reconstruction"),
        Panel(f"Error: mean {error.mean():.3f}", heat_tile(error, scale(look), room), f"error map: {text}"),
    ]


def scale(look: Look) -> Scale:
    """Return the scale of error maps."""
    return Scale(0.0, look.error, COLOURS, "absolute error", "max")


def legend(look: Look) -> tuple[str, np.ndarray | None]:
    """Return what the colours of errors stand for."""
    text = (
        f"Absolute error, mean over channels: black 0, yellow {look.error:g} of the range or more; the same everywhere"
    )
    return text, bar(COLOURS)


def bar(colours: str) -> np.ndarray:
    """Return a colour map as a bar, uint8 [h, w, 3]."""
    row = colormaps[colours](np.linspace(0, 1, BAR[1]), bytes=True)[:, :3]
    return np.asarray(np.repeat(row[None], BAR[0], 0))


IMAGE = KindViews(
    "image", "images", tiles, panels, legend, ("psnr", "ssim", "mse", "mae", "ms_ssim", "edge_f1"), uploads=True
)
