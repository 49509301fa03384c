"""Folders of one category as MVTec has them, under other names: train/ok, test/ko; masks in a folder of each image."""

import re
from collections.abc import Iterator
from pathlib import Path

from vaelab.data.sources.listing import list_images
from vaelab.data.sources.split_names import split_named

GOOD, TRUTH = "good", "ground_truth"
GOODS = re.compile(r"good|ok|normal|no[ _-]?(?:defects?|anomal\w*)|non[ _-]?defect\w*|defect[ _-]?free|clean|healthy")
TRUTHS = re.compile(r"ground[ _-]?truths?|gt|masks?")
PLACES = ("train", "test")


def is_category(path: Path) -> bool:
    """Return whether a folder holds a training folder of good images alone."""
    folders = {split_named(item.name): item for item in path.iterdir() if item.is_dir()} if path.is_dir() else {}
    inside = [item.name for item in folders["train"].iterdir() if item.is_dir()] if "train" in folders else []
    if (path / "train" / GOOD).is_dir():
        return True
    truths = any(TRUTHS.fullmatch(item.name.lower()) for item in path.iterdir()) if path.is_dir() else False
    return len(inside) == 1 and bool(GOODS.fullmatch(inside[0].lower())) and "test" in folders and truths


def renamed(path: Path) -> dict[Path, Path]:
    """Return where images go so that a category is named as MVTec does, and where they are; others are left out."""
    return dict(_renamed(path))


def _renamed(path: Path) -> Iterator[tuple[Path, Path]]:
    for file in list_images(path).files:
        if len(file.parts) < 3:
            continue
        top, kind, *inner = file.parts
        good = bool(GOODS.fullmatch(kind.lower()))
        place = {"val": "train"}.get(split_named(top) or "", split_named(top))
        if place in PLACES and (good or place == "test"):
            stem = Path(*inner)
            apart = stem if split_named(top) == place else stem.with_name(f"{top}_{stem.name}")
            yield Path(place, GOOD if good else kind) / apart, file
        elif TRUTHS.fullmatch(top.lower()) and not good:
            *folders, name = inner
            if folders and not (path / "test" / kind / folders[-1]).is_dir():  # a folder for each image, of its masks
                folders, name = [*folders[:-1], Path(name).stem], f"{folders[-1]}{Path(name).suffix}"
            yield Path(TRUTH, kind, *folders, name), file
