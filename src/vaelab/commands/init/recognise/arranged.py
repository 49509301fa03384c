"""Where images and masks go that lie in many folders: images/<split>/<group>/1.png and masks/<split>/<group>/1.png."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from vaelab.commands.init.recognise.named_columns import FEWEST_UNITS
from vaelab.commands.init.recognise.structure import UNIT_FOLDER
from vaelab.data.sources.split_names import split_named

NAMES = ("images", "masks")
BETWEEN = "--"  # the names of folders and of the file, in one


def arranged(pictures: Sequence[Path], mask_of: Mapping[Path, Path], suffix: str) -> dict[Path, Path]:
    """Return where images and masks go, and where they are.

    Folders that hold images with masks alone, such as Anomaly beside Normal, and those of patients, are no groups: they
    are in the names then.
    """
    homes = _homes(pictures, flat=lacking(pictures, mask_of) or are_units(pictures))
    moved = {Path(NAMES[0]) / homes[file]: file for file in pictures}
    for image, mask in mask_of.items():
        home = homes[image]
        moved[Path(NAMES[1]) / home.with_name(f"{home.stem}{suffix}{mask.suffix}")] = mask
    return moved


def lacking(pictures: Sequence[Path], mask_of: Collection[Path]) -> bool:
    """Return whether a folder that would be a group holds no image without a mask, where others hold such images."""
    groups = {file: tuple(others[:1]) for file, (_, others) in _parts(pictures).items()}
    normal = Counter(groups[file] for file in pictures if file not in mask_of)
    return bool(normal) and any(not normal[group] for group in set(groups.values()))


def are_units(pictures: Sequence[Path]) -> bool:
    """Return whether the folders that would be groups are patients, or the like."""
    groups = {others[0] if others else "" for _, others in _parts(pictures).values()}
    return len(groups) >= FEWEST_UNITS and all(map(UNIT_FOLDER.fullmatch, groups))


def _homes(pictures: Sequence[Path], flat: bool) -> dict[Path, Path]:
    """Where images go, below their folder in the copy: their split first, then the folders that tell them apart."""
    return {
        file: Path(*splits[:1], BETWEEN.join([*others, file.name])) if flat else Path(*splits[:1], *others, file.name)
        for file, (splits, others) in _parts(pictures).items()
    }


def _parts(pictures: Sequence[Path]) -> dict[Path, tuple[list[str], list[str]]]:
    """The folders of each image that name a split, and the others that not all have."""
    common = set.intersection(*(set(file.parent.parts) for file in pictures)) if pictures else set()
    found = {}
    for file in pictures:
        splits = [part for part in file.parent.parts if split_named(part)]
        found[file] = splits, [part for part in file.parent.parts if part not in common and part not in splits]
    return found
