"""Kinds of planted defects: each draws itself at a random place of an image.

Sizes are in pixels, as threads are, but for the length of lines; patches take at most half of a side. Contrasts are in
standard deviations of the image, so that they show alike on rough and on smooth fabrics. C channels, H rows, W columns.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

Shape = tuple[int, ...]  # H, W


class Canvas(NamedTuple):
    """What a defect is drawn on."""

    x: np.ndarray  # float32 [C, H, W] in [0, 255]
    other: np.ndarray | None  # another image like it
    deviation: float  # standard deviation of x, levels


def cut(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a slightly bent line of any direction, 1 to 3 pixels wide, brighter or darker."""
    shape = canvas.x.shape[1:]
    along, across = _axes(shape, random)
    half_length = (0.15 + 0.3 * strength) * min(shape) * random.uniform(0.8, 1.2)
    half_width = 0.5 + strength * random.uniform(0.2, 1)
    across = across - random.uniform(-0.15, 0.15) / half_length * along**2
    profile = _ramp(half_width + 0.5 - np.abs(across)) * _ramp(half_length - np.abs(along))
    return _shaded(canvas, profile, 2.5 * strength, random)


def spot(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a small soft blob, 5 to 14 pixels long, brighter or darker."""
    return _shaded(canvas, _blob(canvas.x.shape[1:], 2.5 + 4 * strength, random), 3 * strength, random)


def missing_thread(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with 1 to 4 rows or columns shifted, or fading to a gap: the mean around them, darker."""
    upright = bool(random.integers(2))
    x = canvas.x.swapaxes(1, 2) if upright else canvas.x
    width = int(random.integers(1, 2 + round(3 * strength)))
    start = int(random.integers(2, x.shape[1] - width - 1))
    end = start + width
    if random.integers(2):
        instead = np.roll(x[:, start:end], int(random.integers(2, x.shape[2] // 2)), axis=2)
    else:
        around = _blurred(x[:, max(0, start - 4) : end + 4], 2).mean(1, keepdims=True)
        instead = np.maximum(around - strength * canvas.deviation, 0)
    drawn = x.copy()
    drawn[:, start:end] += (0.5 + 0.5 * strength) * (instead - x[:, start:end])
    return drawn.swapaxes(1, 2) if upright else drawn


def brightness(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a patch, lighter or darker, that has a soft edge."""
    return _shaded(canvas, _blob(canvas.x.shape[1:], 6 + 10 * strength, random), 1.5 * strength, random)


def blur(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a blurred patch that has a soft edge."""
    alpha = _blob(canvas.x.shape[1:], 6 + 10 * strength, random)
    blurred: np.ndarray = canvas.x + alpha * (_blurred(canvas.x, 1 + round(2 * strength)) - canvas.x)
    return blurred


def scramble(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a rectangle of other content: its own from elsewhere, turned by 90°, or another image's."""
    shape = canvas.x.shape[1:]
    largest, side = min(shape) / 2, 4 + 16 * strength
    height, width = (round(min(side * random.uniform(0.7, 1.3), largest)) for _ in shape)
    rows, columns = _place(shape, height, width, random)
    drawn = canvas.x.copy()
    if canvas.other is not None and random.integers(2):
        drawn[:, rows, columns] = canvas.other[:, *_place(shape, height, width, random)]
    else:
        drawn[:, rows, columns] = np.rot90(canvas.x[:, *_place(shape, width, height, random)], axes=(1, 2))
    return drawn


def yarn(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a thread on top: long, bent, 2 to 5 pixels thick, with the shade of one side beside it."""
    shape = canvas.x.shape[1:]
    along, across = _axes(shape, random)
    half_length = (0.25 + 0.35 * strength) * min(shape) * random.uniform(0.7, 1.2)
    across = across + random.uniform(0, 4) * np.sin(along / random.uniform(4, 12) + random.uniform(0, 2 * math.pi))
    half_width = 0.8 + 1.2 * strength * random.uniform(0.6, 1.2)
    core = _ramp(half_width + 0.5 - np.abs(across))
    shade = _ramp(half_width + 0.5 - np.abs(across - 2 * half_width * random.choice([-1, 1])))
    return _shaded(canvas, (core - 0.6 * shade) * _ramp((half_length - np.abs(along)) / 2), 1.5 + 2 * strength, random)


def crease(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a fold: a long, nearly straight line, lit on one side and dark on the other."""
    shape = canvas.x.shape[1:]
    along, across = _axes(shape, random)
    half_length = (0.3 + 0.4 * strength) * min(shape) * random.uniform(0.8, 1.2)
    width = min(random.uniform(1, 2) * (0.6 + 0.4 * strength), min(shape) / 32)
    across = across - random.uniform(-0.1, 0.1) / half_length * along**2
    profile = across / width * np.exp(0.5 - 0.5 * (across / width) ** 2)
    return _shaded(canvas, profile * _ramp((half_length - np.abs(along)) / 4), 0.8 + 1.5 * strength, random)


def knot(canvas: Canvas, strength: float, random: Generator) -> np.ndarray:
    """Return the image with a small lump of irregular outline, 4 to 14 pixels long, of strong contrast."""
    shape, radius = canvas.x.shape[1:], 1.8 + 2.2 * strength
    along, across = _axes(shape, random)
    lump = np.zeros(shape, np.float32)
    for _ in range(3):
        far, aside, own = *(random.normal(0, 0.6 * radius, 2)), radius * random.uniform(0.6, 1)
        lump = np.maximum(lump, _ramp(1.5 * (1 - ((along - far) ** 2 + (across - 0.5 * aside) ** 2) / own**2)))
    return _shaded(canvas, lump, 1.8 + 1.7 * strength, random)


DEFECT_KINDS: dict[str, Callable[[Canvas, float, Generator], np.ndarray]] = {
    "cut": cut,
    "spot": spot,
    "missing_thread": missing_thread,
    "brightness": brightness,
    "blur": blur,
    "scramble": scramble,
    "yarn": yarn,
    "crease": crease,
    "knot": knot,
}


def _shaded(canvas: Canvas, profile: np.ndarray, contrast: float, random: Generator) -> np.ndarray:
    """The image with a profile [H, W] added or taken away: at random, or whichever has room."""
    change, weight = contrast * canvas.deviation, np.abs(profile)
    level = float((canvas.x * weight).sum() / (len(canvas.x) * weight.sum()))
    up, down = 255 - level, level
    brighter = bool(random.integers(2)) if min(up, down) >= change else up > down
    shaded: np.ndarray = canvas.x + (change if brighter else -change) * profile
    return shaded


def _blob(shape: Shape, radius: float, random: Generator) -> np.ndarray:
    """An ellipse [H, W] of any direction, 1 in the middle and falling to 0 at the radius."""
    along, across = _axes(shape, random)
    longer = min(radius * random.uniform(0.8, 1.2), min(shape) / 4)
    shorter = longer * random.uniform(0.6, 1)
    return _ramp(1.3 * (1 - (along / longer) ** 2 - (across / shorter) ** 2))


def _axes(shape: Shape, random: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Distances [H, W] of all pixels along and across a random direction, from a random place inside the image."""
    angle = random.uniform(0, math.pi)
    y, x = (np.arange(n, dtype=np.float32) - random.uniform(0.1, 0.9) * (n - 1) for n in shape)
    cosine, sine = math.cos(angle), math.sin(angle)
    return x * cosine + y[:, None] * sine, y[:, None] * cosine - x * sine


def _place(shape: Shape, height: int, width: int, random: Generator) -> tuple[slice, slice]:
    """Rows and columns of a rectangle anywhere in the image."""
    top, left = int(random.integers(shape[0] - height + 1)), int(random.integers(shape[1] - width + 1))
    return slice(top, top + height), slice(left, left + width)


def _blurred(x: np.ndarray, radius: int) -> np.ndarray:
    """Return x [C, H, W] after two box filters of 2·radius + 1 pixels, the border repeated."""
    for axis in (1, 2, 1, 2):
        width = [(0, 0)] * 3
        width[axis] = (radius + 1, radius)
        sums = np.moveaxis(np.pad(x, width, mode="edge").cumsum(axis), axis, 0)
        x = np.moveaxis(sums[2 * radius + 1 :] - sums[: -2 * radius - 1], 0, axis) / (2 * radius + 1)
    return x


def _ramp(x: np.ndarray) -> np.ndarray:
    ramp: np.ndarray = np.clip(x, 0, 1)
    return ramp
