"""A file whose pages are made one at a time by a library that is not Pillow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from vaelab.data.sources.regular import UnreadableError


@dataclass(frozen=True)
class Paged:
    """What such a file is, before anything of it is decoded."""

    format: str
    mode: str  # of Pillow, that its pages come in
    pages: int
    page: Callable[[int], tuple[Image.Image, list[str]]]  # by its number, from 0, and notes; raises UnreadableError


@contextmanager
def needs(library: str, extra: str) -> Iterator[None]:
    """Raise UnreadableError where a library cannot be imported: it says how to install it."""
    try:
        yield
    except ImportError:
        raise UnreadableError(f"needs {library}, which is not installed: pip install 'vaelab[{extra}]'") from None


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise UnreadableError where a page has more pixels than are decoded."""
    if width * height > max_pixels:
        raise UnreadableError(f"{width}x{height} pixels; at most {max_pixels} in all (max_pixels)")
