"""What was found at a path, and what is proposed for it: a data set, a preset, and why."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

GENERIC = ("images", "image", "imgs", "img", "data", "raw", "files")  # folders that say nothing of what is in them
NAME = re.compile(r"[^a-z0-9]+")

EXPECTED = """\
expected one of: images (png, jpg, tif, bmp, webp, heic, pdf, dcm) in folders of any nesting; images and masks; shards
  of images (.tar, .zip, .parquet); a table of tags (.csv, .jsonl, .xlsx, .parquet ...), or one for each split;
  train.npy and val.npy; ARC tasks (.json), or other grids of classes (.txt, .npy, .json ...). Bring the data into one
  of these forms,"""
IMAGES = "source: image_folder, path: {place}, size: 64"
EXAMPLE = """\
    datasets:
      {name}: {{{entry}}}
    runs:
      {name}: {{data: {name}, preset: {preset}}}
  (`vaelab init DIR --example photos` makes a project in which to write it, and `vaelab docs` there
  writes docs/params.md: every option)"""


class Found(NamedTuple):
    """A data set as it is proposed, and what to say of it."""

    settings: Mapping[str, Any]  # of the data set; a Path is one below the place that was looked at
    preset: str
    said: list[str]  # what was understood, with counts
    why: Mapping[str, str] = {}  # of options that were guessed
    changes: Mapping[str, Any] = {}  # of the run
    rest: list[str] = []
    moved: Mapping[Path, Path] = {}  # where files go in the copy, and where they are, both below the place; else as is

    def placed(self, place: str) -> dict[str, Any]:
        """Return the settings with the data at a place: data/raw/mine."""
        below = {key: _joined(place, value) for key, value in self.settings.items() if isinstance(value, Path)}
        return {**self.settings, **below}


def _joined(place: str, below: Path) -> str:
    return place if below == Path() else f"{place}/{below.as_posix()}"


def name_of(path: Path) -> str:
    """Return a name for what lies at a path, of small letters, digits and _; that of the folder around `images`."""
    place = path.resolve()
    named = place.parent if place.name.lower() in GENERIC else place
    stem = named.name if named.is_dir() else named.name.split(".")[0]
    plain = unicodedata.normalize("NFKD", stem.lower()).encode("ascii", "ignore").decode()
    words = NAME.sub("_", plain).strip("_")
    return words if words[:1].isalpha() else f"data_{words}".rstrip("_")


def not_understood(path: Path, what: str, mend: str = "", entry: str = IMAGES, preset: str = "images") -> InputError:
    """Return the one message for data that cannot be used as they are: what is there, and what to write.

    Args:
        path: of the data.
        what: is there.
        mend: what would make it usable; where there is none, what can be read is listed.
        entry: settings of the data set that would read them then.
        preset: of its run.
    """
    name = name_of(path)
    lines = EXAMPLE.format(name=name, entry=entry.format(place=f"data/raw/{name}"), preset=preset)
    return InputError(
        f"{printable(path.as_posix())}: {what}\n  {mend or EXPECTED} and\n  write in params.yaml:\n{lines}"
    )
