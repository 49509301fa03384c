"""Saved score maps of one phase: data/scores/<run>/anomaly-<phase>.safetensors.

`<score>` float32 [N, h, h], not negative, larger for what is less normal, spread evenly over the patch; `group`,
`strip`, `top`, `left` int32 [N]; in the phases of defects `label` and `defect` too. N patches, h cells to a side,
which may differ between scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import artifacts, storage
from vaelab.errors import InputError

SCORED_PHASES = ("val", "test", "defects", "val_defects")
PLACE_COLUMNS = ("group", "strip", "top", "left")
LABEL_COLUMNS = ("label", "defect")
MOST_CELLS = 2**22  # of all maps, in memory at once

ScoreMaps = dict[str, np.ndarray]  # by score [n, h, h]
Scores = Mapping[str, np.ndarray]  # by score, one number for each patch [N]


@dataclass(frozen=True)
class ScoreFile:
    """What is known of the patches of one phase, and where their maps lie."""

    path: Path
    sides: Mapping[str, int]  # h of each score
    group: np.ndarray  # int [N], as all below
    strip: np.ndarray
    top: np.ndarray
    left: np.ndarray
    label: np.ndarray  # 0 for the phases of normals, as `defect`
    defect: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[slice, ScoreMaps]]:
        """Yield the maps of some scores, a few patches at a time, always the same ones together.

        Raises:
            InputError: a value is NaN, infinite or negative.
        """
        cells = sum(self.sides[name] ** 2 for name in names)
        step = max(1, MOST_CELLS // cells)
        with storage.opened(self.path, "numpy") as file:
            slices = {name: file.get_slice(name) for name in names}
            for start in range(0, len(self), step):
                rows = slice(start, min(start + step, len(self)))
                maps = {name: np.asarray(part[rows.start : rows.stop]) for name, part in slices.items()}
                for name, values in maps.items():
                    _check_values(self.path, name, values, start)
                yield rows, maps


def read_phases(folder: Path) -> dict[str, ScoreFile]:
    """Return the phases whose score maps lie in a folder, such as `artifacts.scores(run)`; none where there are none.

    Raises:
        InputError: a file is damaged or lacks something, the normals of val are missing, or phases have other scores.
    """
    paths = {phase: artifacts.score_maps(folder, phase) for phase in SCORED_PHASES}
    phases = {phase: read_score_file(path) for phase, path in paths.items() if path.exists()}
    if not phases:
        return {}
    if "val" not in phases:
        raise InputError(f"{paths['val']}: no such file; thresholds are fitted to the normals of val")
    for file in phases.values():
        if file.sides != phases["val"].sides:
            expected = ", ".join(f"{name} ({side} cells a side)" for name, side in phases["val"].sides.items())
            raise InputError(f"{file.path}: other scores than {paths['val'].name}; expected {expected}")
    return phases


def read_score_file(path: Path) -> ScoreFile:
    """Return the description of a file of score maps.

    Raises:
        InputError: it is missing or damaged, or lacks something.
    """
    with storage.opened(path, "numpy") as file:
        names = set(file.keys())
        if missing := [name for name in PLACE_COLUMNS if name not in names]:
            raise InputError(f"{path}: has no {', '.join(missing)}; delete it and make it again")
        columns = [name for name in (*PLACE_COLUMNS, *LABEL_COLUMNS) if name in names]
        arrays = {name: file.get_tensor(name).astype(np.int64) for name in columns}
        scores = sorted(names - set(columns))
        count = len(arrays["group"])
        sides = {name: _side(path, name, file.get_slice(name).get_shape(), count) for name in scores}
    arrays = dict.fromkeys(LABEL_COLUMNS, np.zeros(count, np.int64)) | arrays
    for name, array in arrays.items():
        _check(array.shape == (count,), path, name, array.shape, f"[{count}]")
    _check(bool(scores), path, "scores", "none", "at least one map, float32 [N, h, h]")
    return ScoreFile(path, sides, **arrays)


def cell_of(pixels: int, cells: int) -> np.ndarray:
    """Return the cell, along one side, that the middle of each pixel lies in."""
    return (2 * np.arange(pixels) + 1) * cells // (2 * pixels)


def enlarged(maps: np.ndarray, side: int) -> np.ndarray:
    """Return maps [n, h, h] on a finer grid [n, side, side]: each cell has the value of the one that it lies in."""
    nearest = cell_of(side, maps.shape[1])
    return maps[:, nearest][:, :, nearest]


def _side(path: Path, name: str, shape: Sequence[int], count: int) -> int:
    _check(len(shape) == 3 and shape[0] == count and shape[1] == shape[2] > 0, path, name, shape, f"[{count}, h, h]")
    return int(shape[1])


def _check(right: bool, path: Path, name: str, given: Any, expected: str) -> None:
    if not right:
        raise InputError(f"{path}: {name} is {given}, expected {expected}")


def _check_values(path: Path, name: str, maps: np.ndarray, first: int) -> None:
    """Raise an InputError where a value of the maps of patches `first` and on is NaN, infinite or negative."""
    if maps.size and not (maps.min() >= 0 and maps.max() < np.inf):  # NaN fails both
        wrong = ~((maps >= 0) & (maps < np.inf))
        row = int(wrong.any((1, 2)).argmax())
        text = f"score {name!r} of patch {first + row} is {maps[row][wrong[row]][0]}"
        raise InputError(f"{path}: {text}; expected finite values of 0 or more")
