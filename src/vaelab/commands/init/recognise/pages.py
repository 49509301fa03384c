"""How many pages files of images hold: a PDF or TIFF may have many."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vaelab.commands.init.recognise.looks import spread
from vaelab.data.sources.decoding import opened, page_numbers
from vaelab.data.sources.image_files import MAX_PIXELS
from vaelab.data.sources.regular import UnreadableError

ONE_PAGE = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".heic", ".heif", ".avif", ".ppm", ".pgm")
COUNTED = 200  # files; of more a sample


class Pages(NamedTuple):
    """Pages of all files, and what to say of them where there are more than files."""

    number: int
    said: str


def pages_of(root: Path, files: Sequence[Path]) -> Pages:
    """Return how many pages files below `root` have, by a sample where there are many."""
    several = [file for file in files if file.suffix.lower() not in ONE_PAGE]
    sample = spread(several, COUNTED)
    counted = sum(_pages(root / file) for file in sample)
    if counted <= len(sample):
        return Pages(len(files), "")
    pages = len(files) - len(several) + round(counted * len(several) / len(sample))
    return Pages(pages, f"{'about ' * (len(several) > len(sample))}{pages:,} pages in {len(files):,} files")


def _pages(path: Path) -> int:
    try:
        with opened(path, MAX_PIXELS) as file:
            return sum(1 for _ in page_numbers(file))
    except UnreadableError:
        return 1
