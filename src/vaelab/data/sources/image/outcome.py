"""What became of the files of a directory, and what is told of it.

n squares of a page, C channels, S their side.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.account import Account
from vaelab.data.sources.image.boxes.corners import Boxes
from vaelab.data.sources.image.boxes.masks import Marked
from vaelab.data.sources.image.boxes.tally import Tally
from vaelab.data.sources.image.groups import LITTLE_RANGE, GroupLevels
from vaelab.data.sources.image_files import without_effect
from vaelab.data.sources.listing import printable
from vaelab.data.sources.twins import Twins
from vaelab.data.sources.values import Extent, Kind, Scale, mixed, told
from vaelab.params.datasets import ImageFiles

PARTS = {  # of an image, that `fit` leaves out
    "resize": "at the ends of the longer side",
    "crop": "around the centre",
    "tile": "at the right and at the bottom, where no whole tile is left",
}


class Page(NamedTuple):
    """The squares [n, C, S, S] that a page gives, its pixels, and how many of them are in no square."""

    number: int
    x: np.ndarray
    notes: list[str]
    pixels: int
    left_out: int
    marked: Marked | None = None  # where text is, of files that have boxes of it


class Outcome:
    """What became of the files, as they pass by."""

    def __init__(self, account: Account, groups: tuple[str, ...]) -> None:
        self.account, self.levels, self.twins = account, GroupLevels(groups), Twins()
        self.files: list[Path] = []
        self.kept: list[str] = []  # their names, by the number in `file`
        self.examples = dict.fromkeys(PHASES, 0)  # files that were kept, by split
        self.pages: dict[str, int] = {}  # of files that have several
        self.pixels = self.pixels_left_out = 0
        self.tally = Tally()

    def marks(self, page: Page) -> dict[str, np.ndarray]:
        """Return the arrays that say where text is, and where the squares [n] of the next page are in it."""
        if page.marked is None:
            return {}
        number = np.full(len(page.x), len(self.tally.names), dtype=np.int32)
        return {"text": page.marked.text, "page": number, "top": page.marked.top, "left": page.marked.left}

    def add(self, phase: str, name: str, page: Page, group: np.ndarray) -> None:
        """Count a page of a file."""
        self.levels.add(phase, page.x, group)
        self.twins.add(phase, page_name(name, page.number), page.x)
        self.account.note(name, page.notes)
        self.pixels += page.pixels
        self.pixels_left_out += page.left_out
        if page.marked is not None:
            self.tally.add(phase, page_name(name, page.number), page.marked)

    def finish(self, phase: str, file: Path, pages: int) -> None:
        """Count a file, of which so many pages are kept."""
        name = printable(file)
        if pages:
            self.examples[phase] += 1
            self.files.append(file)
            self.kept.append(name)
        if pages > 1:
            self.pages[name] = pages

    def judge(self, found: Mapping[Kind, Extent], scale: Scale, settings: ImageFiles) -> None:
        """Say what was scaled and left out, and warn of what looks wrong."""
        said, warnings = told(found, scale, self.account.where)
        if self.pages:
            said.append(f"{len(self.pages)} files have {sum(self.pages.values())} pages: each is an image of its own")
        if self.pixels_left_out:
            share = self.pixels_left_out / self.pixels
            said.append(f"fit: {settings.fit} leaves out {share:.1%} of the pixels, {PARTS[settings.fit]}")
        for text in said:
            self.account.say(text)
        warnings += without_effect(settings.value_range, scale, self.account.notes)
        if not warnings:
            warnings += self.levels.little_range(LITTLE_RANGE)
        self.account.warn([*warnings, *self.levels.unlike_phases(), *self.levels.unlike_groups()])
        images = len(self.kept) + sum(self.pages.values()) - len(self.pages)
        self.account.warn([*mixed(found, images), *self.twins.warnings()])

    def judge_boxes(self, boxes: Boxes | None, settings: ImageFiles) -> None:
        """Say what became of the boxes of text. Raises InputError where no image has one."""
        if boxes is None:
            return
        said, warnings = self.tally.said(boxes, settings.fit, f"{self.account.where}.boxes: {settings.boxes}")
        self.account.quarantined += self.tally.unreadable
        self.account.said += said
        self.account.warn(warnings)


def page_name(name: str, number: int) -> str:
    """Return what a page of a file is called; the first has the name of the file."""
    return f"{name} (page {number + 1})" if number else name
