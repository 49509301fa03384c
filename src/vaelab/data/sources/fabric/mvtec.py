"""One category in the layout of MVTec AD: train/good, test/good, test/<defect> and ground_truth/<defect>/*_mask.png."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.sources.fabric.checks import check_defects, check_normals, check_range, scaled
from vaelab.data.sources.fabric.division import Division, set_apart
from vaelab.data.sources.fabric.mask_files import MaskRule
from vaelab.data.sources.fabric.strips import NONE, Cutting, Strip, with_tone
from vaelab.data.sources.fabric.survey import Survey, survey_strips
from vaelab.data.sources.fabric.writer import write_strips
from vaelab.data.sources.listing import list_images, printable
from vaelab.data.sources.splits import parts_of_units
from vaelab.errors import InputError
from vaelab.params.datasets import Mvtec

GOOD, TRUTH = "good", "ground_truth"
Masks = dict[tuple[str, str], list[Path]]  # by defect and name of the image


def prepare_mvtec(settings: Mvtec, folder: Path) -> None:
    """Write each image as one square [1, C, S, S], its mask beside it; `group` is the category.

    Raises:
        InputError: folders, masks or normal images are missing, or an option does not fit them.
    """
    where, root, found = f"datasets.{folder.name}", Path(settings.path), Survey(f"datasets.{folder.name}")
    strips = _find(root, found, where)
    found.share_out([strip.name for strip in strips], settings.group_by, {s.name: s.name.split("/")[0] for s in strips})
    side = settings.size * settings.reduce
    cutting = Cutting(settings.size, settings.reduce, side, side, settings.colour, squeezed=True)
    cutting = with_tone(cutting, settings)._replace(masks=MaskRule(settings.mask_threshold, settings.mask_inverted))
    cutting = scaled(strips, cutting, settings.value_range, found)
    survey_strips(strips, cutting, found, folder.name)
    check_range(settings.value_range, cutting, found)
    check_defects(sum(strip.defect != NONE for strip in strips), found, cutting, where)
    division = _divide(settings, found, cutting, where)
    write_strips(folder, division, cutting, found, {
        "source": f"images of one category in {root}",
        "licence": "unknown (MVTec AD: CC BY-NC-SA 4.0)",
        "split_rule": "test as given; a share of train/good, by a hash of the name, is for validation; defects apart",
        "seed": settings.seed,
        "normalise": settings.normalise,
    }, "category")  # fmt: skip


def _find(root: Path, found: Survey, where: str) -> list[Strip]:
    """All images, those with defects first and those for training last: of equal ones, that for training goes."""
    _check(root, where)
    listing = list_images(root)
    found.account.quarantined += listing.quarantined
    masks = _masks(listing.files, root)
    group, strips = printable(root.resolve().name), []
    for file in listing.files:
        name, (top, kind) = printable(file.as_posix()), (*file.parts, "", "")[:2]
        if top == "test" and kind != GOOD and len(file.parts) > 2:
            own = tuple(masks.pop((kind, file.stem), ()))
            strips.append(Strip(name, root / file, group, printable(kind), own))
        elif top in ("train", "test") and kind == GOOD and len(file.parts) > 2:
            strips.append(Strip(name, root / file, group))
        elif top in ("train", "test"):
            found.quarantine(name, f"expected train/{GOOD}, test/{GOOD} or test/<defect>")
    for path in sorted(path for paths in masks.values() for path in paths):
        found.pairing.note("extra", printable(path.relative_to(root).as_posix()))
    return sorted(strips, key=lambda strip: (strip.defect == NONE, _is_training(strip), strip.name))


def _check(root: Path, where: str) -> None:
    if not root.is_dir():
        raise InputError(f"{where}.path: {root} is not a directory")
    if not (root / "train" / GOOD).is_dir():
        inside = sorted(printable(path.name) for path in root.iterdir() if (path / "train" / GOOD).is_dir())
        advice = f"; name one of its categories: {', '.join(inside)}" if inside else ""
        raise InputError(f"{where}.path: no folder train/{GOOD} in {root}{advice}")
    test = root / "test"
    defects = [path for path in test.iterdir() if path.is_dir() and path.name != GOOD] if test.is_dir() else []
    if defects and not (root / TRUTH).is_dir():
        raise InputError(f"{where}.path: no folder {TRUTH} in {root}; expected a mask for each image with a defect")


def _masks(files: list[Path], root: Path) -> Masks:
    masks: Masks = defaultdict(list)
    for file in files:
        if file.parts[0] == TRUTH and len(file.parts) > 2:
            masks[file.parts[1], file.stem.removesuffix("_mask")].append(root / file)
    return masks


def _is_training(strip: Strip) -> bool:
    return strip.name.startswith("train/")


def _divide(settings: Mvtec, found: Survey, cutting: Cutting, where: str) -> Division:
    check_normals(found, cutting, where)
    given = sorted(strip for strip in found.normals if _is_training(strip))
    units = [found.unit(strip) for strip in given]
    if len(set(units)) < 2:
        need = f"at least two images in train/{GOOD}, one to train on and one to calibrate with"
        raise InputError(f"{where}.path: expected {need}; there are {len(given)}{found.reasons()}")
    for_val = parts_of_units(units, (1 - settings.val, settings.val), settings.seed).tolist()
    phases: Mapping[str, list[Strip]] = {
        "train": [strip for strip, part in zip(given, for_val, strict=True) if not part],
        "val": [strip for strip, part in zip(given, for_val, strict=True) if part],
        "test": sorted(strip for strip in found.normals if not _is_training(strip)),
        DEFECT_PHASES[0]: [],
    }
    apart = set_apart(found.defects, found, settings.val_defects, settings.seed, cutting, where)
    return Division({**phases, **apart}, {})
