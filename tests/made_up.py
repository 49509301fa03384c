"""Small made-up data of known structure, in files as a user has them, and what the stages of a run say of them."""

import csv
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from helpers import only_for
from image_folders import encoded, write

from vaelab import artifacts, storage

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("train", "evaluate", "threshold", "diagnose")
SIDE = 32  # of the images, pixels
Files = dict[str, bytes]


class Project:
    """A folder with params.yaml in which stages run, in this process."""

    def __init__(self, folder: Path, datasets: dict[str, Any], runs: dict[str, Any]) -> None:
        self.folder = folder
        params = only_for(runs) | {"datasets": datasets}
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


def notes(diagnosis: dict[str, Any]) -> list[str]:
    """Return the causes that are mere notes."""
    return [one["cause"] for one in diagnosis["findings"] if one["severity"] == "note"]


def tag_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write rows of tags as a table with a column of joined tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "tags"], *([str(i), "|".join(row)] for i, row in enumerate(rows))])


def sparse_rows(count: int, topics: int = 8, tags: int = 6, more: float = 0.2, seed: int = 0) -> list[list[str]]:
    """Rows of one tag of one topic, with a second one of the same topic in a share `more` of them."""
    random, rows = np.random.default_rng(seed), []
    for _ in range(count):
        topic = random.integers(topics)
        number = 1 + (random.random() < more)
        rows.append([f"t{topic}_{tag}" for tag in random.choice(tags, number, replace=False)])
    return rows


def pictures(count: int, seed: int = 0, tilt: float = 0.0, contrast: float = 30.0) -> np.ndarray:
    """Smooth gray pictures uint8 [n, S, S]: sums of waves of up to 3 half cycles a side, and a little noise."""
    random, waves = np.random.default_rng([seed, count]), np.arange(4)
    basis = np.cos(np.pi * waves[:, None] * (np.arange(SIDE) + 0.5) / SIDE)
    size = contrast / (1 + waves[:, None] * (1 + tilt) + waves * (1 - tilt))
    fields = np.einsum("nij,iy,jx->nyx", random.normal(0, 1, (count, 4, 4)) * size, basis, basis)
    return levels(128 + fields + random.normal(0, 8, (count, SIDE, SIDE)))


def levels(x: np.ndarray) -> np.ndarray:
    """Values as pixels have them, uint8."""
    rounded: np.ndarray = np.rint(x.clip(0, 255)).astype(np.uint8)
    return rounded


def blemished(x: np.ndarray, seed: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Pictures with a small bright or dark disc each, and masks of the discs: both uint8 [n, S, S]."""
    random = np.random.default_rng([seed, 1])
    y, across = np.mgrid[:SIDE, :SIDE]
    centres = random.uniform(4, SIDE - 4, (2, len(x), 1, 1))
    inside = (y - centres[0]) ** 2 + (across - centres[1]) ** 2 <= 3.2**2
    return levels(x + strength * random.choice([-1, 1], (len(x), 1, 1)) * inside), levels(255.0 * inside)


def png(x: np.ndarray) -> bytes:
    """A picture as PNG."""
    return encoded(x, "PNG")


def jpeg(x: np.ndarray) -> bytes:
    """A picture as JPEG, at a quality at which it differs."""
    return encoded(x, "JPEG", quality=75)


def image_files(x: np.ndarray, folder: str, save: Callable[[np.ndarray], bytes] = png) -> Files:
    """Files of pictures in a folder, by name."""
    return {f"{folder}/{number:04d}.png": save(picture) for number, picture in enumerate(x)}


def grouped(groups: dict[str, np.ndarray], light: dict[str, dict[str, float]] | None = None) -> Files:
    """Files of groups of pictures in folders train (.6), val and test; `light` multiplies, by split and group."""
    files: Files = {}
    for group, x in groups.items():
        ends = [0, round(0.6 * len(x)), round(0.8 * len(x)), len(x)]
        for split, start, end in zip(("train", "val", "test"), ends, ends[1:], strict=False):
            factor = (light or {}).get(split, {}).get(group, 1.0)
            files |= image_files(levels(factor * x[start:end]), f"{split}/{group}")
    return files


def defective(
    count: int,
    strength: float,
    swap: bool = False,
    dirty: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
    *,
    dark: float = 1.0,
) -> Files:
    """Files of normals of two groups, and a third as many with defects and masks, for the source `folder_masks`.

    Args:
        count: normals of each group: half for training, a quarter each for val and test.
        strength: of the defects, levels.
        swap: each defective picture has the mask of the next.
        dirty: share of the normals of val that have a defect, and no mask.
        noise: standard deviation of what is added to the normals of val.
        seed: of everything.
        dark: factor on the values of group b, but in training.
    """
    files: Files = {}
    split: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    start, end = count // 2, count * 3 // 4
    for number, group in enumerate("ab"):
        x = pictures(count, seed + number, 0.5 - number)
        rows = np.arange(start, start + round(dirty * (end - start)))
        x[rows] = blemished(x[rows], 70 + number, strength)[0]
        x[start:end] = levels(x[start:end] + np.random.default_rng(seed).normal(0, noise, x[start:end].shape))
        ill, masks = blemished(pictures(count // 3, seed + 20 + number, 0.5 - number), seed + number, strength)
        if group == "b":
            x[start:], ill = levels(dark * x[start:]), levels(dark * ill)
        masks = np.roll(masks, swap, axis=0)
        files |= image_files(x, f"images/{group}/n") | image_files(ill, f"images/{group}/d")
        files |= image_files(masks, f"masks/{group}/d")
        names = [f"{group}/n/{place:04d}.png" for place in range(count)]
        parts = names[:start], names[start:end], [*names[end:], *(f"{group}/d/{i:04d}.png" for i in range(len(ill)))]
        for phase, part in zip(split, parts, strict=True):
            split[phase] += part
    return files | {f"{phase}.txt": "\n".join(names).encode() for phase, names in split.items()}


def folder(project: Path, name: str, files: Files, **options: Any) -> dict[str, Any]:
    """Write files as raw data of a project; return the data set that reads them."""
    write(project / "data/raw" / name, files)
    return {"source": "image_folder", "path": f"data/raw/{name}", "size": SIDE, "colour": "gray", **options}
