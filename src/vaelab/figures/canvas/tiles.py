"""Tiles of pixels, uint8 [side, side, 3]: images as they are, and numbers as colours on a scale that they share.

S side of an image or a map, C channels.
"""

from typing import Literal, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from PIL import Image

TILE = 128  # pixels
PAPER = 255
RGB, MIDDLE = 3, 127.5
CONTRAST = 4  # of feature maps, whose values lie close to the middle


def image_tile(image: np.ndarray, room: int = TILE) -> np.ndarray:
    """Return an image uint8 [C, S, S], gray or RGB, as pixels [side, side, 3]; about `room` pixels a side.

    Of a feature map, three fixed random mixtures of its channels: like colours mean like features.
    """
    if len(image) > RGB:
        image = _mixed(image)
    pixels = fitted(np.moveaxis(image, 0, -1) if len(image) == 3 else image[0], room)
    return pixels if pixels.ndim == 3 else pixels[:, :, None].repeat(3, 2)


def _mixed(features: np.ndarray) -> np.ndarray:
    mixtures = np.random.default_rng(0).standard_normal((RGB, len(features))) / len(features) ** 0.5
    values = np.tensordot(mixtures, features - MIDDLE, 1) * CONTRAST + MIDDLE
    return np.clip(values, 0, 2 * MIDDLE).astype(np.uint8)


def fitted(values: np.ndarray, room: int) -> np.ndarray:
    """Return values [S, S] (uint8 or float32) or uint8 [S, S, 3] scaled to `room` pixels a side, a third more or less.

    Repeated by the nearest whole number; where S is more than a third above `room`, averaged over areas to `room`.
    """
    if 3 * len(values) <= 4 * room:
        scale = max(1, round(room / len(values)))
        return values.repeat(scale, 0).repeat(scale, 1)
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize((room, room), Image.Resampling.BOX))


class Scale(NamedTuple):
    """A colour scale."""

    low: float
    high: float
    colours: str  # a colour map of matplotlib
    label: str  # the quantity and its unit
    beyond: Literal["neither", "max", "both"]  # ends at which some values lie outside, shown as arrows


def up_from_zero(values: np.ndarray, label: str, least: float) -> Scale:
    """Return the scale from 0 to what all but a thousandth of the values stay below, at least to `least`."""
    high = max(float(np.quantile(values, 0.999)), least)
    return Scale(0.0, high, "inferno", label, "max" if values.max() > high else "neither")


def around_zero(values: np.ndarray, label: str, least: float) -> Scale:
    """Return the scale from −v to v, blue to red, of which all but a thousandth of the values stay inside."""
    sizes = np.abs(values)
    high = max(float(np.quantile(sizes, 0.999)), least)
    return Scale(-high, high, "RdBu_r", label, "both" if sizes.max() > high else "neither")


def heat_tile(values: np.ndarray, scale: Scale, room: int) -> np.ndarray:
    """Return a map [S, S] as pixels uint8 [side, side, 3]; about `room` pixels a side."""
    shown = _mappable(scale).to_rgba(fitted(values.astype(np.float32), room), bytes=True)
    return np.asarray(shown)[..., :3]


def draw_bar(axes: Axes, scale: Scale) -> None:
    """Fill axes with the colour bar of a scale."""
    figure = axes.figure
    bar = figure.colorbar(_mappable(scale), cax=axes, extend=scale.beyond, extendfrac=0.06)
    bar.ax.tick_params(labelsize=7)
    bar.set_label(scale.label, fontsize=7)


def _mappable(scale: Scale) -> ScalarMappable:
    return ScalarMappable(Normalize(scale.low, scale.high), colormaps[scale.colours])
