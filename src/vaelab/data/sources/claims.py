"""What an image file claims, checked before it is decoded: memory is asked for by its size, not by what it holds."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import ImageFile

from vaelab.data.sources.regular import UnreadableError

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG, by its type of colour
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # x y dx dy
TIFF_ROWS = 257  # tag of TIFF
PIECE = 2**20  # bytes that are inflated at once
PIXELS_A_BYTE = 512  # of a JPEG at most: a bit for a block of 64
MAX_SCANS = 100  # of a progressive JPEG, each of which goes over all pixels; usual are 10


def check_size(file: ImageFile.ImageFile, max_pixels: int) -> None:
    """Refuse more pixels than `max_pixels`; those of WebP and progressive JPEG, whose decoders need more, count more.

    Raises:
        UnreadableError: it has more.
    """
    width, height = file.size
    times = 2.0 if file.format == "WEBP" else 1.5 if file.info.get("progressive") else 1.0
    if width * height * times > max_pixels:
        counted = f", {times:g} times in {file.format}" if times > 1 else ""
        raise UnreadableError(f"{width}x{height} pixels{counted}; at most {max_pixels} in all (max_pixels)")


def check_content(file: ImageFile.ImageFile, path: Path) -> None:
    """Refuse a file that cannot hold the pixels that it claims: missing rows would be black, and would be kept.

    Raises:
        UnreadableError: it lacks data, or would take hours.
    """
    width, height = file.size
    if file.format == "PNG" and _png_lacks(path):
        raise UnreadableError(f"damaged: it claims {width}x{height} pixels, but its data end before")
    if file.format == "TIFF" and max((tile.extents[3] for tile in file.tile if tile.extents), default=0) < _rows(file):
        raise UnreadableError(f"damaged: it claims {width}x{height} pixels, but its strips end before")
    if file.format in ("JPEG", "MPO") and width * height > PIXELS_A_BYTE * path.stat().st_size:
        raise UnreadableError(f"damaged: it claims {width}x{height} pixels in {path.stat().st_size} bytes")
    if file.info.get("progressive") and path.read_bytes().count(b"\xff\xda") > MAX_SCANS:
        raise UnreadableError(f"damaged: a progressive JPEG of more than {MAX_SCANS} scans")


def _rows(file: ImageFile.ImageFile) -> int:
    """Rows of a TIFF as they are stored: Pillow's size is that of the image which EXIF has turned."""
    rows: int = file.tag_v2[TIFF_ROWS]  # type: ignore[attr-defined]
    return rows


def _png_lacks(path: Path) -> bool:
    """Whether the compressed data of a PNG end before its last row; other damage is left to the decoder."""
    with path.open("rb") as file:
        file.seek(16)
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
        file.seek(8)
        passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
        expected = 0
        for x, y, dx, dy in passes:
            columns, rows = max(0, -(-(width - x) // dx)), max(0, -(-(height - y) // dy))
            expected += rows * (1 + (columns * bits * CHANNELS[colour] + 7) // 8) if columns else 0
        stream, found = zlib.decompressobj(), 0
        try:
            for data in _idat(file):
                found += len(stream.decompress(data, PIECE))
                while stream.unconsumed_tail and found < expected:
                    found += len(stream.decompress(stream.unconsumed_tail, PIECE))
                if found >= expected:
                    return False
        except zlib.error:
            return False
    return stream.eof


def _idat(file: BinaryIO) -> Iterator[bytes]:
    """Data of the first run of IDAT chunks, a piece at a time."""
    started = False
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IDAT":
            started = True
            while length > 0 and (data := file.read(min(length, PIECE))):
                length -= len(data)
                yield data
        elif started:
            return
        file.seek(length + 4, 1)
