"""One image file of any common kind, decoded page by page, or why it cannot be.

Type by content: PNG, JPEG, TIFF, BMP, WebP, GIF, PPM; by ending, too: AVIF, JPEG 2000, TGA; where their libraries are
there HEIC, PDF and DICOM. All pages of a TIFF, a PDF, a DICOM file; of an animation the first frame. EXIF rotation is
applied.
"""

import itertools
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from vaelab.data.sources.claims import check_content, check_size
from vaelab.data.sources.paged import Paged, needs
from vaelab.data.sources.paged_files import PAGED, opener
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.errors import shortened

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")  # no others: Pillow hands some to outside programs
OTHERS = {".avif": "AVIF", ".jp2": "JPEG2000", ".j2k": "JPEG2000", ".jpx": "JPEG2000", ".tga": "TGA"}  # by ending alone
SUFFIXES: dict[str, tuple[str, ...]] = (
    {
        ".png": ("PNG",),
        ".jpg": ("JPEG", "MPO"),
        ".jpeg": ("JPEG", "MPO"),
        ".jpe": ("JPEG", "MPO"),
        ".jfif": ("JPEG", "MPO"),
        ".tif": ("TIFF",),
        ".tiff": ("TIFF",),
        ".bmp": ("BMP",),
        ".webp": ("WEBP",),
        ".gif": ("GIF",),
        ".ppm": ("PPM",),
        ".pgm": ("PPM",),
        ".pbm": ("PPM",),
        ".pnm": ("PPM",),
        ".heic": ("HEIF",),
        ".heif": ("HEIF",),
    }
    | {ending: (name,) for ending, name in OTHERS.items()}
    | dict.fromkeys(PAGED, ())
)
HEIC = (".heic", ".heif")
MAX_PAGES = 2000  # of a file
ORIENTATION = 0x0112  # of EXIF
SWAPPED = (5, 6, 7, 8)  # orientations that exchange width and height
SUBFILE = 254  # of TIFF: 1 for a small copy of another page, 4 for its mask
HIGH_BYTES = "16 bits a channel: the higher 8 are used"
DAMAGED = (  # what Pillow raises on files that it cannot read
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, MemoryError, RuntimeError,
    AttributeError, struct.error, zlib.error,
)  # fmt: skip


class Picture(NamedTuple):
    """An image, what is worth knowing of its file, and by which EXIF orientation it was turned (1: not at all)."""

    image: Image.Image
    notes: list[str]
    orientation: int = 1


Opened = ImageFile.ImageFile | Paged


@contextmanager
def opened(path: Path, max_pixels: int) -> Iterator[Opened]:
    """Open a file of which nothing is decoded yet. Raises UnreadableError, also in place of what Pillow raises."""
    check_regular(path)
    if other := opener(path):
        with quiet(), other(path, max_pixels) as pages:
            yield pages
        return
    with quiet(), damage_said(), Image.open(path, formats=_formats(path)) as file:
        check_size(file, max_pixels)
        yield file


def _formats(path: Path) -> tuple[str, ...]:
    other = OTHERS.get(path.suffix.lower())
    if other is not None:
        Image.init()
        return (*FORMATS, other) if other in Image.OPEN else FORMATS
    if path.suffix.lower() not in HEIC:
        return FORMATS
    with needs("pillow-heif", "heic"):
        import pillow_heif
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


@contextmanager
def damage_said() -> Iterator[None]:
    """Raise UnreadableError in place of whatever Pillow raises."""
    try:
        yield
    except UnidentifiedImageError:
        raise UnreadableError(f"not an image of a known type ({', '.join(FORMATS)})") from None
    except DAMAGED as error:
        raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None


@contextmanager
def quiet() -> Iterator[list[warnings.WarningMessage]]:
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


def only_page(file: Opened, max_pixels: int) -> Picture:
    """Return the image of a file in its own mode, upright. Raises UnreadableError where there are several pages."""
    numbers = page_numbers(file)
    next(numbers)
    if next(numbers, None) is not None:
        raise UnreadableError("several pages, of which each needs a file of its own here")
    return page(file, 0, max_pixels)


def page_numbers(file: Opened) -> Iterator[int]:
    """Yield the numbers of a file's pages, from 0: of a TIFF without small copies and masks of other pages.

    Raises:
        UnreadableError: there are more than MAX_PAGES.
    """
    if isinstance(file, Paged):
        yield from range(file.pages)
        return
    yield 0
    if file.format != "TIFF":
        return
    for number in itertools.count(1):
        try:
            file.seek(number)
        except EOFError:
            return
        if number >= MAX_PAGES:
            raise UnreadableError(f"more than {MAX_PAGES} pages")
        if not _is_extra(file):
            yield number


def _is_extra(file: ImageFile.ImageFile) -> bool:
    return bool(int(file.tag_v2.get(SUBFILE, 0)) & 5)  # type: ignore[attr-defined]


def page(file: Opened, number: int, max_pixels: int) -> Picture:
    """Return a page in its own mode, upright; it is in memory until the next one is read.

    Raises:
        UnreadableError: it is damaged, has too many pixels, or lacks some.
    """
    if isinstance(file, Paged):
        return Picture(*file.page(number))
    path = Path(os.fsdecode(file.filename))
    with quiet() as caught, damage_said():
        if file.format == "TIFF":
            file.seek(number)
        check_size(file, max_pixels)
        check_content(file, path)
        notes, orientation = _notes(file, path), _orientation(file)
        _load(file, orientation)
        ImageOps.exif_transpose(file, in_place=True)
    return Picture(file, [*notes, *sorted({" ".join(str(warning.message).split()) for warning in caught})], orientation)


def _load(file: ImageFile.ImageFile, orientation: int) -> None:
    """Decode; not by the name, if EXIF lays a TIFF on its side: Pillow 13.0 maps its bytes in the shape of later on."""
    name = file.filename
    try:
        file.filename = "" if file.format == "TIFF" and orientation in SWAPPED else name
        file.load()
    finally:
        file.filename = name


def _orientation(file: ImageFile.ImageFile) -> int:
    value = file.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1  # others turn nothing


def _notes(file: ImageFile.ImageFile, path: Path) -> list[str]:
    notes = []
    if path.suffix and file.format not in SUFFIXES.get(path.suffix.lower(), ()):
        notes.append(f"its content is {file.format}")
    if file.format not in ("TIFF", "MPO") and getattr(file, "is_animated", False):
        notes.append("several frames: the first is used")
    if not file.mode.startswith("I") and any(";16" in str(tile.args) for tile in file.tile):
        notes.append(HIGH_BYTES)
    return notes
