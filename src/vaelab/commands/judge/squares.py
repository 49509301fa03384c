"""A picture of the user cut into examples as the training data of a model were. n examples, C channels, S side."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaelab.commands.judge.examples import Place
from vaelab.data.format.info import DataInfo, Preparation
from vaelab.data.sources.decoding import Picture, opened, page, page_numbers
from vaelab.data.sources.document.pages import pad
from vaelab.data.sources.fabric.strips import Cutting, Loaded, block_mean, levels, local_contrast
from vaelab.data.sources.fabric.strips import cut as cut_strip
from vaelab.data.sources.image.outcome import page_name
from vaelab.data.sources.image_files import Colour, fitted, in_eight_bits
from vaelab.data.sources.regular import UnreadableError
from vaelab.params.datasets import ImageFolder

MAX_PIXELS: int = ImageFolder.model_fields["max_pixels"].default
COLOURS: dict[int, Colour] = {1: "gray", 3: "rgb"}


Start = Callable[[np.ndarray], int]


class Squares(NamedTuple):
    """The examples of a page."""

    x: np.ndarray  # uint8 [n, C, S, S]
    names: list[str]
    places: list[Place]  # of tiles; empty where the page is one example


def squares(path: Path, name: str, info: DataInfo, start: Start | None = None) -> Iterator[Squares | str]:
    """Yield the examples of each page of a file that is called `name`, or why there are none.

    Args:
        path: of the file.
        name: what it is called.
        info: how training data became examples.
        start: of tiles, the first column that is cut, of pixels [H, W, C]; None: the left edge.

    Raises:
        UnreadableError: the file cannot be read.
    """
    with opened(path, MAX_PIXELS) as file:
        for number in page_numbers(file):
            called = page_name(name, number)
            try:
                yield of_picture(page(file, number, MAX_PIXELS), called, info, start)
            except UnreadableError as error:
                yield f"{called}: {error}"


def of_picture(picture: Picture, name: str, info: DataInfo, start: Start | None = None) -> Squares:
    """Return the examples of a picture of any mode, whose memory may be freed.

    Raises:
        UnreadableError: it is too small to be cut, or too large, or holds NaN.
    """
    how, size = info.preparation, info.shape[-1]
    picture = in_eight_bits(picture, COLOURS[info.shape[0]], how.alpha, how.value_scale)  # type: ignore[arg-type]
    if how.fit in ("resize", "crop"):
        x, _ = fitted(picture, size, "crop" if how.fit == "crop" else "resize")
        return Squares(x, [name], [])
    image = _ready(picture.image, size, how)
    if how.fit == "square":
        x = np.moveaxis(_toned(_pixels(image), how), -1, 0)[None]
        return Squares(np.ascontiguousarray(x), [name], [])
    patches = _tiles(image, size, how, start)
    places = [Place(name, int(top), int(left)) for top, left in zip(patches[1], patches[2], strict=True)]
    return Squares(patches[0], [str(place) for place in places], places)


def _ready(image: Image.Image, size: int, how: Preparation) -> Image.Image:
    """The page as it was before it was cut."""
    if how.zoom != 1:
        width, height = (max(1, round(how.zoom * side)) for side in image.size)
        if width * height > MAX_PIXELS:
            raise UnreadableError(f"{width}x{height} pixels at zoom {how.zoom:g}; at most {MAX_PIXELS}")
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    if how.fit == "square":
        image = image.resize((size * how.reduce, size * how.reduce), Image.Resampling.LANCZOS)
    return Image.fromarray(pad(np.asarray(image), size)) if how.padded and image.mode == "L" else image


def _tiles(
    image: Image.Image, size: int, how: Preparation, start: Start | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All whole tiles, and their places in pixels of the page."""
    side = size * how.reduce
    if min(image.size) < side:
        raise UnreadableError(f"{image.width}x{image.height} pixels: too small for tiles of {side}")
    if how.reduce > 1 or how.window or start:
        pixels = _pixels(image)
        cutting = Cutting(size, how.reduce, side, side, COLOURS[pixels.shape[2]], tone=lambda x: _contrast(x, how))
        cutting = cutting._replace(start=start) if start else cutting
        found = cut_strip(Loaded(pixels, np.zeros(pixels.shape[:2], np.uint8)), cutting, side)
        return found.x, found.top, found.left
    x, _ = fitted(Picture(image, []), size, "tile")
    number, columns = np.arange(len(x)), image.width // size
    return x, number // columns * size, number % columns * size


def _toned(pixels: np.ndarray, how: Preparation) -> np.ndarray:
    return _contrast(block_mean(pixels, how.reduce), how)


def _contrast(x: np.ndarray, how: Preparation) -> np.ndarray:
    return local_contrast(x, how.window) if how.window else levels(x)


def _pixels(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]
