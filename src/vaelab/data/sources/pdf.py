"""Pages of a PDF, drawn by pypdfium2 at 150 dots per inch, and the boxes of the words that it holds as text."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaelab.data.sources.paged import Paged, check_pixels, needs
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import shortened

DOTS, POINTS = 150, 72  # pixels, and units of a PDF, to an inch: letters are read from 150 on
MAX_PAGES = 2000
MAX_CHARACTERS = 100_000  # of a page


@contextmanager
def opened_pdf(path: Path, max_pixels: int) -> Iterator[Paged]:
    """Open a PDF. Raises UnreadableError where it is damaged, needs a password, or has too many pages."""
    with _document(path) as document:

        def page(number: int) -> tuple[Image.Image, list[str]]:
            with _page(document, number) as one:
                check_pixels(*_pixels(one), max_pixels)
                drawn: Image.Image = one.render(scale=DOTS / POINTS).to_pil()
                return drawn.convert("RGB"), []

        yield Paged("PDF", "RGB", len(document), page)


def pdf_words(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of each page, from 0, and its words: left, top, right, bottom in pixels, float64 [n, 4]."""
    with _document(path) as document:
        for number in range(len(document)):
            with _page(document, number) as one:
                yield number, _words(one)


@contextmanager
def _document(path: Path) -> Iterator[Any]:
    with needs("pypdfium2", "pdf"):
        import pypdfium2
    try:
        document = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError, ValueError) as error:
        raise UnreadableError(f"no PDF, damaged, or with a password: {shortened(error)}") from None
    try:
        if len(document) > MAX_PAGES:
            raise UnreadableError(f"more than {MAX_PAGES} pages")
        if not len(document):
            raise UnreadableError("has no page")
        yield document
    finally:
        document.close()


@contextmanager
def _page(document: Any, number: int) -> Iterator[Any]:
    import pypdfium2

    try:
        page = document[number]
        try:
            yield page
        finally:
            page.close()
    except (pypdfium2.PdfiumError, MemoryError, ValueError, ArithmeticError) as error:
        raise UnreadableError(f"damaged page: {shortened(error)}") from None


def _pixels(page: Any) -> tuple[int, int]:
    """Width and height of the page as it is drawn."""
    width, height = (-(-side * DOTS // POINTS) for side in page.get_size())  # as pypdfium2 rounds
    return max(1, int(width)), max(1, int(height))


def _words(page: Any) -> np.ndarray:
    from pypdfium2 import raw

    text = page.get_textpage()
    try:
        count = min(text.count_chars(), MAX_CHARACTERS)
        words: list[list[tuple[float, float]]] = [[]]
        for index in range(count):
            character = chr(raw.FPDFText_GetUnicode(text, index))
            if character.isspace() or not character.isprintable():
                words.append([])
                continue
            left, bottom, right, top = text.get_charbox(index)
            words[-1] += [_device(page, left, top), _device(page, right, bottom)]
    finally:
        text.close()
    corners = [(*np.min(word, axis=0), *np.max(word, axis=0)) for word in words if word]
    return np.array(corners, dtype=np.float64).reshape(-1, 4)


def _device(page: Any, x: float, y: float) -> tuple[float, float]:
    """A place of a page in pixels as it is drawn: turned and cropped as the PDF says."""
    from pypdfium2 import raw

    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, *_pixels(page), 0, x, y, across, down)
    return across.value, down.value
