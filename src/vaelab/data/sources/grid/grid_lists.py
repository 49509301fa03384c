"""Grids in arrays and in JSON: [H, W] or N of them, lists of rows, alone, in lists or in objects. K classes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.sources.regular import UnreadableError, check_regular

MOST_CLASSES = 256


def array_grids(path: Path) -> list[np.ndarray]:
    """Return the grids of a NumPy file, [H, W] each, of whole numbers; memory-mapped. Raises UnreadableError."""
    check_regular(path)
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableError(f"damaged or not a NumPy file ({error})") from None
    if array.ndim == 4 and 1 in (array.shape[1], array.shape[3]):
        array = array[:, 0] if array.shape[1] == 1 else array[..., 0]
    if array.ndim not in (2, 3) or array.dtype.kind not in "buif" or not array.size:
        shape = "x".join(map(str, array.shape))
        expected = "expected N,H,W of whole numbers (of one-hot classes: x.argmax(-1))"
        raise UnreadableError(f"shape {shape} of {array.dtype}; {expected}")
    grids = [array] if array.ndim == 2 else list(array)
    if array.dtype.kind == "f" and any((np.asarray(grid) % 1 != 0).any() for grid in grids):
        raise UnreadableError("holds numbers with fractions, which are no classes; expected whole numbers")
    return [grid.astype(np.int64) for grid in grids] if array.dtype.kind == "f" else grids


def json_grids(content: Any, depth: int = 4) -> Iterator[np.ndarray]:
    """Yield the grids of whole numbers, of characters or of rows as strings, wherever they are in a JSON file."""
    if _is_grid(content):
        yield np.array([list(row) for row in content])
    elif depth and isinstance(content, list | dict):
        for value in content.values() if isinstance(content, dict) else content:
            yield from json_grids(value, depth - 1)


def _is_grid(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) > 1 and all(isinstance(row, list | str) and row for row in value)):
        return False
    cells = [cell for row in value for cell in row]
    alike = all(type(cell) is int for cell in cells) or all(isinstance(cell, str) and len(cell) == 1 for cell in cells)
    return alike and len({*map(len, value)}) == 1 and len(value[0]) > 1
