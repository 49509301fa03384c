"""The one prepared format: data/prepared/<name>/{train,val,test}-00000.safetensors ... and meta.json.

`x` is uint8: grids [N, S, S], images [N, C, S, S] with C = 1 or 3, tags [N, D] of 0 and 1. Tags that take less room
so are stored sparsely in place of `x`: `count` int32 [N], how many tags each row has, and `columns` int32 [Σ count],
which, row after row, ascending. Beside it, where they exist:

- `group` [N]: index into the groups' names (role, layout, colour or gray ...);
- `valid` uint8 [N, S, S]: grids: cells inside a grid that is stored on a larger canvas;
- `text` uint8 [N, S, S]: documents, images with boxes of text: pixels inside a text box;
- `page`, `top`, `left` int32 [N]: beside `text`: the page that a patch was cut from, index into meta.json's
  `page_names`, and where, in pixels.

Data with defects hold normal examples only in train, val and test. What was cut from defective strips stands apart, in
`defects` (and `val_defects`, where the user wants labels to choose by), intact patches among it. Of these data all
phases have `strip` int32 [N], index into meta.json's `strip_names` (a strip, or an image, that no two of train, val
and test share), and `top` and `left` as above, in pixels of the strip. The phases of defects have beside it

- `label` uint8 [N]: 1 where the mask has a pixel;
- `defect` int32 [N]: index into meta.json's `defect_names`, of which the first is "none";
- `mask` uint8 [N, R·S, R·S]: 1 on defective pixels, in the resolution of the source: R is meta.json's `reduce`.

meta.json has, beside the info and what a source reports: `statistics` of inputs by split and group (statistics.py);
`cluster`, which examples are of one thing (clusters.py); and where a source compares its images `near_duplicates`:
pairs of two splits that are equal (`exact`), nearly so (`near`) or seem to show one thing (`alike`), and `images`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import storage
from vaelab.data.format.info import DEFECT_PHASES, PHASES, DataInfo
from vaelab.data.format.statistics import input_statistics
from vaelab.errors import InputError

SHARD_BYTES = 256 * 2**20  # of arrays in memory, after which a shard is written


class Writer:
    """Writes a prepared data set in bounded memory: examples are added in any order of phases, a few at a time.

    A folder is complete once it has a meta.json, which `finish` writes last; what an earlier writer left is removed.
    Bounded: a few times `shard_bytes`, while a shard is put together.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
        _remove_old(folder)
        self.folder = folder
        self.shard_bytes = shard_bytes
        self.bytes_waiting = dict.fromkeys(PHASES, 0)
        self.waiting: dict[str, list[dict[str, np.ndarray]]] = {phase: [] for phase in PHASES}
        self.files: dict[str, list[str]] = {phase: [] for phase in PHASES}
        self.examples = dict.fromkeys(PHASES, 0)
        self.digests: dict[str, str] = {}

    def add(self, phase: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Add examples: arrays by name, all of the same length (but `columns`), the same names at every call."""
        examples = len(arrays["count"] if "count" in arrays else arrays["x"])
        if not examples:
            return
        self.waiting.setdefault(phase, []).append(dict(arrays))
        self.examples[phase] = self.examples.get(phase, 0) + examples
        self.bytes_waiting[phase] = self.bytes_waiting.get(phase, 0) + sum(array.nbytes for array in arrays.values())
        if self.bytes_waiting[phase] >= self.shard_bytes:
            self._flush(phase)

    def finish(self, info: DataInfo, report: Mapping[str, Any]) -> None:
        """Write what waits, and meta.json: the info and `report` (source, licence, split rule, quarantined inputs ...).

        Raises:
            InputError: no example is left for training.
        """
        if not self.examples["train"]:
            raise InputError(f"{self.folder}: no example is left for the training split")
        for phase in self.waiting:
            self._flush(phase)
        meta = {**asdict(info), "examples": self.examples, "files": self.files, **report, "sha256": self.digests}
        meta["statistics"] = input_statistics(self.folder, self.files, info)
        storage.write_json(self.folder / "meta.json", meta)

    def _flush(self, phase: str) -> None:
        if not self.waiting[phase]:
            return
        files = self.files.setdefault(phase, [])
        parts, name = self.waiting[phase], f"{phase}-{len(files):05d}.safetensors"
        path = self.folder / name
        storage.write_tensors(path, {key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
        with path.open("rb") as file:
            self.digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
        files.append(name)
        self.waiting[phase], self.bytes_waiting[phase] = [], 0


def _remove_old(folder: Path) -> None:
    shards = (path for phase in (*PHASES, *DEFECT_PHASES) for path in folder.glob(f"{phase}-{'[0-9]' * 5}.safetensors"))
    try:
        for path in (folder / "meta.json", *shards):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error}") from None


def write(
    folder: Path,
    info: DataInfo,
    splits: Mapping[str, Mapping[str, np.ndarray]],
    report: Mapping[str, Any],
) -> None:
    """Write a prepared data set whose splits are in memory: for each phase its arrays by name."""
    writer = Writer(folder)
    for phase, arrays in splits.items():
        writer.add(phase, arrays)
    writer.finish(info, report)


def read_meta(folder: Path) -> dict[str, Any]:
    """Return meta.json of a prepared data set. Raises InputError when it is missing or damaged."""
    return storage.read_json(folder / "meta.json")


def read_info(folder: Path) -> DataInfo:
    """Return what a model must know of a prepared data set."""
    try:
        return DataInfo.from_dict(read_meta(folder))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'meta.json'}: not the description of a prepared data set ({error})") from None


def split_files(folder: Path, phase: str) -> list[Path]:
    """Return the shards of a split, in order; none for an empty split, or for defects where there are none."""
    try:
        files = read_meta(folder)["files"]
        return [folder / name for name in (files.get(phase, []) if phase in DEFECT_PHASES else files[phase])]
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'meta.json'}: lists no files of {phase} ({error})") from None


def read_rows(folder: Path, phase: str, name: str, ids: Sequence[int]) -> np.ndarray:
    """Return some examples of an array of a split, in the order of `ids`, [len(ids), ...].

    Raises:
        InputError: a file is missing or damaged, or has no such array.
    """
    found: dict[int, np.ndarray] = {}
    first = 0
    for path in split_files(folder, phase):
        with storage.opened(path, "numpy") as file:
            if name not in file.keys():  # noqa: SIM118
                raise InputError(f"{path}: has no array {name!r}; prepare the data again")
            part = file.get_slice(name)
            count = part.get_shape()[0]
            found |= {i: part[i - first : i - first + 1][0] for i in set(ids) if first <= i < first + count}
        first += count
    return np.stack([found[i] for i in ids])
