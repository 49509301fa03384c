"""Images in NumPy files, one file per split, read memory-mapped and converted a few at a time."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import image_info
from vaelab.data.sources.image.groups import COLOUR_GROUPS, GroupLevels, is_gray
from vaelab.data.sources.progress import progress
from vaelab.errors import InputError, shortened
from vaelab.params.datasets import Npy

if TYPE_CHECKING:
    from vaelab.data.sources.progress import Bar

CHUNK_BYTES = 4 * 2**20  # of a file, converted at once
MAGIC = b"\x93NUMPY"
SAVE = "np.save(file, np.stack(images).astype(np.uint8))"
NOT_NPY = {
    b"PK": f"an archive (.npz); expected a single array: {SAVE}",
    b"\x80": f"a Python pickle, which can run any program when it is loaded and is never opened; save it with {SAVE}",
}


def prepare_npy(settings: Npy, folder: Path) -> None:
    """Write the images of two or three files [N, C, S, S]; RGB images are grouped into colour and gray.

    Raises:
        InputError: a file is missing or damaged, its images have the wrong type, size or range, or the files differ.
    """
    where = f"datasets.{folder.name}"
    given = {"train": settings.train, "val": settings.val, "test": settings.test}
    paths = {phase: Path(path) for phase, path in given.items() if path is not None}
    arrays = {phase: _opened(path, f"{where}.{phase}", settings.size) for phase, path in paths.items()}
    _check_alike(paths, arrays, where)
    groups = COLOUR_GROUPS if _channels(arrays["train"]) == 3 else ("all",)
    total = sum(len(array) * (1 + (array.dtype.kind == "f")) for array in arrays.values())
    with progress(None, f"prepare {folder.name}", "image", total) as bar:
        for phase, array in arrays.items():
            _check_values(array, f"{where}.{phase}: {paths[phase]}", bar)
        writer, levels = prepared.Writer(folder, prepared.SHARD_BYTES), GroupLevels(groups)
        _convert(arrays, writer, levels, bar)
    writer.finish(image_info(_channels(arrays["train"]), settings.size, groups), {
        "source": f"NumPy files {', '.join(map(str, paths.values()))}",
        "licence": "unknown",
        "split_rule": "one file per split, as given",
        "seed": settings.seed,
        "quarantined": [],
        "group_counts": levels.images_by_group(),
        "types": {phase: str(array.dtype) for phase, array in arrays.items()},
        "warnings": _warn(arrays, levels, where),
    })  # fmt: skip


def _convert(arrays: dict[str, np.ndarray], writer: prepared.Writer, levels: GroupLevels, bar: "Bar") -> None:
    for phase, array in arrays.items():
        for chunk in _chunks(array, bar):
            x = _stored(chunk)
            group = is_gray(x).astype(np.int32) if x.shape[1] == 3 else np.zeros(len(x), dtype=np.int32)
            writer.add(phase, {"x": x, "group": group})
            levels.add(phase, x, group)


def _warn(arrays: dict[str, np.ndarray], levels: GroupLevels, where: str) -> list[str]:
    """What the user is warned of: files or groups that seem to be normalised differently."""
    types = ", ".join(f"{array.dtype} in {phase}" for phase, array in arrays.items())
    unlike = [f"the files have different types ({types}): check that the images were normalised alike"]
    kinds = {array.dtype.kind for array in arrays.values()}
    texts = [*(unlike if len(kinds) > 1 else []), *levels.unlike_phases(), *levels.unlike_groups()]
    warnings = [f"{where}: {text}" for text in texts]
    for text in warnings:
        print(f"warning: {text}", file=sys.stderr)
    return warnings


def _opened(path: Path, where: str, size: int) -> np.ndarray:
    """Array of the right type and shape, memory-mapped."""
    place = f"{where}: {path}"
    array = open_array(path, place)
    _check_type(array, place)
    _check_shape(array, place, where.rpartition(".")[0], size)
    return array


def open_array(path: Path, place: str) -> np.ndarray:
    """Return the array in a NumPy file, memory-mapped. Raises InputError, which begins with `place`."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start != MAGIC:
            reason = next((text for sign, text in NOT_NPY.items() if start.startswith(sign)), "not a NumPy file (.npy)")
            raise InputError(f"{place}: {reason}")
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, OverflowError, MemoryError, SyntaxError, TokenError) as error:
        if "Python objects" in str(error):
            text = "an array of Python objects: a pickle, which can run any program when it is loaded, and usually"
            raise InputError(f"{place}: {text} images of different sizes; make them alike and save {SAVE}") from None
        raise InputError(f"{place}: damaged or not a NumPy file ({shortened(error)})") from None
    return array


def _check_type(array: np.ndarray, place: str) -> None:
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise InputError(f"{place}: type {array.dtype}; expected uint8 from 0 to 255, or float from 0 to 1")


def _check_shape(array: np.ndarray, place: str, dataset: str, size: int) -> None:
    shape = "x".join(map(str, array.shape))
    if array.ndim == 4 and array.shape[3] not in (1, 3):
        advice = {4: "; alpha is not kept: put the images on white and save 3 channels"}.get(array.shape[3], "")
        if array.shape[1] in (1, 3):
            advice = "; channels come last: np.moveaxis(x, 1, -1)"
        raise InputError(f"{place}: shape {shape}, {array.shape[3]} channels; expected 1 or 3{advice}")
    if array.ndim not in (3, 4) or not len(array):
        raise InputError(f"{place}: shape {shape}; expected N,H,W or N,H,W,C with at least one image")
    height, width = array.shape[1:3]
    if (height, width) != (size, size):
        advice = f"resize them, or set {dataset}.size to {height}" if height == width else "crop or resize them"
        raise InputError(f"{place}: images of {height}x{width} pixels; expected {size}x{size}: {advice}")


def _channels(array: np.ndarray) -> int:
    return int(array.shape[3]) if array.ndim == 4 else 1


def _check_alike(paths: dict[str, Path], arrays: dict[str, np.ndarray], where: str) -> None:
    for phase in list(paths)[1:]:
        channels, expected = _channels(arrays[phase]), _channels(arrays["train"])
        if channels != expected:
            raise InputError(f"{where}.{phase}: {paths[phase]}: {channels} channels; expected {expected}, as in train")
        for other in list(paths)[: list(paths).index(phase)]:
            if paths[phase].samefile(paths[other]):
                raise InputError(f"{where}.{phase}: {paths[phase]} is the file of {other}; expected other images")


def _chunks(array: np.ndarray, bar: "Bar") -> Iterator[np.ndarray]:
    rows = max(1, CHUNK_BYTES // (array.nbytes // len(array)))
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
        yield chunk
        bar.update(len(chunk))


def _check_values(array: np.ndarray, place: str, bar: "Bar") -> None:
    """Refuse floats outside [0, 1], after a look at all of them."""
    if array.dtype.kind != "f":
        return
    low, high, missing = np.inf, -np.inf, 0
    for chunk in _chunks(array, bar):
        missing += int(np.isnan(chunk).sum())
        low, high = min(low, float(np.fmin.reduce(chunk, None))), max(high, float(np.fmax.reduce(chunk, None)))
    if missing:
        raise InputError(f"{place}: {missing} of {array.size} values are NaN; expected numbers from 0 to 1")
    if low < 0 or high > 1:
        raise InputError(f"{place}: floats from {low:g} to {high:g}; expected 0 to 1: {_advice(low, high)}")


def _advice(low: float, high: float) -> str:
    if low >= 0 and high <= 255:
        return "save them as x.astype(np.uint8), or x / 255"
    if low >= -1 and high <= 1:
        return "save (x + 1) / 2 where they are normalised to -1 to 1"
    return "undo their normalisation (x * std + mean), or clip them"


def _stored(chunk: np.ndarray) -> np.ndarray:
    """Images as they are stored, uint8 [n, C, S, S]; a copy."""
    if chunk.dtype.kind == "f":
        chunk = np.rint(chunk.astype(np.float32) * 255).astype(np.uint8)
    return np.array(chunk[:, None] if chunk.ndim == 3 else np.moveaxis(chunk, -1, 1), order="C")
