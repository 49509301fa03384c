"""Frames of a DICOM file, by pydicom, in the values that the scanner means, such as Hounsfield units.

More than 8 bits become floats, so that one window of the data set (`value_range`) says what becomes 0 and 255.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaelab.data.sources.paged import Paged, check_pixels, needs
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.errors import shortened

MAX_FRAMES = 2000
MAGIC, MAGIC_AT = b"DICM", 128
DEFLATED = "1.2.840.10008.1.2.1.99"
DARK_IS_HIGH = "MONOCHROME1"
DAMAGED = (  # what pydicom and its decoders raise
    OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, NotImplementedError,
    ArithmeticError, MemoryError, EOFError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def is_dicom(path: Path) -> bool:
    """Return whether a file without a usual ending (none, or digits, as of a UID) begins as DICOM does."""
    ending = path.suffix[1:]
    if ending and not ending.isdigit():
        return False
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] == MAGIC
    except (UnreadableError, OSError):
        return False


@contextmanager
def opened_dicom(path: Path, max_pixels: int) -> Iterator[Paged]:
    """Open a DICOM file. Raises UnreadableError where it is none, or has no, too large or too many frames."""
    with needs("pydicom", "dicom"):
        import pydicom
        import pydicom.errors
        import pydicom.filereader
    with _damage_said():
        try:
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DEFLATED:  # of which pydicom inflates all at once
                raise UnreadableError("a deflated DICOM file; save it in another transfer syntax")
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            raise UnreadableError("no DICOM file") from None
        if "Rows" not in header or "Columns" not in header:
            raise UnreadableError("a DICOM file without an image")
        frames = int(header.get("NumberOfFrames") or 1)
        check_pixels(int(header.Columns), int(header.Rows), max_pixels)
        mode = _mode(header)
    if not 0 < frames <= MAX_FRAMES:
        raise UnreadableError(f"{frames} frames; expected 1 to {MAX_FRAMES}")

    def page(number: int) -> tuple[Image.Image, list[str]]:
        from pydicom.pixels.utils import pixel_array

        with _damage_said(), _bounded(max_pixels):
            return _image(np.asarray(pixel_array(path, index=number)), header)

    yield Paged("DICOM", mode, frames, page)


@contextmanager
def _bounded(max_pixels: int) -> Iterator[None]:
    """Limit what Pillow decodes of a compressed frame, which may claim another size than its file does."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _damage_said() -> Iterator[None]:
    from pydicom.errors import BytesLengthException

    try:
        yield
    except (*DAMAGED, BytesLengthException) as error:
        raise UnreadableError(f"damaged, or compressed in a way that is not known: {shortened(error)}") from None


def _mode(header: Any) -> str:
    """Mode of the image: floats where there are more values than 256."""
    if int(header.get("SamplesPerPixel", 1)) > 1 or header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return "RGB"
    signed, bits = header.get("PixelRepresentation"), int(header.get("BitsStored", 16))
    return "L" if bits <= 8 and not signed and _rescale(header) is None else "F"


def _rescale(header: Any) -> tuple[float, float] | None:
    """Slope and intercept, where they change anything."""
    found = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    return None if found == (1, 0) else found


def _image(values: np.ndarray, header: Any) -> tuple[Image.Image, list[str]]:
    notes: list[str] = []
    mode = _mode(header)
    if mode == "RGB":
        return _coloured(values, header), notes
    if values.ndim != 2:
        raise UnreadableError(f"a frame of shape {'x'.join(map(str, values.shape))}; expected rows and columns")
    x = values.astype(np.float64)
    if header.get("PhotometricInterpretation") == DARK_IS_HIGH:
        bits, signed = int(header.BitsStored), bool(header.get("PixelRepresentation"))
        x = 2**bits - 1 - 2**bits * signed - x
        notes.append("MONOCHROME1, whose high values are dark: inverted")
    slope, intercept = _rescale(header) or (1.0, 0.0)
    x = x * slope + intercept
    centre, width = (_first(header.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if mode == "F" and centre is not None and width:
        own = f"[{centre - width / 2:g}, {centre + width / 2:g}]"
        notes.append(f"it names a window of its own: value_range: {own} would show that")
    return Image.fromarray(x.astype(np.float32 if mode == "F" else np.uint8)), notes


def _coloured(values: np.ndarray, header: Any) -> Image.Image:
    from pydicom.pixels.processing import apply_color_lut

    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        values = apply_color_lut(values, header)
    if values.ndim != 3 or values.shape[2] != 3:
        raise UnreadableError(f"a frame of shape {'x'.join(map(str, values.shape))}; expected 3 colours")
    return Image.fromarray((values >> 8 if values.dtype.itemsize > 1 else values).astype(np.uint8))


def _first(value: Any) -> float | None:
    """The value of an element that may have none, or several."""
    many = isinstance(value, list | tuple) or (hasattr(value, "__len__") and not isinstance(value, str))
    return None if value is None or (many and not len(value)) else float(value[0] if many else value)
