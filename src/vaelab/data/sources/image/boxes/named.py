"""Boxes of many images in one file, each with the name of its image. n boxes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vaelab.data.sources.account import MAX_NAMED
from vaelab.data.sources.image.boxes.corners import NONE, Boxes, FileBoxes
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.errors import InputError

MAX_BOXES = 20_000_000  # in memory, a gigabyte
NO_FILE = -1

Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # number of the image, page and corners [n, 4] of each box


class NamedBoxes:
    """Gathers boxes, a part at a time, of images that the listing has; others are counted."""

    def __init__(self, files: Sequence[Path], root: Path, place: str) -> None:
        self.root, self.place, self.known = root, place, known_names(files)
        self.number: dict[Path, int] = {}  # of files that have boxes
        self.by_name: dict[str, int] = {}
        self.unknown: dict[str, None] = {}  # the first ones, in their order
        self.parts: list[Part] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)))]
        self.count = 0

    def add(self, part: Part) -> None:
        """Add boxes."""
        self.parts.append(part)
        self.count += len(part[0])
        if self.count > MAX_BOXES:
            raise InputError(f"{self.place}: more than {MAX_BOXES} boxes; expected at most so many")

    def file(self, name: str, at: Callable[[], str]) -> int:
        """Return the number of the image that a name means, NO_FILE for none. Raises InputError where it may be any."""
        if name not in self.by_name:
            found = files_named(name, self.known, self.root)
            if len(found) > 1:
                names = ", ".join(printable(file.as_posix()) for file in found[:MAX_NAMED])
                raise InputError(f"{at()}: {name[:80]!r} may be any of {names}; expected its path")
            if not found:
                if len(self.unknown) < MAX_NAMED:
                    self.unknown[name] = None
                return NO_FILE
            self.by_name[name] = self.number.setdefault(found[0], len(self.number))
        return self.by_name[name]

    def boxes(self, sources: list[Path], said: Sequence[str] = ()) -> Boxes:
        """Return all of them. Raises InputError where none is of an image, or all are shares of a side."""
        which, page, corners = (np.concatenate(arrays) for arrays in zip(*self.parts, strict=True))
        if not len(which):
            raise InputError(f"{self.place}: has no box; expected one for each word or line")
        known = which != NO_FILE
        if not known.any():
            text = f"none of {len(which)} rows names a file below {self.root}: {self._unknown_names()}"
            raise InputError(f"{self.place}: {text}")
        if corners[:, 2:].max() <= 1:
            text = f"all {len(which)} boxes lie within 0 to 1: shares of the side?"
            raise InputError(f"{self.place}: {text} Expected pixels of the file")
        order = np.argsort(which, kind="stable")
        which, page, corners = which[order], page[order], corners[order]

        def of(file: Path) -> FileBoxes:
            number = self.number.get(file)
            if number is None:
                return NONE
            start, end = np.searchsorted(which, [number, number + 1])
            return FileBoxes(page[start:end], corners[start:end])

        count = int((~known).sum())
        named = f"{count} of {len(which)} boxes are of files that are not below {self.root}: {self._unknown_names()}"
        return Boxes(of, sources, [*said, *([named] if count else [])])

    def _unknown_names(self) -> str:
        return ", ".join(printable(name[:80]) for name in self.unknown) + ", ..." * (len(self.unknown) == MAX_NAMED)
