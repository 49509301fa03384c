"""Images and masks of their defects: in two folders, in such a pair for each split, or beside each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.arranged import BETWEEN, NAMES, are_units, arranged, lacking
from vaelab.commands.init.recognise.defects import ONE_PATCH
from vaelab.commands.init.recognise.found import Found
from vaelab.commands.init.recognise.label_maps import are_classes, label_maps
from vaelab.commands.init.recognise.looks import Looks, looks
from vaelab.commands.init.recognise.marks import Marks, marks
from vaelab.commands.init.recognise.pairs import MASKS, SUFFIX, below, image_folders, images_of
from vaelab.commands.init.recognise.pictures import images
from vaelab.data.sources.listing import list_images

PATCHES = ((256, 128, 2), (128, 128, 1), (64, 64, 1), (32, 32, 1), (0, 16, 1))  # from this side on: size, reduce


def masks_in_folders(path: Path) -> Found | None:
    """Return the data set of images and masks in two folders, or of several such pairs by split; None without."""
    folders = image_folders(path)
    pairs = {}
    for masks in sorted(folder for folder in folders if folder != Path() and MASKS.fullmatch(folder.name)):
        beside, suffix = images_of(masks, folders)
        if beside is not None:
            pairs[beside, masks] = suffix
    if not pairs:
        return None
    suffix = Counter(pairs.values()).most_common(1)[0][0]
    pictures = [file for folder, _ in pairs for file in below(folders, folder)]
    drawn = [file for _, masks in pairs for file in below(folders, masks)]
    mask_of: dict[Path, Path] = {}
    for folder, masks in pairs:
        own = {_key(file, masks, suffix): file for file in below(folders, masks)}
        mask_of |= {file: own[key] for file in below(folders, folder) if (key := _key(file, folder, "")) in own}
    moved = arranged(pictures, mask_of, suffix)
    (beside, masks), *more = pairs
    where = dict(zip(NAMES, NAMES, strict=True))
    if (
        not more
        and len(beside.parts) == len(masks.parts) == 1
        and not lacking(pictures, mask_of)
        and not are_units(pictures)
    ):
        where, moved = {"images": beside.name, "masks": masks.name}, {}
    used = {*pictures, *drawn}
    rest = [file.as_posix() for files in folders.values() for file in files if file not in used]
    found = _masked(path, pictures, drawn, len(mask_of), {**where, **_suffix(suffix)}, moved, rest)
    return found or _without_masks(path, pictures, drawn)


def masks_beside(path: Path) -> Found | None:
    """Return the data set of images whose masks lie beside them, as 1.png and 1_mask.png; None without."""
    files = list_images(path).files
    stems = {(file.parent, file.stem): file for file in files}
    found = {file: match for file in files if (match := SUFFIX.fullmatch(file.stem))}
    drawn = {file: match for file, match in found.items() if (file.parent, match[1]) in stems}
    if not drawn:
        return None
    suffix = Counter(match[2] for match in drawn.values()).most_common(1)[0][0]
    pictures = [file for file in files if file not in drawn]
    mask_of = {stems[file.parent, match[1]]: file for file, match in drawn.items() if match[2] == suffix}
    where = {**dict(zip(NAMES, NAMES, strict=True)), **_suffix(suffix)}
    moved = arranged(pictures, mask_of, suffix)
    made = _masked(path, pictures, list(drawn), len(mask_of), where, moved, [])
    return made or _without_masks(path, pictures, list(drawn))


def maps_anywhere(path: Path) -> Found | None:
    """Return the data set of images and of masks that lie anywhere else, by their names and few values; None without.

    Where each image has one, or they show more than two classes, it is that of the images alone.
    """
    files = list_images(path).files
    image_of = label_maps(path, files)
    if not image_of:
        return None
    pictures = [file for file in files if file not in image_of]
    mask_of: dict[Path, Path] = {}
    for mask, image in sorted(image_of.items()):
        mask_of.setdefault(image, mask)
    where = dict(zip(NAMES, NAMES, strict=True))
    moved = arranged(pictures, mask_of, "")
    found = _masked(path, pictures, list(mask_of.values()), len(mask_of), where, moved, [])
    return found or _without_masks(path, pictures, list(image_of))


def _without_masks(path: Path, pictures: Sequence[Path], drawn: Sequence[Path]) -> Found | None:
    """The data set of images alone, where each has a mask with something in it: none is normal."""
    found = images(path, pictures)
    if found is None:
        return None
    said = [*found.said, f"no mask is empty, as those of normal images would be: {len(drawn)} masks are not used"]
    others = set(list_images(path).files) - set(pictures)
    between = any(file.is_relative_to(found.settings["path"]) for file in others)
    kept = files_of(path).keys() - others
    return found._replace(said=said, rest=[], moved={file: file for file in sorted(kept)} if between else {})


def _masked(
    path: Path, pictures: Sequence[Path], drawn: Sequence[Path], paired: int,
    where: Mapping[str, str], moved: Mapping[Path, Path], rest: list[str],
) -> Found | None:  # fmt: skip
    """The data set of these images and masks; None where no image is normal, so that masks say nothing here."""
    seen, said_by = looks(path, pictures), marks(path, drawn)
    unmasked = len(pictures) - paired
    some_empty = said_by.empty > 0 and not (said_by.inverted and unmasked == 0 and said_by.empty == said_by.seen)
    if not some_empty and (not unmasked or are_classes(path, drawn)):
        return None
    settings, why = _cut(seen, said_by)
    settings = {"source": "folder_masks", "path": Path(), **where, **settings}
    said = _said(pictures, drawn, unmasked, seen, said_by, bool(moved))
    why["preset"] = "even textures, such as cloth; photographed objects: object_local (docs/anomaly.md)"
    side = settings["size"] * settings["reduce"]
    one = (seen.height // side) * (seen.width // side) < 2
    return Found(settings, "fabric_local", said, why, ONE_PATCH if one else {}, rest[:10], moved)


def _said(
    pictures: Sequence[Path], drawn: Sequence[Path], unmasked: int, seen: Looks, said_by: Marks, moved: bool
) -> list[str]:
    normal = f"{unmasked} images without a mask are normal" if unmasked else "images with an empty mask are normal"
    empty = f" ({said_by.empty} of a sample of {said_by.seen})" if said_by.empty else ""
    said = [f"{len(pictures)} images and {len(drawn)} masks, {seen.size}; {normal}{empty}"]
    if moved:
        said.append("masks lie beside images, or by split: the copy has them in images/ and masks/")
    if moved and are_units(pictures):
        apart = f"group_by: '([^/]+?){BETWEEN}' keeps them whole, and takes as normal those without a defect"
        said.append(f"images of one patient may be in two splits; {apart}")
    return said


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


def _suffix(suffix: str) -> dict[str, str]:
    return {"mask_suffix": suffix} if suffix else {}


def _key(file: Path, folder: Path, suffix: str) -> tuple[Path, str]:
    """What an image and its mask have in common: the folder below their own, and the name."""
    below_own = file.relative_to(folder)
    return below_own.parent, below_own.stem.removesuffix(suffix)
