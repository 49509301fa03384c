"""Small made-up data of known structure, in files as a user has them, and what the stages of a run say of them."""

import csv
import os
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from image_folders import encoded, write

from vaelab import artifacts, storage

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("train", "evaluate", "threshold", "diagnose")
SIDE = 32  # of the images, pixels
NO_PICTURES = {"checkpoint_every": 1000}  # but the first

Files = dict[str, bytes]


class Project:
    """A folder with params.yaml in which stages run, in this process."""

    def __init__(self, folder: Path, datasets: dict[str, Any], runs: dict[str, Any]) -> None:
        self.folder = folder
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params |= {"datasets": datasets, "runs": runs, "suites": {}}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        self.stage("resolve")

    def stage(self, name: str, *words: str) -> None:
        """Run the script of a stage here."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "path", [*sys.path])
            patch.setattr(sys, "argv", [name, *words])
            runpy.run_path(str(ROOT / f"stages/{name}.py"), run_name="__main__")

    def diagnosed(self, run: str, data: str, weights_of: str | None = None) -> dict[str, Any]:
        """Return the diagnosis of a run after all of its stages; it may take the weights of another run."""
        if not (self.folder / artifacts.prepared(data) / "meta.json").exists():
            self.stage("prepare", data)
        if weights_of:
            shutil.copytree(self.folder / artifacts.models(weights_of), self.folder / artifacts.models(run))
        for name in STAGES[bool(weights_of) :]:
            self.stage(name, run)
        return storage.read_json(self.folder / artifacts.diagnosis(run))


def found(diagnosis: dict[str, Any]) -> list[str]:
    """Return the causes that were found, without mere notes."""
    return [one["cause"] for one in diagnosis["findings"] if one["severity"] != "note"]


def tag_table(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Write rows of tags as a table with a column of joined tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "tags"], *([str(i), "|".join(row)] for i, row in enumerate(rows))])
    return path


def sparse_rows(count: int, topics: int = 8, tags: int = 6, more: float = 0.2, seed: int = 0) -> list[list[str]]:
    """Rows of one tag of one topic, with a second one of the same topic in a share `more` of them."""
    random, rows = np.random.default_rng(seed), []
    for _ in range(count):
        topic = random.integers(topics)
        number = 1 + (random.random() < more)
        rows.append([f"t{topic}_{tag}" for tag in random.choice(tags, number, replace=False)])
    return rows


def pictures(count: int, seed: int = 0, tilt: float = 0.0, contrast: float = 30.0, side: int = SIDE) -> np.ndarray:
    """Smooth gray pictures uint8 [n, S, S]: sums of waves of up to 3 cycles a side, and a little noise."""
    random = np.random.default_rng([seed, count])
    waves = np.arange(4)
    place = (np.arange(side) + 0.5) / side
    basis = np.cos(np.pi * waves[:, None] * place)
    size = contrast / (1 + waves[:, None] * (1 + tilt) + waves * (1 - tilt))
    fields = np.einsum("nij,iy,jx->nyx", random.normal(0, 1, (count, 4, 4)) * size, basis, basis)
    levels = 128 + fields + random.normal(0, 8, (count, side, side))
    return np.rint(levels.clip(0, 255)).astype(np.uint8)


def blemished(x: np.ndarray, seed: int = 0, strength: float = 90.0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures with a small bright or dark disc each, and masks of the discs: both uint8 [n, S, S]."""
    random, side = np.random.default_rng([seed, 1]), x.shape[1]
    y, across = np.mgrid[:side, :side]
    centres = random.uniform(4, side - 4, (2, len(x), 1, 1))
    inside = (y - centres[0]) ** 2 + (across - centres[1]) ** 2 <= 3.2**2
    change = strength * random.choice([-1, 1], (len(x), 1, 1))
    return np.rint((x + change * inside).clip(0, 255)).astype(np.uint8), (255 * inside).astype(np.uint8)


def png(x: np.ndarray) -> bytes:
    """The bytes of a picture as PNG."""
    return encoded(x, "PNG")


def image_files(x: np.ndarray, folder: str, save: Callable[[np.ndarray], bytes] = png) -> Files:
    """Files of pictures by their names in a folder."""
    return {f"{folder}/{number:04d}.png": save(picture) for number, picture in enumerate(x)}
