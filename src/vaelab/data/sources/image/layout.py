"""What the folders of a data set of images stand for, and in which split each file is."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.given_splits import Given, Places, given_splits
from vaelab.data.sources.image.boxes.corners import Boxes
from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.data.sources.image.store import Store
from vaelab.data.sources.image.tabled_groups import tabled_groups
from vaelab.data.sources.listing import printable
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.params.datasets import ImageFiles

NO_GROUPS = "none"  # as a value of `groups`


class Layout(NamedTuple):
    """What the sub-folders stand for, and what else the files come with."""

    given: Given  # splits
    by_colour: bool  # no sub-folders to group by
    groups: tuple[str, ...]
    units: Mapping[str, str]  # what files share with others, by path: `group_by`
    boxes: Boxes | None = None  # of text
    group_of: Mapping[Path, str] = {}  # by a table

    def group(self, file: Path, x: np.ndarray) -> np.ndarray:
        """Return the group of each square [n, C, S, S] of a file, int32 [n]."""
        if self.by_colour:
            return is_gray(x).astype(np.int32)
        name = self.group_of.get(file) or _folder(file, self.given.depth)
        index = 0 if self.groups == ("all",) else self.groups.index(name)
        return np.full(len(x), index, dtype=np.int32)


def layout_of(files: list[Path], places: Places, settings: ImageFiles) -> Layout:
    """Return what the files come with; by colour where they have no sub-folders."""
    given, colour, units = given_splits(files, places, settings.split, settings.seed), settings.colour, places.units
    used = [*(given.phase_of or files)]
    if settings.groups and settings.groups != NO_GROUPS:
        group_of = tabled_groups(used, settings.groups, places.root, f"{places.where}.groups")
        return Layout(given, False, tuple(sorted(set(group_of.values()))), units, None, group_of)
    folders = {"."} if settings.groups else {_folder(file, given.depth) for file in used}
    if folders - {"."}:
        return Layout(given, False, tuple(sorted(folders)), units)
    return Layout(given, colour == "rgb", COLOUR_GROUPS if colour == "rgb" else ("all",), units)


def _folder(file: Path, depth: int) -> str:
    """Name of the folder that groups a file, below those of the splits; a point where there is none."""
    parts = file.parts[depth:]
    return printable(parts[0]) if len(parts) > 1 else "."


def phases(files: list[Path], store: Store, layout: Layout, settings: ImageFiles, where: str) -> dict[Path, str]:
    """Return the split of each file, in the order in which they are read and written."""
    number = hashes((file.as_posix() for file in files), settings.seed)
    order = store.order(files, number)
    if layout.given.phase_of:
        return {files[index]: layout.given.phase_of.get(files[index], "") for index in order}
    different, place = np.unique([layout.units[file.as_posix()] for file in files], return_inverse=True)
    what = "units of group_by" if settings.group_by else "files"
    found = phases_of(hashes(different.tolist(), settings.seed), settings.split, where, what)[place]
    return {files[index]: PHASES[found[index]] for index in order}
