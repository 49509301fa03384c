"""The files of a directory in the layout of AITEX, and what their names say.

Strips are `Defect_images/NNNN_DDD_FF.png` and `NODefect_images/<serial>/NNNN_000_FF.png`: image number, code of the
defect, code of the fabric. Masks are `Mask_images/<strip>_mask.png`, or several: `_mask1`, `_mask2`.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from vaelab.data.sources.fabric.strips import NONE, Strip
from vaelab.data.sources.fabric.survey import Survey
from vaelab.data.sources.listing import list_images, printable
from vaelab.errors import InputError
from vaelab.params.problems import suggestion

DEFECTS, MASKS, NORMALS = "Defect_images", "Mask_images", "NODefect_images"  # in capitals or not
STRIP = re.compile(r"\d+_(\d{3})_(\d{2})")
MASK = re.compile(r"(.+)_mask\d*")
NO_DEFECT = "000"
CODES = {
    "002": "broken end",
    "006": "broken yarn",
    "010": "broken pick",
    "016": "weft curling",
    "019": "fuzzy ball",
    "022": "cut selvage",
    "023": "crease",
    "025": "warp ball",
    "027": "knots",
    "029": "contamination",
    "030": "nep",
    "036": "weft crack",
}


class Files(NamedTuple):
    """Strips, those with defects first, and strips whose names do not say what they are."""

    strips: list[Strip]
    malformed: list[Strip]


def find_files(root: Path, fabrics: Collection[str] | None, found: Survey, where: str) -> Files:
    """Return the strips of the chosen fabrics (None: of all) with their masks; what cannot be used is added to `found`.

    Raises:
        InputError: a folder is missing or empty, or an unknown fabric is chosen.
    """
    folders = _folders(root, where)
    masks = _masks(folders.get(MASKS), found)
    files = Files([], [])
    for name in (DEFECTS, NORMALS):
        for path in _images(folders.get(name), found):
            _sort(path, root, name, masks, files, found)
    if not files.strips:
        text = f"no strip named NNNN_DDD_FF.png in {DEFECTS} or {NORMALS} of {root}"
        raise InputError(f"{where}.path: {text}{found.reasons()}")
    for name in sorted(path.relative_to(root).as_posix() for paths in masks.values() for path in paths):
        found.pairing.note("extra", printable(name))
    known = {strip.group for strip in files.strips}
    unknown = sorted(set(fabrics or known) - known)
    if unknown:
        raise InputError(f"{where}.fabrics: {unknown[0]!r} has no strip in {root}; {suggestion(unknown[0], known)}")
    return Files([strip for strip in files.strips if strip.group in (fabrics or known)], files.malformed)


def _folders(root: Path, where: str) -> dict[str, Path]:
    """The folders that are there, by their proper names."""
    if not root.is_dir():
        raise InputError(f"{where}.path: {root} is not a directory")
    there = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()}
    folders = {name: there[name.lower()] for name in (DEFECTS, MASKS, NORMALS) if name.lower() in there}
    if NORMALS not in folders:
        raise InputError(f"{where}.path: no folder {NORMALS} in {root}; models are trained on normal strips only")
    if DEFECTS in folders and MASKS not in folders:
        raise InputError(f"{where}.path: no folder {MASKS} in {root}; expected a mask for each strip in {DEFECTS}")
    return folders


def _images(folder: Path | None, found: Survey) -> list[Path]:
    if folder is None:
        return []
    listing = list_images(folder)
    for entry in listing.quarantined:
        found.quarantine(f"{folder.name}/{entry['file']}", entry["reason"])
    return [folder / file for file in listing.files]


def _masks(folder: Path | None, found: Survey) -> dict[str, list[Path]]:
    """Masks by the name of their strip; those of other names stand by themselves."""
    masks: dict[str, list[Path]] = {}
    for path in _images(folder, found):
        match = MASK.fullmatch(path.stem)
        masks.setdefault(match[1] if match else path.name, []).append(path)
    return masks


def _sort(path: Path, root: Path, folder: str, masks: dict[str, list[Path]], files: Files, found: Survey) -> None:
    """Take the masks of a strip, and put it where it belongs."""
    name = printable(path.relative_to(root).as_posix())
    match = STRIP.fullmatch(path.stem)
    if not match:
        files.malformed.append(Strip(name, path, ""))
        return
    code, fabric = match.groups()
    if (code == NO_DEFECT) != (folder == NORMALS):
        found.quarantine(name, f"code {code} in {folder}")
        return
    own = tuple(masks.pop(path.stem, ())) if folder == DEFECTS else ()
    files.strips.append(Strip(name, path, fabric, NONE if folder == NORMALS else CODES.get(code, code), own))
