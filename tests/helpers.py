"""Small builders that the tests share: tiny grids and images, a tiny run and a tiny prepared data set of each kind."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hypothesis import settings
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.info import DataInfo, image_info, tags_info
from vaelab.data.format.prepared import write
from vaelab.errors import InputError
from vaelab.params.base import has_effect
from vaelab.params.datasets import SETTINGS
from vaelab.params.loss import Terms
from vaelab.params.resolve import Resolved, merge, resolve
from vaelab.params.schema import Options, Run

CANVAS = 8
steady = settings(deadline=None, max_examples=50, derandomize=True)  # hypothesis: no clock, the same examples each time
TINY: dict[str, Any] = {
    "model": {"width": 4, "depth": 2, "latent_dim": 4},
    "train": {"epochs": 2, "batch_size": 8, "checkpoint_samples": 3},
    "evaluate": {"batch_size": 8, "samples": 8},
    "visualize": {"prior_samples": 4, "traversal_dimensions": 2, "traversal_steps": 3},
}
TINY_OF_KIND: dict[str, dict[str, Any]] = {
    "grid": {
        "model": {"name": "conv"}, "loss": {"terms": {"cross_entropy": 1.0, "extent": 1.0}},
        "train": {"metric": "macro_f1"},
    },
    "image": {"model": {"name": "conv"}, "loss": {"terms": {"gaussian": 1.0}}, "train": {"metric": "psnr"}},
    "tags": {
        "model": {"name": "mlp", "hidden": [8]}, "loss": {"terms": {"bce": 1.0}}, "train": {"metric": "lrap"},
        "evaluate": {"tag_samples": 40},
    },
}  # fmt: skip
SIZE = 16  # of the images, pixels
GROUPS = ("left", "right")


def tiny_run(name: str = "tiny", data: str = "tiny", kind: str = "grid", **blocks: dict[str, Any]) -> Run:
    """Return a complete run with a tiny model; `blocks` are laid over it: tiny_run(loss={"beta": 0.5})."""
    values = merge(merge(TINY, TINY_OF_KIND[kind]), blocks)
    return Run.model_validate({"name": name, "data": data, "kind": kind, "preset": None, **values})


PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
KIND_OF_SOURCE = {model.model_fields["source"].annotation.__args__[0]: model.kind for model in SETTINGS}


@cache
def _raw() -> dict[str, Any]:
    return yaml.safe_load(PARAMS.read_text())


def without_suites() -> dict[str, Any]:
    """Return params.yaml of the repository but for its suites, which take long to write and to read."""
    return {name: value for name, value in _raw().items() if name != "suites"}


def only_for(runs: dict[str, Any]) -> dict[str, Any]:
    """Return what these runs read of params.yaml of the repository: a hundredth of the time of all of it.

    Left out are suites, data sets and presets that no run names, and base values that are the defaults.
    """
    raw, defaults = without_suites(), Options().model_dump()
    datasets = {run["data"] for run in runs.values()}
    presets = {run.get("preset", name) for name, run in runs.items()}
    return {
        "datasets": {name: values for name, values in raw["datasets"].items() if name in datasets},
        **{block: _less(raw.get(block, {}), values) for block, values in defaults.items()},
        "compare": raw["compare"],
        "presets": {name: values for name, values in raw["presets"].items() if name in presets},
        "runs": runs,
    }


def _less(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != defaults[name]}


def terms_of(kind: str) -> list[str]:
    """Return the terms of the objective that are for a kind of data."""
    return [name for name, field in Terms.model_fields.items() if has_effect(field, kind)]


def preset_runs(preset: str, folder: Path) -> list[Run]:
    """Return a run with a preset of the repository's params.yaml on each kind of data there that it fits."""
    raw, runs = without_suites(), []
    datasets = raw["datasets"]
    if raw["presets"][preset].get("model", {}).get("features"):  # which need larger pictures than those there
        datasets = {"textures": datasets["textures"] | {"size": 256}}
    for data in {KIND_OF_SOURCE[values["source"]]: name for name, values in datasets.items()}.values():
        tried = only_for({"tried": {"data": data, "preset": preset}}) | {"datasets": {data: datasets[data]}}
        found = _resolved(tried, folder / "preset.yaml")
        if found and not any(warning.startswith("run ") for warning in found.warnings):
            runs.append(found.runs["tried"])
    return runs


def _resolved(values: dict[str, Any], path: Path) -> Resolved | None:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    try:
        return resolve(path)
    except InputError:
        return None


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
    return DataInfo("grid", (canvas, canvas), ("input", "output"), mean_elements, names, tuple(counts), background=0)


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


def random_tags(count: int, tags: int = 12, seed: int = 0) -> Tensor:
    """Return uint8 [count, tags]: each row has most tags of one of three topics, and a few others."""
    generator = torch.Generator().manual_seed(seed)
    topic = torch.arange(count) % 3
    likely = (torch.arange(tags) % 3).unsqueeze(0) == topic.unsqueeze(1)
    return (torch.rand(count, tags, generator=generator) < torch.where(likely, 0.7, 0.05)).to(torch.uint8)


def tag_info(x: Tensor) -> DataInfo:
    """Return the description of data with such training rows [N, D]; three groups."""
    names = [f"tag_{number:02d}" for number in range(x.shape[1])]
    return tags_info(names, x.sum(0).tolist(), len(x), ("red", "green", "blue"))


def write_tags(folder: Path, n_train: int = 48, n_val: int = 24, n_test: int = 24, seed: int = 0) -> DataInfo:
    """Write a prepared data set of random rows of 12 tags, and return its description."""
    sizes = {"train": n_train, "val": n_val, "test": n_test}
    splits = {
        phase: {"x": random_tags(n, seed=3 * seed + i).numpy(), "group": (np.arange(n) % 3).astype(np.uint8)}
        for i, (phase, n) in enumerate(sizes.items())
    }
    info = tag_info(torch.from_numpy(splits["train"]["x"]))
    write(folder, info, splits, {"source": "tests/helpers.py"})
    return info


def random_images(count: int, channels: int = 1, size: int = SIZE, seed: int = 0) -> Tensor:
    """Return uint8 [count, channels, size, size]: four by four random values, smoothly enlarged, and a little noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    smooth = F.interpolate(coarse, (size, size), mode="bilinear")
    noisy = smooth + 0.02 * torch.randn(smooth.shape, generator=generator)
    return (noisy.clamp(0, 1) * 255).round().to(torch.uint8)


def unit(images: Tensor) -> Tensor:
    """Return uint8 images as the models get them, float in [0, 1]."""
    return images.float() / 255


def write_images(
    folder: Path,
    n_train: int = 24,
    n_val: int = 8,
    n_test: int = 8,
    seed: int = 0,
    channels: int = 1,
    size: int = SIZE,
    text: bool = False,
) -> DataInfo:
    """Write a prepared data set of random images of two groups in turn, and return its description.

    With `text` they are patches of one page per split, four to a row, with a text box in the middle of each.
    """
    info = image_info(channels, size, GROUPS)
    splits = {}
    for number, (phase, count) in enumerate({"train": n_train, "val": n_val, "test": n_test}.items()):
        order = np.arange(count, dtype=np.int32)
        arrays = {"x": random_images(count, channels, size, 3 * seed + number).numpy()}
        arrays["group"] = (order % len(GROUPS)).astype(np.uint8)
        if text:
            box = np.zeros((count, size, size), np.uint8)
            box[:, size // 4 : -size // 4, size // 4 : -size // 4] = 1
            arrays |= {"text": box, "page": 0 * order, "top": order // 4 * size, "left": order % 4 * size}
        splits[phase] = arrays
    write(folder, info, splits, {"source": "tests/helpers.py"})
    return info
