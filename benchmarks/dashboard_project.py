"""A made-up project of 100,000 rows of tags and 20,000 small images, to measure the dashboard on: python ... FOLDER."""

import os
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import numpy as np
from helpers import random_images, tiny_run

from vaelab import artifacts, storage
from vaelab.data.format.info import image_info, tags_info
from vaelab.data.format.prepared import write
from vaelab.training.loop import fit

ROWS, TAGS, IMAGES, SIDE = 100_000, 200, 20_000, 16
HELD_OUT = 2_000  # examples of val and of test


def rows(count: int, seed: int) -> np.ndarray:
    """Rows of tags of ten topics, uint8 [count, TAGS]."""
    random = np.random.default_rng(seed)
    likely = np.arange(TAGS)[None] % 10 == random.integers(0, 10, count)[:, None]
    return (random.random((count, TAGS), np.float32) < np.where(likely, 0.4, 0.01)).astype(np.uint8)


def main() -> None:
    """Prepare, train, evaluate and diagnose a run of each."""
    os.chdir(sys.argv[1])
    Path("params.yaml").write_text("compare: {}\n")
    Path("dvc.yaml").write_text("stages: {}\n")
    sizes = {"train": ROWS, "val": HELD_OUT, "test": HELD_OUT}
    splits = {
        p: {"x": rows(n, i), "group": np.arange(n, dtype=np.int32) % 10} for i, (p, n) in enumerate(sizes.items())
    }
    names, groups = [f"tag_{i:03d}" for i in range(TAGS)], tuple(f"topic_{i}" for i in range(10))
    info = tags_info(names, splits["train"]["x"].sum(0, dtype=np.int64).tolist(), ROWS, groups)
    write(artifacts.prepared("many_rows"), info, splits, {"source": "benchmarks/dashboard_project.py"})
    sizes["train"] = IMAGES
    splits = {
        p: {"x": random_images(n, 1, SIDE, i).numpy(), "group": np.arange(n, dtype=np.int32) % 2}
        for i, (p, n) in enumerate(sizes.items())
    }
    info = image_info(1, SIDE, ("left", "right"))
    write(artifacts.prepared("many_images"), info, splits, {"source": "benchmarks/dashboard_project.py"})
    for name, kind in (("many_rows", "tags"), ("many_images", "image")):
        blocks = {"train": {"epochs": 1, "batch_size": 512}, "evaluate": {"batch_size": 512, "tag_samples": 200}}
        run = tiny_run(name, name, kind, **blocks)
        storage.write_yaml(artifacts.resolved(name), run.model_dump(mode="json"))
        fit(run, artifacts.prepared(name), artifacts.models(name), lambda snapshot, info: None)
        for stage in ("evaluate", "threshold", "diagnose"):
            sys.argv = [stage, name]
            runpy.run_path(str(ROOT / f"stages/{stage}.py"), run_name="__main__")


if __name__ == "__main__":
    main()
