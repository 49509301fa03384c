"""TIFFs of microscopes that Pillow does not know: floats of 16 or 64 bits, several channels of more than 8 bits.

Each channel of each page is a gray image. tifffile reads them, which scikit-image brings along.
"""

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaelab.data.sources.paged import Paged, check_pixels
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.errors import shortened

ENDINGS = (".tif", ".tiff")
MAX_PAGES, MAX_CHANNELS = 2000, 100
GRAY = (0, 1)  # photometric interpretations: high values are dark, or bright
PLAIN, ZLIB, OTHERS = 1, (8, 32946), (5, 32773)  # compressions: LZW and PackBits grow little
ALPHA = (1, 2)  # extra samples that are no channel
DAMAGED = (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, ArithmeticError,
           MemoryError, EOFError, zlib.error, struct.error)  # fmt: skip  # what tifffile raises


def is_scientific(path: Path) -> bool:
    """Return whether a file is a TIFF that Pillow does not know; False also where it is none at all."""
    if path.suffix.lower() not in ENDINGS:
        return False
    try:
        check_regular(path)
        with _quiet_tiff(path) as file:
            first = file.pages.first
            channels = _channels(first)
            alpha = any(sample in ALPHA for sample in first.extrasamples)
            several = channels > 1 and first.photometric in GRAY and not alpha
            return bool(first.dtype in (np.float16, np.float64) or (several and first.dtype.itemsize > 1))
    except (UnreadableError, *DAMAGED):
        return False


@contextmanager
def opened_scientific(path: Path, max_pixels: int) -> Iterator[Paged]:
    """Open such a TIFF. Raises UnreadableError where it is damaged, or has too many pages or channels."""
    with _damage_said(), _quiet_tiff(path) as file:
        channels, pages = _channels(file.pages.first), len(file.pages)
        if channels > MAX_CHANNELS or pages * channels > MAX_PAGES:
            raise UnreadableError(f"{pages} pages of {channels} channels; at most {MAX_PAGES} images in a file")

        def page(number: int) -> tuple[Image.Image, list[str]]:
            with _damage_said():
                return _image(file.pages[number // channels], number % channels, max_pixels, path.stat().st_size)

        yield Paged("TIFF", "F", pages * channels, page)


def _channels(page: Any) -> int:
    return int(page.samplesperpixel)


def _image(page: Any, channel: int, max_pixels: int, size: int) -> tuple[Image.Image, list[str]]:
    check_pixels(page.imagewidth, page.imagelength, max_pixels)
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or max(ends) > size or 0 in page.databytecounts or page.imagedepth != 1:
        raise UnreadableError(f"damaged: it claims {page.imagewidth}x{page.imagelength} pixels, but lacks some")
    _check_segments(page)
    values = page.asarray(maxworkers=1)
    if values.ndim == 3:
        values = values[channel] if page.planarconfig == 2 else values[..., channel]
    with np.errstate(over="ignore"):  # infinity, which is told of with the values
        return Image.fromarray(np.ascontiguousarray(values, dtype=np.float32)), []


def _check_segments(page: Any) -> None:
    """Refuse what would unpack to more than its pixels take: tifffile unpacks all of it."""
    if page.compression not in (PLAIN, *ZLIB, *OTHERS):
        raise UnreadableError(f"compressed in a way that is not read here, {page.compression!r}")
    most = int(np.prod(page.chunks)) * page.dtype.itemsize
    for start, count in zip(page.dataoffsets, page.databytecounts, strict=True) if page.compression in ZLIB else ():
        page.parent.filehandle.seek(start)
        if len(zlib.decompressobj().decompress(page.parent.filehandle.read(count), most + 1)) > most:
            raise UnreadableError("damaged: it unpacks to more than the pixels that it claims")


@contextmanager
def _quiet_tiff(path: Path) -> Iterator[Any]:
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it says on the terminal what is raised, too
    with tifffile.TiffFile(path) as file:
        yield file


@contextmanager
def _damage_said() -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise UnreadableError(f"damaged, or compressed in a way that is not known: {shortened(error)}") from None
