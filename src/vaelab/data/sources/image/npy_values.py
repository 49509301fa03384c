"""Values of NumPy files: which are refused, and how they become 8 bits, a few images at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from vaelab.data.sources.values import TOLERANCE, Range
from vaelab.errors import InputError
from vaelab.params.datasets import Npy

if TYPE_CHECKING:
    from vaelab.data.sources.progress import Bar

CHUNK_BYTES = 4 * 2**20  # of a file, converted at once
NAMES = {"f": "floats", "u": "whole numbers", "i": "whole numbers"}
ARRAYS = "arrays"  # name of their values' range in what a model keeps
ONE_LEVEL = 1.5 / 255  # of the range: what is below becomes 0 or 1


def chunks(array: np.ndarray, bar: "Bar") -> Iterator[np.ndarray]:
    """Yield the images of an array, a few at a time."""
    rows = max(1, CHUNK_BYTES // (array.nbytes // len(array)))
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
        yield chunk
        bar.update(len(chunk))


def check_values(array: np.ndarray, place: str, settings: Npy, bar: "Bar") -> list[str]:
    """Return what will be clipped: up to half a level, which rounding leaves; with a `value_range` all that is outside.

    Raises:
        InputError: a value is NaN, or outside of 0 to 1, or all are so small that they would become two levels.
    """
    if array.dtype == np.uint8:
        return []
    low, high, missing = np.inf, -np.inf, 0
    for chunk in chunks(array, bar):
        missing += int(np.isnan(chunk).sum())
        low, high = min(low, float(np.fmin.reduce(chunk, None))), max(high, float(np.fmax.reduce(chunk, None)))
    if missing:
        raise InputError(f"{place}: {missing} of {array.size} values are NaN; expected numbers from 0 to 1")
    first, last = settings.value_range or (0.0, 1.0)
    held = f"{NAMES[array.dtype.kind]} from {low:g} to {high:g}"
    outside = {f"below {first:g}": first - low, f"above {last:g}": high - last}
    beyond = " and ".join(f"{excess:.3g} {side}" for side, excess in outside.items() if excess > 0)
    allowed = np.inf if settings.value_range else TOLERANCE
    if not np.isfinite(low + high) or max(outside.values()) > allowed:
        raise InputError(f"{place}: {held}; expected 0 to 1: {_advice(low, high)} ({beyond})")
    if 0 < high - first < ONE_LEVEL * (last - first):
        dataset = place.partition(":")[0].rpartition(".")[0]
        remedy = f"divided by 255 twice? Multiply them, or set {dataset}.value_range: [0, {high:.7g}]"
        raise InputError(f"{place}: {held} would become 0 and 1 of 255 levels: {remedy}")
    return [f"{held}: {beyond} was clipped"] if beyond else []


def _advice(low: float, high: float) -> str:
    if low >= 0 and high <= 255:
        return "save them as x.astype(np.uint8), or x / 255"
    if low >= -1 and high <= 1:
        return "save (x + 1) / 2 where they are normalised to -1 to 1"
    return "undo their normalisation (x * std + mean), or clip them"


def stored(chunk: np.ndarray, value_range: Range) -> np.ndarray:
    """Images as they are stored, uint8 [n, C, S, S]; a copy."""
    if chunk.dtype != np.uint8:
        first, last = value_range
        x = chunk.astype(np.float32)
        if value_range != (0.0, 1.0):
            x = (x - first) / (last - first)
        chunk = np.rint(x.clip(0, 1) * 255).astype(np.uint8)
    return np.array(chunk[:, None] if chunk.ndim == 3 else np.moveaxis(chunk, -1, 1), order="C")
