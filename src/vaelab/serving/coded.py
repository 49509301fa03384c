"""Grids and rows of tags that users hand to a model, as the numbers that it takes.

N examples, S S grid, D tags, K classes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.params.problems import short, suggestion

LISTS = (list, tuple, set, frozenset, np.ndarray)  # of names


def grids_of(given: Any, info: DataInfo) -> Tensor:
    """Return grids as they are stored, uint8 [N, S, S], K outside of them. Raises InputError where they do not fit."""
    classes, side = len(info.classes), info.shape[0]
    if isinstance(given, np.ndarray | Tensor):
        x = given.cpu() if isinstance(given, Tensor) else tensor_of(given, "grids")
        if x.ndim in (2, 3) and tuple(x.shape[-2:]) == info.shape:
            return _canvases(x.reshape(-1, side, side), classes)
        given = x.tolist()
    grids = _list_of_grids(given)
    x = torch.full((len(grids), side, side), classes, dtype=torch.uint8)
    for number, grid in enumerate(grids):
        cells = _cells(grid, number, classes, side)
        x[number, : cells.shape[0], : cells.shape[1]] = cells
    return x


def tensor_of(given: np.ndarray, what: str) -> Tensor:
    """Return an array of numbers as a tensor. Raises InputError where it holds something else."""
    if given.dtype.kind not in "biufc":
        raise InputError(f"{what}: an array of type {given.dtype}; expected numbers")
    return torch.from_numpy(np.ascontiguousarray(given, given.dtype.newbyteorder("=")))


def _canvases(x: Tensor, classes: int) -> Tensor:
    """Grids [N, S, S] as they are stored."""
    if x.is_floating_point() or bool(((x < 0) | (x > classes)).any()):
        raise InputError(f"grids: expected whole numbers from 0 to {classes - 1}, and {classes} outside")
    if bool((empty := (x == classes).all(2).all(1)).any()):
        raise InputError(f"grids: number {int(empty.int().argmax())} has no cell: {classes} is outside of a grid")
    return x.to(torch.uint8)


def _list_of_grids(given: Any) -> list[Any]:
    """One grid, many, or all of an ARC task."""
    if isinstance(given, Mapping):
        try:
            pairs = [pair for part in ("train", "test") for pair in given[part]]
            return [pair[role] for pair in pairs for role in ("input", "output") if role in pair.keys()]  # noqa: SIM118
        except (KeyError, TypeError, AttributeError):
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


def tags_of(given: Any, info: DataInfo) -> Tensor:
    """Return rows of tags, uint8 [N, D] of 0 and 1. Raises InputError where they do not fit."""
    if isinstance(given, Tensor) or (isinstance(given, np.ndarray) and given.dtype.kind in "biuf"):
        x = torch.as_tensor(given).cpu()
        if x.ndim not in (1, 2) or tuple(x.shape[-1:]) != info.shape or not bool(((x == 0) | (x == 1)).all()):
            raise InputError(
                f"tags: {x.dtype} {list(x.shape)}; expected 0 and 1, [N, {info.shape[0]}], or lists of names"
            )
        x = x.reshape(-1, info.shape[0])
        return x.to(torch.uint8)
    rows = _rows_of_tags(given)
    place = {name: number for number, name in enumerate(info.classes)}
    x = torch.zeros((len(rows), info.shape[0]), dtype=torch.uint8)
    for number, row in enumerate(rows):
        for name in row:
            if name not in place:
                raise InputError(f"tags: row {number}: no tag {short(name)}; {suggestion(name, info.classes)}")
            x[number, place[name]] = 1
    return x


def _rows_of_tags(given: Any) -> list[Sequence[str]]:
    if not isinstance(given, LISTS):
        raise InputError(f"tags: {short(given)}; expected a list of names, or of such lists")
    rows = [given] if all(isinstance(one, str) for one in given) and len(given) else list(given)
    for number, row in enumerate(rows):
        if not isinstance(row, LISTS) or not all(isinstance(name, str) for name in row):
            raise InputError(f"tags: row {number} is {short(row)}; expected a list of names")
    return [list(row) for row in rows]


def cells_of(canvases: np.ndarray, info: DataInfo) -> list[np.ndarray]:
    """Return grids [N, S, S] without the cells outside of them. Raises InputError where they are none."""
    if info.kind != "grid" or np.shape(canvases)[1:] != info.shape:
        raise InputError(f"grids: shape {list(np.shape(canvases))}, of a model of {info.kind} {list(info.shape)}")
    inside = canvases != len(info.classes)
    sides = zip(inside.any(2).sum(1), inside.any(1).sum(1), strict=True)
    return [grid[:height, :width] for grid, (height, width) in zip(canvases, sides, strict=True)]


def names_of(probabilities: np.ndarray, info: DataInfo, threshold: float) -> list[list[str]]:
    """Return the names of tags [N, D] of at least a probability. Raises InputError where the shape is another."""
    if np.ndim(probabilities) != 2 or np.shape(probabilities)[1] != len(info.classes):
        raise InputError(f"tags: shape {list(np.shape(probabilities))}; expected [N, {len(info.classes)}]")
    return [[info.classes[place] for place in np.flatnonzero(row >= threshold)] for row in probabilities]


CODED: dict[str, Callable[[Any, DataInfo], Tensor]] = {"grid": grids_of, "tags": tags_of}
