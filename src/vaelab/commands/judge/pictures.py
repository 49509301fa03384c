"""A user's own images: a directory, one file, or a NumPy file; brought to a model's size and channels.

Files are read as the source image_folder reads them: the shorter side to the size, then the centre. N images, C S S.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from vaelab.commands.judge.examples import Part, Source
from vaelab.data.format.info import DataInfo
from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.data.sources.image.npy import open_array
from vaelab.data.sources.image_files import SUFFIXES, UnreadableError, fitted, read_image
from vaelab.data.sources.listing import list_images, printable
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder

MAX_PIXELS: int = ImageFolder.model_fields["max_pixels"].default
COLOURS: dict[int, Literal["gray", "rgb"]] = {1: "gray", 3: "rgb"}


def open_folder(root: Path, info: DataInfo) -> Source:
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
    return _of_files(root, listing.files, info)._replace(refused=refused)


def open_file(path: Path, info: DataInfo) -> Source:
    """Return one image file."""
    return _of_files(path.parent, [Path(path.name)], info)


def open_npy(path: Path, info: DataInfo) -> Source:
    """Return the images of a file, uint8 or float in [0, 1], [N, S, S] or [N, S, S, C], memory-mapped.

    Raises:
        InputError: the file is damaged, or does not fit the model.
    """
    array, (channels, height, width) = open_array(path, str(path)), info.shape
    shapes = [(height, width, channels), *([(height, width)] if channels == 1 else [])]
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise InputError(f"{path}: type {array.dtype}; expected uint8 from 0 to 255, or float from 0 to 1")
    if array.shape[1:] not in shapes or not len(array):
        expected = " or ".join(f"N{''.join(f'x{side}' for side in shape)}" for shape in shapes)
        raise InputError(f"{path}: shape {'x'.join(map(str, array.shape))}; the model takes {expected}")

    def read(index: Sequence[int]) -> Part:
        x = _stored(array[list(index)], path)
        return Part(torch.from_numpy(x), _by_colour(x), [f"{path.name}:{number}" for number in index])

    return Source(str(path), _colour_groups(channels), len(array), read)


def _of_files(root: Path, files: list[Path], info: DataInfo) -> Source:
    channels, size = info.shape[0], info.shape[1]
    folders = sorted({_folder(file) for file in files})
    grouped = folders != ["."] and info.groups != COLOUR_GROUPS

    def read(index: Sequence[int]) -> Part:
        images, names, group, refused = [np.empty((0, *info.shape), np.uint8)], [], [], []
        for file in (files[number] for number in index):
            try:
                x, _ = fitted(read_image(root / file, MAX_PIXELS, COLOURS[channels]), size, "resize")
            except UnreadableError as error:
                refused.append(f"{printable(file)}: {error}")
                continue
            images.append(x)
            names.append(printable(file))
            group.append(folders.index(_folder(file)))
        x = np.concatenate(images)
        groups = torch.tensor(group, dtype=torch.int64) if grouped else _by_colour(x)
        return Part(torch.from_numpy(x), groups, names, None, tuple(refused))

    return Source(str(root), tuple(folders) if grouped else _colour_groups(channels), len(files), read)


def _folder(file: Path) -> str:
    return printable(file.parts[0]) if len(file.parts) > 1 else "."


def _colour_groups(channels: int) -> tuple[str, ...]:
    return COLOUR_GROUPS if channels == 3 else ("all",)


def _by_colour(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(is_gray(x).astype(np.int64) if x.shape[1] == 3 else np.zeros(len(x), np.int64))


def _stored(images: np.ndarray, path: Path) -> np.ndarray:
    """Images as the model's training data were stored, uint8 [n, C, S, S]."""
    if images.dtype.kind == "f":
        low, high = float(images.min()), float(images.max())
        if not (low >= 0 and high <= 1):  # NaN, too
            raise InputError(f"{path}: floats from {low:g} to {high:g}; expected 0 to 1")
        images = np.rint(images.astype(np.float32) * 255).astype(np.uint8)
    return np.ascontiguousarray(images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1))
