"""Prepared data sets, copied and broken: what the key `edits` of a file of plants asks for."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import storage
from vaelab.data.format import prepared

Arrays = dict[str, np.ndarray]  # of one phase, by name
Splits = dict[str, Arrays]
WRITTEN = ("examples", "files", "sha256")  # of meta.json, which the writer makes anew


def edit(source: Path, target: Path, acts: Sequence[Mapping[str, Any]], seed: int) -> None:
    """Write a copy of a prepared data set in which the acts were done, one after the other."""
    info, meta = prepared.read_info(source), prepared.read_meta(source)
    splits: Splits = {}
    for phase in meta["files"]:
        parts = [storage.read_tensors(path)[0] for path in prepared.split_files(source, phase)]
        splits[phase] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    random = np.random.default_rng(seed)
    for act in acts:
        ACTS[act["do"]](splits, act, info.groups, random)
    known = {*info.__dataclass_fields__, *WRITTEN}
    report = {key: value for key, value in meta.items() if key not in known}
    if "group_counts" in report:
        report["group_counts"] = {
            phase: {group: int((arrays["group"] == number).sum()) for number, group in enumerate(info.groups)}
            for phase, arrays in splits.items()
            if arrays
        }
    prepared.write(target, info, {phase: arrays for phase, arrays in splits.items() if arrays}, report)


def keep(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """Leave at most `count` examples of a group in the phases."""
    for phase in act["phases"]:
        of_group = splits[phase]["group"] == groups.index(act["group"])
        kept = ~of_group | (np.cumsum(of_group) <= act["count"])
        splits[phase] = {name: values[kept] for name, values in splits[phase].items()}


def gain(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """X → gain · (x − 128) + 128 + shift, plus normal noise, in units of 255; of one group where one is named."""
    for phase in act["phases"]:
        x, group = splits[phase]["x"], splits[phase]["group"]
        rows = group == groups.index(act["group"]) if "group" in act else np.ones(len(x), bool)
        noise = random.normal(0, act.get("noise", 0), x[rows].shape)
        changed = act["gain"] * (x[rows] - 128.0) + 128 + act.get("shift", 0) + noise
        x[rows] = np.rint(changed.clip(0, 255)).astype(np.uint8)


def swap_masks(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """Give a share of the defective images, all where none is named, the mask of the next of them."""
    for phase in act["phases"]:
        rows = np.sort(_chosen(np.flatnonzero(splits[phase]["label"]), act.get("share", 1.0), random))
        splits[phase]["mask"][rows] = np.roll(splits[phase]["mask"][rows], -1, axis=0)


def steal_normals(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """Give a share of the defective patches the pixels of test normals; labels and masks stay."""
    for phase in act["phases"]:
        rows = _chosen(np.flatnonzero(splits[phase]["label"]), act["share"], random)
        _replace(splits[phase], rows, splits["test"], np.arange(len(splits["test"]["x"])), random)


def contaminate(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """Give a share of the normals of a phase the pixels of defective patches."""
    for phase in act["phases"]:
        rows = _chosen(np.arange(len(splits[phase]["x"])), act["share"], random)
        _replace(splits[phase], rows, splits["defects"], np.flatnonzero(splits["defects"]["label"]), random)


def duplicate(splits: Splits, act: Mapping[str, Any], groups: Sequence[str], random: np.random.Generator) -> None:
    """Give a share of the examples of the phases the values of training examples."""
    for phase in act["phases"]:
        rows = _chosen(np.arange(len(splits[phase]["x"])), act["share"], random)
        _replace(splits[phase], rows, splits["train"], np.arange(len(splits["train"]["x"])), random)


ACTS: dict[str, Callable[[Splits, Mapping[str, Any], Sequence[str], np.random.Generator], None]] = {
    "keep": keep,
    "gain": gain,
    "swap_masks": swap_masks,
    "steal_normals": steal_normals,
    "contaminate": contaminate,
    "duplicate": duplicate,
}


def _chosen(rows: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    return random.choice(rows, round(share * len(rows)), replace=False)


def _replace(into: Arrays, rows: np.ndarray, source: Arrays, pool: np.ndarray, random: np.random.Generator) -> None:
    """Pixels of examples of the pool, of the same group where it has one, into these rows."""
    for row in rows:
        same = pool[source["group"][pool] == into["group"][row]]
        into["x"][row] = source["x"][random.choice(same if len(same) else pool)]
