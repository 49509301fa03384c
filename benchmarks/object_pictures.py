"""Pictures of objects with planted blemishes, for benchmarks/object_features.py: no set with real ones is in packages.

coins: the 24 photographed coins of scikit-image, each turned, lit and enlarged EXPOSURES times. washers: rendered rings
whose surface is cut from a photograph (grass, as brushed metal), under lights, angles and places that vary. Both are
harder than a weave: objects move, and each is unlike the others. Blemishes: scratch, blowhole, stain, chip, which are
drawn here and are softer and cleaner than real ones.

Images are float [S, S] in [0, 1], masks bool [S, S].
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy import ndimage
from skimage import data, draw, segmentation, transform

SIDE = 256
EXPOSURES = 6  # of each specimen
BLEMISHES = ("scratch", "blowhole", "stain", "chip")
COINS = 24


class Picture(NamedTuple):
    """An object, and which pixels are of it."""

    image: np.ndarray
    inside: np.ndarray


def coins() -> list[np.ndarray]:
    """Return the photographed coins, each as a square with some background."""
    photo = data.coins() / 255
    marks = np.where(photo > 0.6, 2, np.where(photo < 0.12, 1, 0))
    steep = np.hypot(ndimage.sobel(photo, 0), ndimage.sobel(photo, 1))
    labels, _ = ndimage.label(ndimage.binary_fill_holes(segmentation.watershed(steep, marks) == 2))
    boxes = [box for number, box in enumerate(ndimage.find_objects(labels), 1) if (labels[box] == number).sum() > 900]
    found = []
    for rows, columns in boxes[:COINS]:
        middle = np.array([rows.start + rows.stop, columns.start + columns.stop]) // 2
        half = max(rows.stop - rows.start, columns.stop - columns.start) // 2 + 6
        padded = np.pad(photo, half, mode="reflect")
        found.append(padded[middle[0] : middle[0] + 2 * half, middle[1] : middle[1] + 2 * half])
    return found


def coin(square: np.ndarray, random: Generator) -> Picture:
    """Return an exposure of a coin, turned about its middle."""
    turned = transform.rotate(square, random.uniform(0, 360), mode="reflect", order=3)
    image = transform.resize(turned, (SIDE, SIDE), order=3)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    return Picture(_lit(image, random), np.hypot(rows, columns) < 0.36 * SIDE)


def washer(random: Generator) -> Picture:
    """Return a rendered ring of brushed metal on a dark ground, anywhere near the middle."""
    photo = data.grass() / 255
    top, left = random.integers(0, 512 - SIDE, 2)
    brushed = ndimage.gaussian_filter(photo[top : top + SIDE, left : left + SIDE], (1, 4))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    middle = SIDE / 2 + random.uniform(-12, 12, 2)
    radius = np.hypot(rows - middle[0], columns - middle[1])
    outer, inner = random.uniform(92, 104), random.uniform(34, 42)
    inside = (radius < outer) & (radius > inner)
    angle = np.arctan2(rows - middle[0], columns - middle[1])
    shine = 0.12 * np.cos(2 * (angle - random.uniform(0, np.pi)))
    bevel = 0.2 * np.exp(-(((radius - outer + 5) / 4) ** 2)) - 0.2 * np.exp(-(((radius - inner - 5) / 4) ** 2))
    image = np.where(inside, 0.55 + 0.5 * (brushed - brushed.mean()) + shine + bevel, 0.15)
    turned = ndimage.gaussian_filter(image, 0.8)
    return Picture(_lit(turned, random), ndimage.binary_erosion(inside, iterations=8))


def _lit(image: np.ndarray, random: Generator) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    slope = random.uniform(-0.25, 0.25, 2)
    light = random.uniform(0.8, 1.15) * (1 + slope[0] * rows + slope[1] * columns)
    return np.asarray(np.clip(image * light + random.normal(0, 0.012, image.shape), 0, 1))


def blemished(picture: Picture, kind: str, random: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the image with a blemish on the object, and its mask."""
    image, places = picture.image, np.argwhere(picture.inside)
    row, column = places[random.integers(len(places))]
    shape, change = np.zeros(image.shape), np.zeros(image.shape)
    size = random.uniform(0.7, 1.4)
    if kind == "scratch":
        angle, length = random.uniform(0, np.pi), 22 * size
        across = 0.25 * length * random.uniform(-1, 1)
        ends = [(row + s * length * np.sin(angle), column + s * length * np.cos(angle)) for s in (-1, 1)]
        bend = (row + across * np.cos(angle), column - across * np.sin(angle))
        points = np.clip(np.rint([*ends[0], *bend, *ends[1]]), 0, SIDE - 1).astype(int).reshape(3, 2)
        line = draw.bezier_curve(*points[0], *points[1], *points[2], weight=1, shape=image.shape)
        shape[line] = 1
        shape = np.clip(2.2 * ndimage.gaussian_filter(shape, 0.9), 0, 1)
        change = random.choice([-0.35, 0.35]) * shape
    elif kind == "blowhole":
        shape = _blob(row, column, 5 * size, 5 * size * random.uniform(0.7, 1))
        change = -0.4 * shape + 0.25 * np.roll(_blob(row, column, 6 * size, 6 * size) - shape, 1, 0).clip(0, 1)
    elif kind == "stain":
        shape = _blob(row, column, 16 * size, 11 * size) * (
            0.7 + 0.3 * ndimage.zoom(random.random((8, 8)), 32, order=1)
        )
        change = random.choice([-0.14, 0.14]) * shape
    else:
        shape = _blob(row, column, 9 * size, 6 * size) > 0.5
        rough = ndimage.gaussian_filter(random.normal(0, 1, image.shape), 1.5)
        change = np.where(shape, 0.6 * rough - 0.1, 0.0)
    mask = (np.abs(change) > 0.04) & picture.inside
    return np.clip(image + change * picture.inside, 0, 1), mask


def _blob(row: float, column: float, high: float, wide: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(1 / (1 + np.exp(4 * (np.hypot((rows - row) / high, (columns - column) / wide) - 1) * 2)))


def write_objects(folder: Path, name: str, seed: int, specimens: int = 80) -> None:
    """Write images/ and masks/ of a set: two thirds of the specimens are normal, the others have one blemish each."""
    random = np.random.default_rng(seed)
    squares = coins() if name == "coins" else []
    count = len(squares) or specimens
    for number in random.permutation(count):
        place = int(number)
        for exposure in range(EXPOSURES if squares else 3):
            picture = coin(squares[place], random) if squares else washer(random)
            kind = BLEMISHES[place // 3 % len(BLEMISHES)] if place % 3 == 2 else "normal"
            image, mask = picture.image, np.zeros((SIDE, SIDE), bool)
            if kind != "normal":
                image, mask = blemished(picture, kind, random)
            for where, array in (("images", image), ("masks", mask)):
                (folder / where).mkdir(parents=True, exist_ok=True)
                path = folder / where / f"specimen{place:03d}_{exposure}_{kind}.png"
                Image.fromarray((array * 255).astype(np.uint8)).save(path)
