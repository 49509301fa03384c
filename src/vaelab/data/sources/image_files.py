"""One image file of any common kind to 8-bit pixels of one size, or why it cannot be read.

- Alpha goes on white or is dropped, CMYK and palettes become RGB; colour profiles are not applied.
- 16 bits, 32 bits and floats by the scale of the data set (values.py); what was done is noted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from vaelab.data.sources.account import counted
from vaelab.data.sources.decoding import HIGH_BYTES, Picture, only_page, opened, page, page_numbers
from vaelab.data.sources.decoding import SUFFIXES as SUFFIXES
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError as UnreadableError
from vaelab.data.sources.values import Extent, Kind, Range, Scale, add_image, eight_bits, in_bands, kind_of

MAX_PIXELS = 64_000_000  # where no option says otherwise: decoded, they take a quarter of a gigabyte

Colour = Literal["rgb", "gray"]
Alpha = Literal["white", "dropped"]
Fit = Literal["resize", "crop", "tile"]


def read_image(
    path: Path, max_pixels: int, colour: Colour, alpha: Alpha = "white", scale: Scale | None = None
) -> Picture:
    """Return the only image of a file in 8 bits: mode RGB, or L for gray; transparent parts white, or as if opaque.

    Args:
        path: of the file.
        max_pixels: that are decoded at most.
        colour: rgb or gray.
        alpha: what becomes of transparent parts.
        scale: of files of more than 8 bits; None: one of the file's own.

    Raises:
        UnreadableError: it is no regular file, damaged, of another type, too large, or has several pages.
    """
    with opened(path, max_pixels) as file:
        return in_eight_bits(only_page(file, max_pixels), colour, alpha, scale)


def survey_values(paths: Iterable[Path], max_pixels: int) -> dict[Kind, Extent]:
    """Return the values that files of more than 8 bits hold; only those are decoded, and those that cannot be are not.

    They decide the scale of a data set, and so are read before any image is converted.
    """
    found: dict[Kind, Extent] = {}
    for path in paths:
        try:
            with opened(path, max_pixels) as file:
                for number in page_numbers(file):
                    if kind_of(file.mode):
                        add_image(found, page(file, number, max_pixels).image, printable(path.name))
        except UnreadableError:
            continue
    return found


def without_effect(value_range: Range | None, scale: Scale, notes: Sequence[Mapping[str, str]]) -> list[str]:
    """Return what to warn of where a `value_range` does nothing, by the scale and the notes of the files."""
    high = [note["file"] for note in notes if note["note"] == HIGH_BYTES]
    if value_range and high:
        mend = "save them as 16-bit gray, or as 8 bits of the range that is meant"
        return [
            f"value_range has no effect on files of 16 bits a channel, whose higher 8 are used: {counted(high)}; {mend}"
        ]
    if value_range and not scale:
        return ["value_range has no effect: no file has more than 8 bits"]
    return []


def in_eight_bits(picture: Picture, colour: Colour, alpha: Alpha, scale: Scale | None) -> Picture:
    """Return a picture in mode RGB, or L for gray; the memory of the given one is freed where the mode is another.

    Raises:
        UnreadableError: it holds NaN or infinity.
    """
    image, scaled = eight_bits(picture.image, scale)
    converted = opaque(image, "RGB" if colour == "rgb" else "L", alpha == "white")
    if converted is not picture.image:
        picture.image.im = None  # type: ignore[assignment]  # of a large file, a quarter of a gigabyte that nobody needs while it is cut
    return Picture(converted, [*picture.notes, *scaled], picture.orientation)


def has_alpha(image: Image.Image) -> bool:
    """Return whether parts of an image may be transparent."""
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def opaque(image: Image.Image, mode: str, on_white: bool) -> Image.Image:
    """Return the image in mode RGB or L, without alpha; in bands, so that no second large image is made on the way."""
    transparent = has_alpha(image)
    if image.mode == mode and not transparent:
        return image
    out = Image.new(mode, image.size)
    for top, band in in_bands(image, lambda band: _opaque_band(band, transparent, on_white)):
        out.paste(band.convert(mode), (0, top))
    return out


def _opaque_band(band: Image.Image, transparent: bool, on_white: bool) -> Image.Image:
    if not transparent:
        return band.convert("L" if band.mode in ("1", "L") else "RGB")
    if not on_white:
        return band.convert("RGBA").convert("RGB")
    white = Image.new("RGBA", band.size, "white")
    white.alpha_composite(band.convert("RGBA"))
    return white.convert("RGB")


def as_array(image: Image.Image) -> np.ndarray:
    """Return the pixels of an image in mode L or RGB, uint8 [H, W, C]; in bands, since numpy would copy it twice."""
    pixels = np.empty((image.height, image.width, len(image.getbands())), dtype=np.uint8)
    for top, band in in_bands(image, np.asarray):
        pixels[top : top + len(band)] = np.atleast_3d(band)
    return pixels


def _resize(image: Image.Image, size: int) -> Iterator[Image.Image]:
    yield ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def _crop(image: Image.Image, size: int) -> Iterator[Image.Image]:
    left, top = (image.width - size) // 2, (image.height - size) // 2
    yield image.crop((left, top, left + size, top + size))


def _tile(image: Image.Image, size: int) -> Iterator[Image.Image]:
    for top in range(0, image.height - size + 1, size):
        for left in range(0, image.width - size + 1, size):
            yield image.crop((left, top, left + size, top + size))


FITS: dict[str, Callable[[Image.Image, int], Iterator[Image.Image]]] = {"resize": _resize, "crop": _crop, "tile": _tile}


def fitted(picture: Picture, size: int, fit: Fit) -> tuple[np.ndarray, list[str]]:
    """Return the squares that an image gives, uint8 [n, C, S, S], row by row for tiles, and its notes.

    Raises:
        UnreadableError: the image is too small to be cut.
    """
    width, height = picture.image.size
    small, notes = min(width, height) < size, picture.notes
    if small and fit != "resize":
        raise UnreadableError(f"{width}x{height} pixels: too small for fit: {fit} with size {size}")
    if small:
        notes = [*notes, f"enlarged from {width}x{height} pixels"]
    count = (width // size) * (height // size) if fit == "tile" else 1
    x = np.empty((count, len(picture.image.getbands()), size, size), dtype=np.uint8)
    for square, image in zip(x, FITS[fit](picture.image, size), strict=True):
        square[:] = np.moveaxis(np.atleast_3d(np.asarray(image)), -1, 0)
    return x, notes


def pixels_left_out(image: Image.Image, size: int, fit: Fit) -> int:
    """Return how many pixels of an image are in none of the squares that it gives."""
    width, height = image.size
    squares = {"resize": min(width, height) ** 2, "crop": size**2, "tile": width // size * (height // size) * size**2}
    return width * height - squares[fit]
