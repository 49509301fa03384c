"""How images look, by a sample of them: sizes, gray or not, pages or not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from vaelab.data.sources.decoding import opened, page, page_numbers
from vaelab.data.sources.image.groups import is_gray
from vaelab.data.sources.image_files import MAX_PIXELS, opaque
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.values import kind_of

SAMPLE = 100
THUMB = 256
PAGE_SIDE, PAPER, PAPER_SHARE = 300, 190, 0.6  # a page is large, mostly paper,
INK, INK_SHARE, STROKES = 170, 0.01, 10  # and has some ink, in many strokes along a row
GRAY_SHARE = 0.95  # of the images


class Looks(NamedTuple):
    """What a sample of images shows."""

    seen: int
    unreadable: int
    height: int  # medians
    width: int
    gray: bool
    pages: bool
    deep: bool  # more than 8 bits
    reason: str = ""  # why the first of those that cannot be read cannot

    @property
    def side(self) -> int:
        """The shorter side, pixels."""
        return min(self.height, self.width)

    @property
    def size(self) -> str:
        """Height and width as text."""
        return f"{self.width} × {self.height} pixels"


def spread(files: Sequence[Path], most: int = SAMPLE) -> list[Path]:
    """Return at most so many of the files, evenly over all."""
    step = max(1, len(files) / most)
    return [files[int(number * step)] for number in range(min(most, len(files)))]


def looks(root: Path, files: Sequence[Path], max_pixels: int = MAX_PIXELS) -> Looks:
    """Return how images below `root` look, by a sample of them; those with more pixels cannot be read."""
    sizes: list[tuple[int, int]] = []
    gray, paper, deep = 0, 0, 0
    reasons: list[str] = []
    for file in spread(files):
        try:
            with opened(root / file, max_pixels) as source:
                image = _first(source, sizes, max_pixels)
                if kind_of(image.mode):
                    deep, gray = deep + 1, gray + 1
                    continue
                small = np.asarray(opaque(image, "RGB", on_white=True).resize((THUMB, THUMB)))
        except UnreadableError as error:
            reasons.append(str(error))
            continue
        gray += bool(is_gray(np.moveaxis(small, -1, 0)[None])[0])
        paper += min(sizes[-1]) >= PAGE_SIDE and _is_page(small.mean(-1))
    bad, reason = len(reasons), next(iter(reasons), "")
    if not sizes:
        return Looks(0, bad, 0, 0, False, False, False, reason)
    height, width = np.median(sizes, axis=0).astype(int).tolist()
    all_gray, pages = gray >= GRAY_SHARE * len(sizes), 2 * paper > len(sizes)
    return Looks(len(sizes), bad, height, width, all_gray, pages, deep > 0, reason)


def _first(source: Any, sizes: list[tuple[int, int]], max_pixels: int) -> Image.Image:
    """The first page of a file, whose height and width are noted; of a JPEG a smaller one, which is soon decoded."""
    if isinstance(source, ImageFile.ImageFile) and source.format == "JPEG":
        sizes.append((source.height, source.width))
        source.draft("RGB", (2 * THUMB, 2 * THUMB))
        return source
    image = page(source, next(page_numbers(source)), max_pixels).image
    sizes.append((image.height, image.width))
    return image


def _is_page(levels: np.ndarray) -> bool:
    """Whether a thumbnail, levels [H, W], is mostly paper with text on it: not an object before a white wall."""
    ink = levels < INK
    if (levels > PAPER).mean() < PAPER_SHARE or ink.mean() < INK_SHARE:
        return False
    strokes = np.abs(np.diff(ink.astype(np.int8), axis=1)).sum(1)
    return bool(np.median(strokes[ink.any(1)]) >= STROKES)
