"""Images in NumPy files, one file per split, read memory-mapped and converted a few at a time."""

from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import Preparation, image_info
from vaelab.data.sources.account import Account
from vaelab.data.sources.image.groups import COLOUR_GROUPS, LITTLE_RANGE, GroupLevels, is_gray
from vaelab.data.sources.image.npy_values import ARRAYS, check_values, chunks, stored
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.data.sources.twins import Twins
from vaelab.data.sources.values import Range
from vaelab.errors import InputError, shortened
from vaelab.params.datasets import Npy

if TYPE_CHECKING:
    from vaelab.data.sources.progress import Bar

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
    arrays = {phase: _opened(path, f"{where}.{phase}", settings) for phase, path in paths.items()}
    _check_alike(paths, arrays, where)
    groups = COLOUR_GROUPS if _channels(arrays["train"]) == 3 else ("all",)
    total = sum(len(array) * (1 + (array.dtype != np.uint8)) for array in arrays.values())
    account, levels, twins = Account(where), GroupLevels(groups), Twins()
    with progress(None, f"prepare {folder.name}", "image", total) as bar:
        for phase, array in arrays.items():
            account.note(str(paths[phase]), check_values(array, f"{where}.{phase}: {paths[phase]}", settings, bar))
        writer = prepared.Writer(folder, prepared.SHARD_BYTES)
        _convert(arrays, settings.value_range or (0.0, 1.0), writer, levels, twins, bar)
    account.warn([*_without_effect(arrays, settings), *_unlike_types(arrays), *levels.little_range(LITTLE_RANGE)])
    account.warn([*levels.unlike_phases(), *levels.unlike_groups(), *twins.warnings()])
    account.tell(f"{sum(map(len, arrays.values()))} images kept", {}, folder / "meta.json")
    prepared_as = Preparation(value_scale={ARRAYS: settings.value_range} if settings.value_range else {})
    writer.finish(image_info(_channels(arrays["train"]), settings.size, groups, prepared_as), {
        "source": f"NumPy files {', '.join(map(str, paths.values()))}",
        "licence": "unknown",
        "split_rule": "one file per split, as given",
        "seed": settings.seed,
        "group_counts": levels.images_by_group(),
        "types": {phase: str(array.dtype) for phase, array in arrays.items()},
        **account.report(),
        **twins.report(),
    })  # fmt: skip


def _convert(
    arrays: dict[str, np.ndarray],
    value_range: Range,
    writer: prepared.Writer,
    levels: GroupLevels,
    twins: Twins,
    bar: "Bar",
) -> None:
    for phase, array in arrays.items():
        number = 0
        for chunk in chunks(array, bar):
            x = stored(chunk, value_range)
            group = is_gray(x).astype(np.int32) if x.shape[1] == 3 else np.zeros(len(x), dtype=np.int32)
            writer.add(phase, {"x": x, "group": group})
            levels.add(phase, x, group)
            for offset, image in enumerate(x):
                twins.add(phase, str(number + offset), image[None])
            number += len(x)


def _without_effect(arrays: dict[str, np.ndarray], settings: Npy) -> list[str]:
    phases = [phase for phase, array in arrays.items() if array.dtype == np.uint8]
    text = f"value_range has no effect on {', '.join(phases)}: uint8, of which 0 to 255 are kept as they are"
    return [text] if settings.value_range and phases else []


def _unlike_types(arrays: dict[str, np.ndarray]) -> list[str]:
    types = ", ".join(f"{array.dtype} in {phase}" for phase, array in arrays.items())
    unlike = f"the files have different types ({types}): check that the images were normalised alike"
    return [unlike] if len({array.dtype.kind for array in arrays.values()}) > 1 else []


def _opened(path: Path, where: str, settings: Npy) -> np.ndarray:
    """Array of the right type and shape, memory-mapped."""
    place, dataset = f"{where}: {path}", where.rpartition(".")[0]
    array = open_array(path, place)
    _check_type(array, place, dataset, settings.value_range is not None)
    _check_shape(array, place, dataset, settings.size)
    return array


def open_array(path: Path, place: str) -> np.ndarray:
    """Return the array in a NumPy file, memory-mapped. Raises InputError, which begins with `place`."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start != MAGIC:
            reason = next((text for sign, text in NOT_NPY.items() if start.startswith(sign)), "not a NumPy file (.npy)")
            raise InputError(f"{place}: {reason}")
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; expected a NumPy file (.npy)") from None
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, OverflowError, MemoryError, SyntaxError, TokenError) as error:
        if "Python objects" in str(error):
            text = "an array of Python objects: a pickle, which can run any program when it is loaded, and usually"
            raise InputError(f"{place}: {text} images of different sizes; make them alike and save {SAVE}") from None
        raise InputError(f"{place}: damaged or not a NumPy file ({shortened(error)})") from None
    return array


def _check_type(array: np.ndarray, place: str, dataset: str, ranged: bool) -> None:
    if array.dtype == np.uint8 or array.dtype.kind == "f" or (ranged and array.dtype.kind in "ui"):
        return
    advice = f"; or {dataset}.value_range: [0, {2**12 - 1}] for values of 12 bits" if array.dtype.kind in "ui" else ""
    raise InputError(f"{place}: type {array.dtype}; expected uint8 from 0 to 255, or float from 0 to 1{advice}")


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
