"""Made-up score maps of a run, and the prepared data with masks that they are of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import artifacts, storage
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import write

RUN, DATA = "planted", "cloth"
SIDE, MASK = 8, 32  # of the maps in cells, and of the masks in pixels
GROUPS = ("denim", "linen")
DEFECTS = ("none", "knot", "crack", "stain")
SCORES = ("residual", "mahalanobis", "pca_residual")
PER_STRIP = 10
STRIPS = {"val": 6, "test": 6, "defects": 8, "val_defects": 4}

Arrays = dict[str, np.ndarray]


def strip_numbers(phase: str, count: int) -> np.ndarray:
    first = {name: 100 * number for number, name in enumerate(STRIPS)}[phase]
    return first + np.arange(count) // PER_STRIP


def masks_of(count: int, rng: np.random.Generator, side: int) -> np.ndarray:
    """One to three blobs in every third patch, the smallest of a single pixel."""
    masks = np.zeros((count, side, side), np.uint8)
    for patch in range(0, count, 3):
        for _ in range(rng.integers(1, 4)):
            top, left = rng.integers(0, side - 1, 2)
            height, width = rng.integers(1, 7, 2)
            masks[patch, top : top + height, left : left + width] = 1
    return masks


def cells_of(masks: np.ndarray, side: int) -> np.ndarray:
    """Share of each cell that is defective [N, h, h]."""
    step = masks.shape[1] // side
    return masks.reshape(len(masks), side, step, side, step).mean((2, 4))


def scores_of(shares: np.ndarray, group: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Positive scores, of another size and spread in each group, higher where a cell is defective."""
    noise = rng.standard_normal(shares.shape)
    wide = 1 + group.reshape(-1, 1, 1)
    return np.exp(0.3 * wide * (noise + strength * (shares > 0)) + 2 * wide).astype(np.float32)


def planted(seed: int = 0, strength: float = 2.5) -> dict[str, Arrays]:
    """Arrays of every phase: score maps, places, and in the phases of defects labels and masks."""
    rng = np.random.default_rng(seed)
    phases = {}
    for phase, strips in STRIPS.items():
        count = strips * PER_STRIP
        order = np.arange(count, dtype=np.int32)
        strip = strip_numbers(phase, count)
        arrays: Arrays = {
            "group": (strip % 2).astype(np.int32), "strip": strip.astype(np.int32),
            "top": 0 * order, "left": order % PER_STRIP * MASK,
        }  # fmt: skip
        masks = np.zeros((count, MASK, MASK), np.uint8)
        if "defects" in phase:
            masks = masks_of(count, rng, MASK)
            label = masks.any((1, 2))
            kind = np.where(label, 1 + order // PER_STRIP % (len(DEFECTS) - 1), 0)
            arrays |= {"label": label.astype(np.uint8), "defect": kind.astype(np.int32), "mask": masks}
        for number, name in enumerate(SCORES):
            arrays[name] = scores_of(cells_of(masks, SIDE), arrays["group"], rng, strength / (1 + number))
        phases[phase] = arrays
    return phases


def write_planted(phases: Mapping[str, Arrays], shards: int = 2, **meta: Any) -> None:
    """Write the score maps of RUN and the prepared data DATA, in the working directory."""
    for phase, arrays in phases.items():
        kept = {name: array for name, array in arrays.items() if name != "mask"}
        storage.write_tensors(artifacts.score_maps(artifacts.scores(RUN), phase), kept)
    folder = artifacts.prepared(DATA)
    images = {"x": np.zeros((1, 1, 4, 4), np.uint8)}
    strips = [f"strip_{number:03d}" for number in range(100 * len(STRIPS))]
    report = {"strip_names": strips, "defect_names": DEFECTS, "reduce": 1, **meta}
    write(folder, image_info(1, 4, GROUPS), {"train": images}, report)
    listed = storage.read_json(folder / "meta.json")
    for phase in ("defects", "val_defects"):
        if phase in phases and "mask" in phases[phase]:
            names = [f"{phase}-{number:05d}.safetensors" for number in range(shards)]
            for name, part in zip(names, np.array_split(phases[phase]["mask"], shards), strict=True):
                storage.write_tensors(folder / name, {"mask": part})
            listed["files"][phase] = names
    storage.write_json(folder / "meta.json", listed)


def remove_planted() -> None:
    """Take away the score maps of RUN."""
    for path in Path("data/scores", RUN).glob("anomaly-*.safetensors"):
        path.unlink()
