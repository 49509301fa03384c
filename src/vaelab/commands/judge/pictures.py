"""A user's own images: a directory, one file, or a NumPy file; brought to a model's size and channels.

Files become examples as the training data did (squares.py). N images, C S S.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from vaelab.commands.judge.examples import Part, Place, Source
from vaelab.commands.judge.squares import Start, squares
from vaelab.data.format.info import DataInfo
from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.data.sources.image.npy import open_array
from vaelab.data.sources.image.npy_values import ARRAYS, stored
from vaelab.data.sources.image_files import SUFFIXES, UnreadableError
from vaelab.data.sources.listing import list_images, printable
from vaelab.data.sources.values import TOLERANCE
from vaelab.errors import InputError


def open_folder(root: Path, info: DataInfo, start: Start | None = None) -> Source:
    """Return the images below a directory, in the order of their paths.

    The first sub-folder is the group; where there are none, or the model knows colour and gray, the colour.

    Raises:
        InputError: there is no image.
    """
    listing = list_images(root)
    refused = tuple(f"{entry['file']}: {entry['reason']}" for entry in listing.quarantined)
    if not listing.files:
        others = [f"{count} files {suffix}" for suffix, count in sorted(listing.ignored.items())]
        raise InputError(f"{root}: no image ({' '.join(SUFFIXES)}) in it; {', '.join([*refused, *others]) or 'empty'}")
    return _of_files(root, listing.files, info, start)._replace(refused=refused)


def open_file(path: Path, info: DataInfo, start: Start | None = None) -> Source:
    """Return one image file."""
    return _of_files(path.parent, [Path(path.name)], info, start)


def open_npy(path: Path, info: DataInfo) -> Source:
    """Return the images of a file [N, S, S] or [N, S, S, C]: uint8, or numbers in 0 to 1, or the training data's range.

    Raises:
        InputError: the file is damaged, or does not fit the model.
    """
    array, (channels, height, width) = open_array(path, str(path)), info.shape
    shapes = [(height, width, channels), *([(height, width)] if channels == 1 else [])]
    value_range = info.preparation.value_scale.get(ARRAYS)
    if array.dtype != np.uint8 and array.dtype.kind not in ("fui" if value_range else "f"):
        raise InputError(f"{path}: type {array.dtype}; expected uint8 from 0 to 255, or float from 0 to 1")
    if array.shape[1:] not in shapes or not len(array):
        expected = " or ".join(f"N{''.join(f'x{side}' for side in shape)}" for shape in shapes)
        raise InputError(f"{path}: shape {'x'.join(map(str, array.shape))}; the model takes {expected}")

    def read(index: Sequence[int]) -> Part:
        x = _stored(array[list(index)], path, value_range)
        return Part(torch.from_numpy(x), _by_colour(x), [f"{path.name}:{number}" for number in index])

    return Source(str(path), _colour_groups(channels), len(array), read)


def _of_files(root: Path, files: list[Path], info: DataInfo, start: Start | None) -> Source:
    folders = sorted({_folder(file) for file in files})
    grouped = folders != ["."] and info.groups != COLOUR_GROUPS

    def read(index: Sequence[int]) -> Part:
        images, names, group = [np.empty((0, *info.shape), np.uint8)], [], []
        places: list[Place] = []
        refused: list[str] = []
        for file in (files[number] for number in index):
            try:
                for found in squares(root / file, printable(file), info, start):
                    if isinstance(found, str):
                        refused.append(found)
                        continue
                    images.append(found.x)
                    names += found.names
                    places += found.places
                    group += [folders.index(_folder(file))] * len(found.x)
            except UnreadableError as error:
                refused.append(f"{printable(file)}: {error}")
        x = np.concatenate(images)
        groups = torch.tensor(group, dtype=torch.int64) if grouped else _by_colour(x)
        return Part(torch.from_numpy(x), groups, names, None, tuple(refused), tuple(places))

    groups = tuple(folders) if grouped else _colour_groups(info.shape[0])
    return Source(str(root), groups, len(files), read, at_once=1 if info.preparation.in_tiles else None)


def _folder(file: Path) -> str:
    return printable(file.parts[0]) if len(file.parts) > 1 else "."


def _colour_groups(channels: int) -> tuple[str, ...]:
    return COLOUR_GROUPS if channels == 3 else ("all",)


def _by_colour(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(is_gray(x).astype(np.int64) if x.shape[1] == 3 else np.zeros(len(x), np.int64))


def _stored(images: np.ndarray, path: Path, value_range: tuple[float, float] | None) -> np.ndarray:
    """Images as the model's training data were stored, uint8 [n, C, S, S]."""
    if images.dtype != np.uint8:
        low, high = float(images.min()), float(images.max())
        if value_range is None and not (low >= -TOLERANCE and high <= 1 + TOLERANCE):  # NaN, too
            raise InputError(f"{path}: floats from {low:g} to {high:g}; expected 0 to 1")
        if not np.isfinite(low + high):
            raise InputError(f"{path}: holds NaN or infinity; expected numbers")
    return stored(images, value_range or (0.0, 1.0))
