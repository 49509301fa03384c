"""Gray pages to non-overlapping square patches, with the words that are known of each page.

n patches of a page, S their side in pixels, H W the page in pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import PHASES, Preparation, image_info


class Word(NamedTuple):
    """A word of a page and its box in pixels; right and bottom are outside of it."""

    text: str
    left: int
    top: int
    right: int
    bottom: int


class Page(NamedTuple):
    """A page: its name, its pixels (uint8 [H, W], any size) and its words, line by line in reading order."""

    name: str
    gray: np.ndarray
    lines: Sequence[Sequence[Word]]

    def words(self) -> Iterator[Word]:
        """Yield the words in reading order."""
        for line in self.lines:
            yield from line

    def text(self) -> str:
        """Return the known text: words joined by spaces, lines by line breaks; empty words left out."""
        lines = (" ".join(word.text for word in line if word.text) for line in self.lines)
        return "\n".join(line for line in lines if line)


def whole(pixels: int, size: int) -> int:
    """Return `pixels` rounded up to whole patches, in pixels."""
    return -(-pixels // size) * size


def pad(gray: np.ndarray, size: int) -> np.ndarray:
    """Return the page filled up to whole patches at its right and bottom, with its median tone, which is its paper."""
    return np.pad(gray, _margins(gray, size), constant_values=int(np.median(gray)))


def text_mask(page: Page) -> np.ndarray:
    """Return 1 inside a word's box and 0 elsewhere, uint8 [H, W]."""
    mask = np.zeros(page.gray.shape, dtype=np.uint8)
    for word in page.words():
        mask[word.top : word.bottom, word.left : word.right] = 1
    return mask


def cut(page: Page, size: int) -> dict[str, np.ndarray]:
    """Return the page's patches, row by row: x [n, 1, S, S], text [n, S, S], and top and left in pixels [n]."""
    mask = text_mask(page)
    x, text = _tiles(pad(page.gray, size), size), _tiles(np.pad(mask, _margins(mask, size)), size)
    columns = whole(page.gray.shape[1], size) // size
    number = np.arange(len(x), dtype=np.int32)
    return {"x": x[:, None], "text": text, "top": number // columns * size, "left": number % columns * size}


def _margins(page: np.ndarray, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    height, width = page.shape
    return (0, whole(height, size) - height), (0, whole(width, size) - width)


def _tiles(page: np.ndarray, size: int) -> np.ndarray:
    rows, columns = page.shape[0] // size, page.shape[1] // size
    return page.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size)


class PageWriter:
    """Writes pages as patches, one page at a time, and keeps what the report says of them."""

    def __init__(self, folder: Path, size: int, groups: tuple[str, ...], zoom: float = 1.0) -> None:
        self.writer = prepared.Writer(folder)
        self.size = size
        self.preparation = Preparation("tile", zoom, padded=True)
        self.groups = groups
        self.names: list[str] = []
        self.texts: list[str] = []
        self.word_boxes = 0
        self.pages = {phase: dict.fromkeys(groups, 0) for phase in PHASES}
        self.patches = {phase: dict.fromkeys(groups, 0) for phase in PHASES}

    def add(self, phase: str, group: str, page: Page) -> None:
        """Write the patches of a page; its number is the count of the pages before it."""
        arrays = cut(page, self.size)
        count = len(arrays["x"])
        arrays["group"] = np.full(count, self.groups.index(group), dtype=np.int32)
        arrays["page"] = np.full(count, len(self.names), dtype=np.int32)
        self.writer.add(phase, arrays)
        self.names.append(page.name)
        self.texts.append(page.text())
        self.word_boxes += sum(1 for _ in page.words())
        self.pages[phase][group] += 1
        self.patches[phase][group] += count

    def finish(self, report: Mapping[str, Any]) -> None:
        """Write what waits, and meta.json with `report`, the pages' names and texts, and the counts."""
        self.writer.finish(image_info(1, self.size, self.groups, self.preparation), {
            **report,
            "pages_by_phase": self.pages,
            "group_counts": self.patches,
            "word_boxes": self.word_boxes,
            "page_names": self.names,
            **cluster_report("page"),
            "page_text": self.texts,
        })  # fmt: skip
