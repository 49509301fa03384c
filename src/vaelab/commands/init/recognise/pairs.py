"""Which folder of images a folder of masks belongs to, by the names of their files."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from vaelab.data.sources.listing import list_images

MASKS = re.compile(r"(?:.*[ _.-])?(?:masks?|gt|ground[ _-]?truth|annotations?|segmentations?|seg|labels?|targets?)"
                   r"(?:[ _.-].*)?", re.IGNORECASE)  # fmt: skip
SUFFIX = re.compile(r"(.+?)([ _.-]?(?:masks?|gt|ground_?truth|label|seg|segmentation|annotation)\d*)", re.IGNORECASE)


def image_folders(path: Path) -> dict[Path, list[Path]]:
    """Return the image files by the folder that they are in, all below `path`."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in list_images(path).files:
        folders[file.parent].append(file)
        for parent in file.parent.parents:  # also folders that hold folders of images
            folders.setdefault(parent, [])
    return folders


def below(folders: Mapping[Path, list[Path]], folder: Path) -> list[Path]:
    """Return the files in a folder, of any depth."""
    return [file for place, files in folders.items() if place.is_relative_to(folder) for file in files]


def images_of(masks: Path, folders: Mapping[Path, list[Path]]) -> tuple[Path | None, str]:
    """Return the folder beside that of the masks whose images they are of, and what their names have at the end."""
    names = [_key(file.relative_to(masks)) for file in below(folders, masks)]
    best: tuple[int, Path | None, str] = (0, None, "")
    for folder in sorted(folders):
        if folder.parent != masks.parent or folder in (masks, Path()) or MASKS.fullmatch(folder.name):
            continue
        keys = {_key(file.relative_to(folder)) for file in below(folders, folder)}
        suffixes = {""} | {found[2] for _, stem in names if (found := SUFFIX.fullmatch(stem))}
        for suffix in sorted(suffixes):
            pairs = sum((place, stem.removesuffix(suffix)) in keys for place, stem in names if stem.endswith(suffix))
            best = max(best, (pairs, folder, suffix), key=lambda item: item[0])
    return (best[1], best[2]) if 2 * best[0] > len(names) else (None, "")


def _key(file: Path) -> tuple[str, str]:
    return file.parent.as_posix(), file.stem
