"""Small builders that the tests share: tiny grids, their description, a tiny run and a tiny prepared data set."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import settings
from torch import Tensor

from vaelab.data.prepared import DataInfo, write
from vaelab.params.resolve import merge
from vaelab.params.schema import Run

CANVAS = 8
steady = settings(deadline=None, max_examples=50, derandomize=True)  # hypothesis: no clock, the same examples each time
TINY: dict[str, Any] = {
    "model": {"width": 4, "depth": 2, "latent_dim": 4},
    "loss": {"terms": {"cross_entropy": 1.0, "extent": 1.0}},
    "train": {"epochs": 2, "batch_size": 8, "checkpoint_samples": 3},
    "evaluate": {"batch_size": 8},
    "visualize": {"prior_samples": 4, "traversal_dimensions": 2, "traversal_steps": 3},
}


def tiny_run(name: str = "tiny", data: str = "tiny", **blocks: dict[str, Any]) -> Run:
    """Return a complete run with a tiny model; `blocks` are laid over it: tiny_run(loss={"beta": 0.5})."""
    values = merge(TINY, blocks)
    return Run.model_validate({"name": name, "data": data, "kind": "grid", "preset": None, **values})


def random_grids(count: int, classes: int = 4, seed: int = 0, canvas: int = CANVAS) -> Tensor:
    """Return int64 [count, canvas, canvas]: random classes in a random top-left extent, `classes` outside of it."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, classes, (count, canvas, canvas), generator=generator)
    height, width = torch.randint(1, canvas + 1, (2, count, 1, 1), generator=generator)
    place = torch.arange(canvas)
    outside = (place.view(1, -1, 1) >= height) | (place.view(1, 1, -1) >= width)
    return x.masked_fill(outside, classes)


def grid_info(classes: int = 4, x: Tensor | None = None, canvas: int = CANVAS) -> DataInfo:
    """Return the description of data with such training grids; without x, of data where class k has 10 · 2^k cells."""
    names = tuple(f"class_{number}" for number in range(classes))
    counts, mean_elements = [10 * 2**k for k in range(classes)], float(canvas * canvas)
    if x is not None:
        counts = torch.bincount(x.flatten(), minlength=classes + 1)[:classes].tolist()
        mean_elements = sum(counts) / max(1, len(x))
    return DataInfo("grid", (canvas, canvas), names, tuple(counts), 0, ("input", "output"), mean_elements)


def random_arrays(count: int, classes: int = 10, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the arrays of one split as they are stored: x, valid, group and task."""
    x = random_grids(count, classes, seed).numpy()
    valid = x < classes
    return {
        "x": np.where(valid, x, 0).astype(np.uint8),
        "valid": valid.astype(np.uint8),
        "group": (np.arange(count) % 2).astype(np.uint8),
        "task": np.arange(count, dtype=np.int32),
    }


def write_grids(folder: Path, n_train: int = 24, n_val: int = 8, n_test: int = 8, seed: int = 0) -> DataInfo:
    """Write a prepared data set of random grids, canvas 8 and 10 classes, and return its description."""
    sizes = {"train": n_train, "val": n_val, "test": n_test}
    splits = {phase: random_arrays(n, seed=3 * seed + i) for i, (phase, n) in enumerate(sizes.items())}
    info = grid_info(10, random_grids(n_train, 10, 3 * seed))
    write(folder, info, splits, {"source": "tests/helpers.py"})
    return info
