"""What users hand to a model, as the model takes it: arrays, tensors, pictures, lists of tags, grids of ARC.

N examples, C S S image or S S grid, D tags, K classes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from vaelab.commands.judge.squares import Start, of_picture, squares
from vaelab.data.format.batches import FORMATS
from vaelab.data.format.info import DataInfo
from vaelab.data.sources.decoding import Picture
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError
from vaelab.params.problems import short, suggestion

Given = Any  # an array, a tensor, a picture, a path, or a list of those; tag lists; grids


class Examples(NamedTuple):
    """Examples of one kind and size."""

    x: Tensor  # images uint8, or float in [0, 1], [N, C, S, S]; grids uint8 [N, S, S], K outside; tags uint8 [N, D]
    source: np.ndarray  # int [N]: the number of what was given that each is of; a large picture gives several

    def ready(self, kind: str) -> Tensor:
        """Return them as the model gets them."""
        return self.x if self.x.is_floating_point() and kind == "image" else FORMATS[kind].ready(self.x)

    def stored(self) -> Tensor:
        """Return them in 8 bits, as prepared data are."""
        return (self.x * 255).round().to(torch.uint8) if self.x.is_floating_point() else self.x


def examples_of(given: Given, info: DataInfo, start: Start | None = None) -> Examples:
    """Return what is given as examples for a model of data that `info` describes.

    - Images: an array or tensor, uint8 or float in [0, 1], channels first or last, one or many; a PIL image, the path
      of a file, or a list of them, which become examples as the training data did.
    - Grids: rows of classes, of any height and width that the canvas holds, one or a list; an ARC task; or an array
      [N, S, S] whose cells outside are K.
    - Tags: a list of names, or of such lists; or an array [N, D] of 0 and 1.

    Args:
        given: the examples.
        info: of the data that the model was trained on.
        start: of pictures that are cut into tiles, their first column; None: the left edge.

    Raises:
        InputError: it is none of these, or does not fit the model.
    """
    return _images(given, info, start) if info.kind == "image" else READERS[info.kind](given, info)


def _images(given: Given, info: DataInfo, start: Start | None) -> Examples:
    if isinstance(given, np.ndarray | Tensor):
        x = _laid_out(_tensor(given), info.shape)
        return Examples(x, np.arange(len(x)))
    listed = list(given) if isinstance(given, list | tuple) else [given]
    if not listed:
        raise InputError("examples: nothing is given; expected at least one")
    parts = [_image(one, number, info, start) for number, one in enumerate(listed)]
    if len({part.is_floating_point() for part in parts}) > 1:
        raise InputError("examples: some are floats and some are not; expected all in 8 bits, or all in [0, 1]")
    return Examples(torch.cat(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts]))


def _image(one: Given, number: int, info: DataInfo, start: Start | None) -> Tensor:
    if isinstance(one, np.ndarray | Tensor):
        return _laid_out(_tensor(one), info.shape)
    try:
        if isinstance(one, Image.Image):
            return torch.from_numpy(
                of_picture(Picture(ImageOps.exif_transpose(one), []), f"image {number}", info, start).x
            )
        if isinstance(one, str | Path):
            return _file(Path(one), info, start)
    except (UnreadableError, OSError) as error:
        raise InputError(f"examples: number {number}: {error}") from None
    raise InputError(f"examples: number {number} is {short(one)}; expected an array, a tensor, a picture or a path")


def _file(path: Path, info: DataInfo, start: Start | None) -> Tensor:
    pages = list(squares(path, path.name, info, start))
    wrong = next((page for page in pages if isinstance(page, str)), None)
    if wrong is not None:
        raise UnreadableError(wrong)
    return torch.from_numpy(np.concatenate([page.x for page in pages if not isinstance(page, str)]))


def _tensor(given: np.ndarray | Tensor) -> Tensor:
    x = given.detach().cpu() if isinstance(given, Tensor) else torch.from_numpy(np.ascontiguousarray(given))
    if x.dtype == torch.uint8:
        return x
    if not x.is_floating_point():
        raise InputError(f"examples: {x.dtype}; expected uint8 from 0 to 255, or floats from 0 to 1")
    low, high = (float(x.min()), float(x.max())) if x.numel() else (0.0, 1.0)
    if not (low >= 0 and high <= 1):  # NaN, too
        raise InputError(f"examples: floats from {low:g} to {high:g}; expected 0 to 1")
    return x.float()


def _laid_out(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """One or many images, channels first or last, or none for gray, as [N, C, S, S]."""
    channels, height, width = shape
    given = tuple(x.shape)
    if x.ndim in (3, 4) and given[-3:] == shape:
        return x.reshape(-1, *shape)
    if x.ndim in (3, 4) and given[-3:] == (height, width, channels):
        return x.reshape(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()
    if channels == 1 and x.ndim in (2, 3) and given[-2:] == (height, width):
        return x.reshape(-1, *shape)
    wanted = " or ".join(f"[N, {', '.join(map(str, each))}]" for each in (shape, (height, width, channels)))
    raise InputError(f"examples: shape {list(given)}; the model takes {wanted}, or pictures (PIL, paths) of any size")


def _grids(given: Given, info: DataInfo) -> Examples:
    classes, side = len(info.classes), info.shape[0]
    if isinstance(given, np.ndarray | Tensor):
        x = torch.as_tensor(given).cpu()
        if x.ndim in (2, 3) and tuple(x.shape[-2:]) == info.shape:
            x = x.reshape(-1, side, side)
            if x.is_floating_point() or int(x.min()) < 0 or int(x.max()) > classes:
                raise InputError(f"grids: expected whole numbers from 0 to {classes - 1}, and {classes} outside")
            return Examples(x.to(torch.uint8), np.arange(len(x)))
        given = x.tolist()
    grids = _list_of_grids(given)
    x = torch.full((len(grids), side, side), classes, dtype=torch.uint8)
    for number, grid in enumerate(grids):
        cells = _cells(grid, number, classes, side)
        x[number, : cells.shape[0], : cells.shape[1]] = cells
    return Examples(x, np.arange(len(x)))


def _list_of_grids(given: Given) -> list[Any]:
    """One grid, many, or all of an ARC task."""
    if isinstance(given, Mapping):
        try:
            pairs = [pair for part in ("train", "test") for pair in given[part]]
            return [pair[role] for pair in pairs for role in ("input", "output") if role in pair]
        except (KeyError, TypeError):
            raise InputError("grids: expected an ARC task, {train: [{input, output} ...], test: [...]}") from None
    try:
        one = np.ndim(given[0][0]) == 0
    except (TypeError, IndexError, KeyError, ValueError):
        raise InputError(f"grids: {short(given)}; expected rows of classes, or a list of such grids") from None
    return [given] if one else list(given)


def _cells(grid: Any, number: int, classes: int, side: int) -> Tensor:
    try:
        cells = torch.as_tensor(np.asarray(grid))
    except (ValueError, TypeError):
        raise InputError(
            f"grids: number {number} is ragged or holds no numbers; expected rows of equal length"
        ) from None
    if cells.ndim != 2 or not cells.numel() or cells.is_floating_point():
        raise InputError(f"grids: number {number} is {short(grid)}; expected rows of whole numbers")
    if int(cells.min()) < 0 or int(cells.max()) >= classes:
        raise InputError(f"grids: number {number} has a cell outside of 0 to {classes - 1}")
    if max(cells.shape) > side:
        raise InputError(f"grids: number {number} has {cells.shape[0]}x{cells.shape[1]} cells; the canvas has {side}")
    return cells.to(torch.uint8)


def _tags(given: Given, info: DataInfo) -> Examples:
    if isinstance(given, np.ndarray | Tensor) and np.asarray(given).dtype.kind in "biuf":
        x = torch.as_tensor(given).cpu()
        if x.ndim not in (1, 2) or tuple(x.shape[-1:]) != info.shape or not bool(((x == 0) | (x == 1)).all()):
            raise InputError(
                f"tags: {x.dtype} {list(x.shape)}; expected 0 and 1, [N, {info.shape[0]}], or lists of names"
            )
        x = x.reshape(-1, info.shape[0])
        return Examples(x.to(torch.uint8), np.arange(len(x)))
    rows = _rows_of_tags(given)
    place = {name: number for number, name in enumerate(info.classes)}
    x = torch.zeros((len(rows), info.shape[0]), dtype=torch.uint8)
    for number, row in enumerate(rows):
        for name in row:
            if name not in place:
                raise InputError(f"tags: row {number}: no tag {short(name)}; {suggestion(name, info.classes)}")
            x[number, place[name]] = 1
    return Examples(x, np.arange(len(x)))


def _rows_of_tags(given: Given) -> list[Sequence[str]]:
    if not isinstance(given, list | tuple | set | frozenset | np.ndarray):
        raise InputError(f"tags: {short(given)}; expected a list of names, or of such lists")
    rows = [given] if all(isinstance(one, str) for one in given) and len(given) else list(given)
    for number, row in enumerate(rows):
        if isinstance(row, str) or not all(isinstance(name, str) for name in row):
            raise InputError(f"tags: row {number} is {short(row)}; expected a list of names")
    return [list(row) for row in rows]


READERS: dict[str, Callable[[Given, DataInfo], Examples]] = {"grid": _grids, "tags": _tags}
