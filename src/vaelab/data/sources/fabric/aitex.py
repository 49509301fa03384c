"""Strips of fabric with and without defects, in folders and under names as those of AITEX, as gray patches.

Strips are `Defect_images/NNNN_DDD_FF.png` and `NODefect_images/<serial>/NNNN_000_FF.png`: image number, code of the
defect, code of the fabric. Masks are `Mask_images/<strip>_mask.png`, or several: `_mask1`, `_mask2`. The left end of a
strip may show background and selvage, which end in a step of the mean over columns that is larger than any of the
fabric.
"""

import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.sources.fabric.checks import check_defects, check_normals, check_range, scaled
from vaelab.data.sources.fabric.division import divide
from vaelab.data.sources.fabric.mask_files import MaskRule
from vaelab.data.sources.fabric.strips import NONE, Cutting, Strip, load, strides, with_tone
from vaelab.data.sources.fabric.survey import Survey, survey_strips
from vaelab.data.sources.fabric.writer import write_strips
from vaelab.data.sources.listing import list_images, printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError
from vaelab.params.datasets import Aitex
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
WINDOW = 32  # columns on each side of a step
LEFT_PART = 0.35  # of the strip, in which the fabric begins
STEPS = 3.0  # times the step that 80 % of the columns in the right half stay below: defects there are narrower
DEVIATIONS = 0.75  # of the pixels in the right half


def prepare_aitex(settings: Aitex, folder: Path) -> None:
    """Write patches [n, 1, S, S] of all strips that can be used; `group` is the fabric.

    Background and selvage at the left, and `margin` pixels more, are left out. Normal strips are split by fabric.

    Raises:
        InputError: folders, masks or normal strips are missing, or an option does not fit them.
    """
    where, found = f"datasets.{folder.name}", Survey(f"datasets.{folder.name}")
    files = find_files(Path(settings.path), settings.fabrics, found, where)
    found.share_out([strip.name for strip in files.strips], settings.group_by)
    cutting = scaled(files.strips, _cutting(settings), settings.value_range, found)
    survey_strips(files.strips, cutting, found, folder.name)
    check_range(settings.value_range, cutting, found)
    for strip in files.malformed:
        found.quarantine(strip.name, _reason(strip, cutting, found))
    check_defects(sum(strip.defect != NONE for strip in files.strips), found, cutting, where)
    check_normals(found, cutting, where)
    division = divide(found, settings.split, settings.val_defects, settings.seed, cutting, where)
    report = {
        "source": f"strips of fabric in {settings.path}",
        "licence": "unknown (AITEX states none: for research and evaluation, not to be passed on)",
        "split_rule": "by strip, fabric by fabric, by a hash of its name; strips with defects apart",
        "seed": settings.seed,
        "normalise": settings.normalise,
    }
    write_strips(folder, division, cutting, found, report, "fabric")


def _cutting(settings: Aitex) -> Cutting:
    general, train = strides(settings.size, settings.reduce, settings.stride, settings.train_stride)
    cutting = Cutting(settings.size, settings.reduce, general, train, "gray", "dropped", unit="strip")
    cutting = with_tone(cutting, settings)._replace(masks=MaskRule(settings.mask_threshold, settings.mask_inverted))
    return cutting._replace(start=partial(_start, margin=settings.margin))


def _start(pixels: np.ndarray, margin: int) -> int:
    """First column that is cut, of a strip [H, W, 1]."""
    column = fabric_start(pixels[..., 0])
    return 0 if column is None else column + margin


def _reason(strip: Strip, cutting: Cutting, found: Survey) -> str:
    """Why a strip of malformed name is left out."""
    try:
        twin = found.twin(load(strip, cutting), strip.name)
    except UnreadableError as error:
        return str(error)
    if twin:
        return f"malformed name; pixel-identical to {twin}: dropped"
    return f"malformed name: expected NNNN_DDD_FF.png, such as {NORMALS}/<serial>/0018_000_01.png"


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


def fabric_start(gray: np.ndarray) -> int | None:
    """Return the column of the strongest step in the left part of uint8 [H, W]; None where it is none of a background.

    A step is the difference of the means of WINDOW columns on both sides. That of a background is several times what
    the right half of the strip has, and as large as the contrast of the fabric.
    """
    width = gray.shape[1]
    if width < 4 * WINDOW:
        return None
    total = np.concatenate([[0.0], np.cumsum(gray.mean(0, dtype=np.float64))])
    centre = np.arange(WINDOW, width - WINDOW + 1)
    steps = np.abs(total[centre + WINDOW] - 2 * total[centre] + total[centre - WINDOW]) / WINDOW
    left, right = steps[centre < LEFT_PART * width], steps[centre >= width / 2]
    usual = STEPS * np.percentile(right, 80)
    strongest = int(left.argmax())
    if left[strongest] <= max(usual, DEVIATIONS * gray[:, width // 2 :].std()):
        return None
    return int(centre[strongest])
