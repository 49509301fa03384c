"""Mean, standard deviation and range of the inputs by split and group: exact, from counts of stored levels.

`mean_std` is the standard deviation of the examples' own means: how far chance moves the mean of a few of them.

Images: values in [0, 1], as a model gets them. Grids: 1 where a cell of the grid is not background, else 0. Tags: 1
where a row has a tag, else 0.

K groups in a few examples, V levels.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab import storage
from vaelab.data.format.info import DataInfo

COUNTED_AT_ONCE = 2**15  # values, which take eight times as much while they are counted

Statistics = dict[str, dict[str, dict[str, float]]]


class Scale(NamedTuple):
    """What stored levels stand for: an integer for each [V], over a divisor."""

    values: np.ndarray
    divisor: int = 1


def _unit(info: DataInfo) -> Scale:
    return Scale(np.arange(256), 255)


def _foreground(info: DataInfo) -> Scale:
    return Scale((np.arange(256) != info.background).astype(np.int64))


def _given(info: DataInfo) -> Scale:
    return Scale(np.arange(2))


SCALES: dict[str, Callable[[DataInfo], Scale]] = {"grid": _foreground, "tags": _given}  # of other kinds: _unit


def input_statistics(folder: Path, files: Mapping[str, Sequence[str]], info: DataInfo) -> Statistics:
    """Return mean, std, min, max, mean_std of the values of each group, by split, and how many examples it has there.

    Args:
        folder: of prepared data.
        files: names of the shards of each split, which are read one after the other, a few examples at a time.
        info: what the data are.

    Raises:
        InputError: a shard is missing or damaged.
    """
    scale = SCALES.get(info.kind, _unit)(info)
    return {
        phase: _of_split([folder / name for name in names], info, scale) for phase, names in files.items() if len(names)
    }


def _of_split(paths: Sequence[Path], info: DataInfo, scale: Scale) -> dict[str, dict[str, float]]:
    counts: dict[int, np.ndarray] = {}  # of values by level [V]
    groups, means = list[np.ndarray](), list[np.ndarray]()  # of examples
    for path in paths:
        for group, found, of_examples in _read(path, info, scale):
            for place, number in enumerate(np.unique(group).tolist()):
                counts[number] = counts.get(number, 0) + found[place]
            groups.append(group)
            means.append(of_examples)
    names, group, mean = dict(enumerate(info.groups)), np.concatenate(groups), np.concatenate(means)
    return {
        names.get(number, str(number)): {**_moments(counts[number], scale), **_of_means(mean[group == number])}
        for number in sorted(counts)
    }


def _of_means(means: np.ndarray) -> dict[str, float]:
    """How far examples' means lie apart, the same in any order, and how many there are."""
    found = np.sort(means)
    known = found[np.isfinite(found)]
    return {"mean_std": float(known.std()) if len(known) else math.nan, "examples": len(found)}


def _read(path: Path, info: DataInfo, scale: Scale) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Groups of a few examples, of each group how many values have each level, int64 [K, V], and examples' means."""
    with storage.opened(path, "numpy") as file:
        names = set(file.keys())
        parts = {name: file.get_slice(name) for name in names & {"x", "valid", "count"}}
        shape = parts["count" if "columns" in names else "x"].get_shape()
        groups = file.get_tensor("group") if "group" in names else np.zeros(shape[0], dtype=np.int32)
        step = max(1, COUNTED_AT_ONCE // max(1, math.prod(shape[1:])))
        for start in range(0, shape[0], step):
            rows = slice(start, min(start + step, shape[0]))
            place = np.unique(groups[rows], return_inverse=True)[1]
            part = {name: tensor[rows] for name, tensor in parts.items()}
            yield groups[rows], _counted(part, place, info, len(scale.values)), _means(part, info, scale)


def _means(part: Mapping[str, np.ndarray], info: DataInfo, scale: Scale) -> np.ndarray:
    """The mean value of each example, NaN of one without values."""
    if "x" not in part:
        return part["count"] / math.prod(info.shape)
    x = part["x"].reshape(len(part["x"]), -1)
    values = scale.values.astype(np.int32)[x]
    counts = np.full(len(x), x.shape[1])
    if "valid" in part:
        inside = part["valid"].reshape(len(x), -1) != 0
        values *= inside
        counts = inside.sum(1)
    sums = values.sum(1, dtype=np.int64)
    return np.where(counts > 0, sums / np.maximum(counts, 1) / scale.divisor, math.nan)


def _counted(part: Mapping[str, np.ndarray], place: np.ndarray, info: DataInfo, size: int) -> np.ndarray:
    if "x" not in part:  # sparse rows: how many ones each has
        ones = np.bincount(place, part["count"]).astype(np.int64)
        return np.stack([np.bincount(place) * math.prod(info.shape) - ones, ones], axis=1)
    x = part["x"]
    key = place.reshape(-1, *[1] * (x.ndim - 1)) * size + x
    inside = key[part["valid"] != 0] if "valid" in part else key.ravel()
    return np.bincount(inside, minlength=(place.max(initial=0) + 1) * size).reshape(-1, size)


def _moments(counts: np.ndarray, scale: Scale) -> dict[str, float]:
    """In integers, so that nothing is rounded before the end."""
    total, there = int(counts.sum()), scale.values[counts > 0]
    if not total:
        return dict.fromkeys(("mean", "std", "min", "max"), math.nan)
    first, second = (int((counts * scale.values**power).sum()) for power in (1, 2))
    return {
        "mean": first / (total * scale.divisor),
        "std": math.sqrt(total * second - first**2) / (total * scale.divisor),
        "min": int(there.min()) / scale.divisor,
        "max": int(there.max()) / scale.divisor,
    }
