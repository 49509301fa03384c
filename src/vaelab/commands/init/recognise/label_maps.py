"""Images that are masks of others, wherever they lie: drawn in few values, and named as these.

H rows, W columns.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vaelab.commands.init.recognise.looks import spread
from vaelab.data.sources.decoding import only_page, opened
from vaelab.data.sources.image_files import MAX_PIXELS
from vaelab.data.sources.regular import UnreadableError

SEEN, SIDE = 8, 128  # files of a folder that are looked at; pixels of each, taken from the whole
FEW = 48  # different colours
LOSSLESS = (".png", ".bmp", ".gif", ".tif", ".tiff")
STRAY = 0.005  # of the pixels: edges that were smoothed
FOLDERS = 40  # of which some must hold masks, where there are many
END = re.compile(r"[_ .-][^_ .-]*$")


def label_maps(root: Path, files: Sequence[Path]) -> dict[Path, Path]:
    """Return the masks among images below `root`, and the image that each is of; nothing where there are none."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        folders[file.parent].append(file)
    maybe = sorted(
        folder for folder, inside in folders.items() if all(file.suffix.lower() in LOSSLESS for file in inside)
    )
    if not any(_is_drawn(root, folders[folder]) for folder in spread(maybe, FOLDERS)):
        return {}
    drawn = {folder for folder in maybe if _is_drawn(root, folders[folder])}
    if len(drawn) == len(folders):
        return {}
    images = {folder: _cores(inside) for folder, inside in folders.items() if folder not in drawn}
    found: dict[Path, Path] = {}
    for folder in drawn:
        near = sorted(images, key=lambda other: (-_shared(folder, other), other))
        pairs = {}
        for mask in folders[folder]:
            names = list(_beginnings(mask.stem))
            image = next((images[other][name] for other in near for name in names if name in images[other]), None)
            if image is not None:
                pairs[mask] = image
        beside = [inside for other, inside in folders.items() if other.parent == folder.parent and other not in drawn]
        if 2 * len(pairs) <= len(folders[folder]) and len(beside) == len(beside[:1]) == sum(map(len, beside)):
            pairs = dict.fromkeys(folders[folder], beside[0][0])  # a folder for each image, of its masks
        if 2 * len(pairs) > len(folders[folder]):
            found |= pairs
    return found


def are_classes(root: Path, masks: Sequence[Path]) -> bool:
    """Return whether masks tell more than two things apart, as a segmentation does: not only defects from the rest."""
    values = set[tuple[int, ...]]()
    for pixels in _pixels(root, spread(masks, SEEN)):
        different, count = np.unique(pixels, axis=0, return_counts=True)
        values |= {tuple(row) for row in different[count > STRAY * len(pixels)].tolist()}
    return 2 < len(values) <= FEW


def _is_drawn(root: Path, files: Sequence[Path]) -> bool:
    """Whether images of a folder hold few different colours."""
    counts = [len(np.unique(pixels, axis=0)) for pixels in _pixels(root, files[:1])]
    if not counts or max(counts) > FEW:
        return False
    return all(len(np.unique(pixels, axis=0)) <= FEW for pixels in _pixels(root, spread(files, SEEN)))


def _pixels(root: Path, files: Iterable[Path]) -> Iterable[np.ndarray]:
    """Some of the pixels of each image as it is stored, of palettes their numbers, [n, C]."""
    for file in files:
        try:
            with opened(root / file, MAX_PIXELS) as source:
                image: Image.Image = only_page(source, MAX_PIXELS).image
                image.thumbnail((SIDE, SIDE), Image.Resampling.NEAREST, reducing_gap=None)
                yield np.atleast_3d(np.asarray(image)).reshape(image.height * image.width, -1).astype(np.int64)
        except UnreadableError:
            continue


def _cores(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without what all of a folder end with, such as _leftImg8bit; and by the whole names."""
    ends = {match[0] if (match := END.search(file.stem)) else "" for file in files}
    end = ends.pop() if len(ends) == 1 and len(files) > 1 else ""
    return {file.stem: file for file in files} | {file.stem.removesuffix(end): file for file in files}


def _beginnings(stem: str) -> Iterable[str]:
    """The name, and what is left of it where its last parts are taken away one after the other."""
    yield stem
    while match := END.search(stem):
        stem = stem[: match.start()]
        yield stem


def _shared(folder: Path, other: Path) -> int:
    """How many folders two paths have in common, by name, wherever they stand."""
    return len(set(folder.parts) & set(other.parts))
