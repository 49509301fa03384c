"""One image file of any common kind to 8-bit pixels, or why it cannot be read.

- Type by content: PNG, JPEG, TIFF, BMP, WebP, GIF; of several frames or pages the first.
- EXIF rotation is applied, alpha goes on white or is dropped, CMYK and palettes become RGB; colour profiles are not
  applied.
- 16 bits: 0..65535 to 0..255. 32 bits and floats: the smallest of 0..1 (floats), 0..255 and 0..65535 that holds the
  file's values, else its own range, to 0..255. What was chosen is noted.
"""

import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vaelab.errors import shortened

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")  # no others: Pillow hands some to outside programs
SUFFIXES = {
    ".png": ("PNG",),
    ".jpg": ("JPEG", "MPO"),
    ".jpeg": ("JPEG", "MPO"),
    ".tif": ("TIFF",),
    ".tiff": ("TIFF",),
    ".bmp": ("BMP",),
    ".webp": ("WEBP",),
}
LIMITS = {"I;16": (65535.0,), "I": (255.0, 65535.0), "F": (1.0, 255.0, 65535.0)}  # of values, by mode
DAMAGED = (  # what Pillow raises on files that it cannot read
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, MemoryError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip


class UnreadableError(Exception):
    """A file that cannot be used; the message is the reason."""


class Picture(NamedTuple):
    """An image in mode L or RGB, and what is worth knowing of its file."""

    image: Image.Image
    notes: list[str]


def read_image(
    path: Path, max_pixels: int, colour: Literal["rgb", "gray"], alpha: Literal["white", "dropped"] = "white"
) -> Picture:
    """Return the image of a file in 8 bits: mode RGB, or L for gray; transparent parts white, or as if opaque.

    Raises:
        UnreadableError: it is no regular file, damaged, of another type, or has more than `max_pixels` pixels.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("not a regular file")
    if not status.st_size:
        raise UnreadableError("empty file")
    with _quiet() as caught:
        try:
            image, notes = _decoded(path, max_pixels)
            image, scaled = _eight_bits(image)
            image = _opaque(image, alpha == "white").convert("RGB" if colour == "rgb" else "L")
        except UnidentifiedImageError:
            raise UnreadableError(f"not an image of a known type ({', '.join(FORMATS)})") from None
        except DAMAGED as error:
            raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None
    return Picture(image, [*notes, *scaled, *sorted({" ".join(str(warning.message).split()) for warning in caught})])


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Collect warnings; Pillow's own limit of pixels is off meanwhile, since max_pixels is the limit."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            yield caught
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _decoded(path: Path, max_pixels: int) -> Picture:
    """First frame, upright, in its own mode."""
    notes = []
    with Image.open(path, formats=FORMATS) as file:
        width, height = file.size
        if width * height > max_pixels:
            raise UnreadableError(f"{width}x{height} pixels; at most {max_pixels} in all (max_pixels)")
        if file.format not in SUFFIXES[path.suffix.lower()]:
            notes.append(f"its content is {file.format}")
        if getattr(file, "is_animated", False):
            notes.append("several frames or pages: the first is used")
        file.load()
        return Picture(ImageOps.exif_transpose(file), notes)


def _eight_bits(image: Image.Image) -> Picture:
    """The image with 8 bits a channel."""
    if not image.mode.startswith(("I", "F")):
        return Picture(image, [])
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise UnreadableError("holds NaN or infinity")
    fitting = [limit for limit in LIMITS[image.mode[:4]] if low >= 0 and high <= limit]
    if fitting:
        low, high = 0.0, fitting[0]
    scaled = np.rint((values - low) / (high - low or 1.0) * 255)
    return Picture(Image.fromarray(scaled.astype(np.uint8)), [f"values from {low:g} to {high:g} became 0 to 255"])


def _opaque(image: Image.Image, on_white: bool) -> Image.Image:
    """The image in mode RGB or L, without alpha."""
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        if not on_white:
            return image.convert("RGBA").convert("RGB")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        return white.convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _resize(image: Image.Image, size: int) -> list[Image.Image]:
    return [ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)]


def _crop(image: Image.Image, size: int) -> list[Image.Image]:
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return [image.crop((left, top, left + size, top + size))]


def _tile(image: Image.Image, size: int) -> list[Image.Image]:
    corners = [(x, y) for y in range(0, image.height - size + 1, size) for x in range(0, image.width - size + 1, size)]
    return [image.crop((x, y, x + size, y + size)) for x, y in corners]


FITS: dict[str, Callable[[Image.Image, int], list[Image.Image]]] = {"resize": _resize, "crop": _crop, "tile": _tile}


def fitted(picture: Picture, size: int, fit: Literal["resize", "crop", "tile"]) -> tuple[np.ndarray, list[str]]:
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
    x = np.stack([np.asarray(square) for square in FITS[fit](picture.image, size)])
    return np.ascontiguousarray(x[:, None] if x.ndim == 3 else np.moveaxis(x, -1, 1)), notes
