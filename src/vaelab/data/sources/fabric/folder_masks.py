"""Images and masks in two folders, paired by their names, as tiles; what does not line up is reported."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from vaelab.data.sources.account import first_names
from vaelab.data.sources.common import units_of
from vaelab.data.sources.fabric.checks import (
    check_masks,
    check_normals,
    check_range,
    distrust_empty,
    distrust_transparent,
    scaled,
)
from vaelab.data.sources.fabric.division import divide
from vaelab.data.sources.fabric.mask_files import MaskRule
from vaelab.data.sources.fabric.strips import Cutting, Strip, strides, with_tone
from vaelab.data.sources.fabric.survey import Survey, survey_strips
from vaelab.data.sources.fabric.writer import write_strips
from vaelab.data.sources.given_splits import Given, Places, given_splits
from vaelab.data.sources.listing import list_images, printable
from vaelab.errors import InputError
from vaelab.params.datasets import FolderMasks

DEFECT = "defect"
Stem = tuple[str, str]  # folder below that of the images (or masks), and name without ending


def prepare_folder_masks(settings: FolderMasks, folder: Path) -> None:
    """Write all whole tiles [n, C, S, S] of the images; `group` is the first sub-folder, or "all".

    An image is normal if its mask is empty, or if it has none and `unmasked` says so.

    Raises:
        InputError: a folder is missing, nothing pairs, too few images are normal, or an option does not fit.
    """
    where, found = f"datasets.{folder.name}", Survey(f"datasets.{folder.name}")
    strips, rule = _pair(settings, found, where)
    found.share_out([strip.name for strip in strips], settings.group_by, {strip.name: strip.phase for strip in strips})
    general, train = strides(settings.size, settings.reduce, settings.stride, settings.train_stride)
    cutting = Cutting(settings.size, settings.reduce, general, train, settings.colour, max_pixels=settings.max_pixels)
    cutting = with_tone(cutting, settings)._replace(masks=MaskRule(settings.mask_threshold, settings.mask_inverted))
    cutting = scaled(strips, cutting, settings.value_range, found)
    survey_strips(strips, cutting, found, folder.name, empty_is_normal=True)
    check_range(settings.value_range, cutting, found)
    distrust_empty(found)
    distrust_transparent(found)
    check_masks(found, where)
    check_normals(found, cutting, where)
    division = divide(found, settings.split, settings.val_defects, settings.seed, cutting, where)
    write_strips(folder, division, cutting, found, {
        "source": f"images and masks in {settings.path}",
        "licence": "unknown",
        "split_rule": rule,
        "seed": settings.seed,
        "normalise": settings.normalise,
    }, "group")  # fmt: skip


def _pair(settings: FolderMasks, found: Survey, where: str) -> tuple[list[Strip], str]:
    """All images with their masks, and how they are split.

    Those with masks come first: of equal ones, the one that may have a defect stays.
    """
    root = Path(settings.path)
    _check_apart(root / settings.images, root / settings.masks, where)
    images = _by_stem(root, settings.images, "", found, f"{where}.images")
    masks = _by_stem(root, settings.masks, settings.mask_suffix, found, f"{where}.masks")
    if not images.keys() & masks.keys():
        text = f"no mask in {root / settings.masks} has the name of an image in {root / settings.images}"
        raise InputError(f"{where}.mask_suffix: {text}: {_named(masks)}; {_named(images)}")
    given = _given(settings, [path for paths in images.values() for path in paths], found, where)
    depth = given.depth if any(len(Path(folder).parts) > given.depth for folder, _ in images) else None
    strips = [_strip(root, stem, paths, masks, settings, depth, found) for stem, paths in images.items()]
    for stem in sorted(masks.keys() - images.keys()):
        for path in masks[stem]:
            found.pairing.note("extra", _name(path, root))
    kept = [_in_phase(strip, given, root / settings.images, found) for strip in strips if strip]
    rule = given.rule if given.phase_of else "by image, group by group, by a hash of its name"
    in_order = sorted((strip for strip in kept if strip), key=lambda strip: (not strip.masks, strip.name))
    return in_order, f"{rule}; images with defects apart"


def _check_apart(images: Path, masks: Path, where: str) -> None:
    """Refuse folders of which one holds the other: masks would be taken for images, and trained on."""
    first, second = images.resolve(), masks.resolve()
    if first.is_relative_to(second) or second.is_relative_to(first):
        text = "the folder of the images, too" if first == second else f"not apart from that of the images, {images}"
        raise InputError(f"{where}.masks: {masks} is {text}; expected two folders, such as images and masks")


def _given(settings: FolderMasks, paths: list[Path], found: Survey, where: str) -> Given:
    root = Path(settings.path) / settings.images
    files = sorted(path.relative_to(root) for path in paths)
    names = {file.as_posix(): (root / file).relative_to(settings.path).as_posix() for file in files}
    units = units_of(list(names.values()), settings.group_by, f"{where}.group_by")
    own = {file: units[name] for file, name in names.items()}
    places = Places(root, Path(settings.path), settings.split_lists, where, own)
    given = given_splits(files, places, settings.split, settings.seed)
    found.account.said += given.said
    found.account.warn(given.warnings)
    if given.phase_of and settings.val_defects:
        text = "the images come with splits, of which val holds the defects that are set apart; expected 0"
        raise InputError(f"{where}.val_defects: {text}")
    return given


def _in_phase(strip: Strip, given: Given, root: Path, found: Survey) -> Strip | None:
    """The strip in the split that it comes with, if splits are given; None where it is in none of them."""
    phase = given.phase_of.get(strip.path.relative_to(root), "")
    if given.phase_of and not phase:
        found.quarantine(strip.name, given.left_out)
        return None
    return strip._replace(phase=phase)


def _strip(
    root: Path,
    stem: Stem,
    paths: list[Path],
    masks: Mapping[Stem, list[Path]],
    settings: FolderMasks,
    depth: int | None,
    found: Survey,
) -> Strip | None:
    own, name = masks.get(stem, []), _name(paths[0], root)
    if len(paths) > 1 or len(own) > 1:
        for path in paths:
            both = ", ".join(_name(other, root) for other in (*paths, *own))
            found.quarantine(_name(path, root), f"which image goes with which mask is not clear: {both}")
        return None
    if not own:
        needed = settings.unmasked == "quarantine"
        found.pairing.note("missing" if needed else "unmasked", name)
        if needed:
            found.quarantine(name, "has no mask (unmasked: quarantine)")
            return None
    folders = Path(stem[0]).parts[depth:]
    group = "all" if depth is None else printable(folders[0]) if folders else "."
    return Strip(name, paths[0], group, DEFECT, tuple(own)) if own else Strip(name, paths[0], group)


def _by_stem(root: Path, below: str, suffix: str, found: Survey, where: str) -> dict[Stem, list[Path]]:
    """The images of a folder by name; those without the suffix are under their whole name."""
    folder = root / below
    if not root.is_dir() or not folder.is_dir():
        place = f"{where}" if root.is_dir() else f"{where.rsplit('.', 1)[0]}.path"
        raise InputError(f"{place}: {folder if root.is_dir() else root} is not a directory")
    listing, stems = list_images(folder), defaultdict(list)
    for entry in listing.quarantined:
        found.quarantine(f"{below}/{entry['file']}", entry["reason"])
    for file in listing.files:
        stem = file.stem.removesuffix(suffix) if file.stem.endswith(suffix) else file.name
        stems[file.parent.as_posix(), stem].append(folder / file)
    if not stems:
        raise InputError(f"{where}: no image in {folder}")
    return stems


def _name(path: Path, root: Path) -> str:
    return printable(path.relative_to(root).as_posix())


def _named(stems: Mapping[Stem, list[Path]]) -> str:
    return first_names([printable(name) for name in sorted(path.name for paths in stems.values() for path in paths)])
