"""Strips of AITEX in all three layouts, from files to thresholds: each finds most of the defects."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import only_for
from PIL import Image

from vaelab import artifacts, storage
from vaelab.anomaly.threshold import threshold_run
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.fabric.aitex import fabric_start
from vaelab.evaluation.scores.scoring import write_scores
from vaelab.params.resolve import read_params, resolve
from vaelab.training.loop import fit

REALDATA = os.environ.get("VAELAB_REALDATA")
FABRIC, SIDE = "03", 256
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set"),
]


@pytest.fixture(scope="module")
def strips():
    """The strips of a fabric: name, defect or none, gray pixels from the fabric on, mask; both [256, W]."""
    root, found = Path(REALDATA) / "aitex_subset", []
    with (root / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["fabric"] == FABRIC]
    for row in rows:
        gray = np.asarray(Image.open(root / row["path"]).convert("LA").getchannel("L"))
        mask = np.zeros_like(gray)
        for path in sorted((root / "Mask_images").glob(f"{Path(row['path']).stem}_mask*.png")):
            mask = np.maximum(mask, np.asarray(Image.open(path).convert("LA").getchannel("L")))
        start = (fabric_start(gray) or 0) + 150
        defect = row["defect_name"] if row["is_defect"] == "1" else "none"
        found.append((Path(row["path"]).stem, defect, gray[:, start:], mask[:, start:]))
    return found


def saved(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def squares(gray, mask):
    for left in range(0, gray.shape[1] - SIDE + 1, SIDE):
        yield left, gray[:, left : left + SIDE], mask[:, left : left + SIDE]


def mvtec(root, strips):
    """One category: normal strips to train on but for the last three, cut into squares."""
    normals = [strip for strip in strips if strip[1] == "none"]
    for number, (name, _, gray, mask) in enumerate(normals):
        folder = "train/good" if number < len(normals) - 3 else "test/good"
        for left, square, _ in squares(gray, mask):
            saved(root / folder / f"{name}_{left:04d}.png", square)
    for name, defect, gray, mask in strips:
        for left, square, its in squares(gray, mask) if defect != "none" else ():
            if (its >= 128).any():
                kind = defect.replace(" ", "_")
                saved(root / "test" / kind / f"{name}_{left:04d}.png", square)
                saved(root / "ground_truth" / kind / f"{name}_{left:04d}_mask.png", its)
    return {"source": "mvtec", "path": str(root), "colour": "gray", "size": SIDE // 2, "reduce": 2}


def folder_masks(root, strips):
    """Whole strips, masks beside those that have a defect."""
    for name, defect, gray, mask in strips:
        saved(root / "images" / FABRIC / f"{name}.png", gray)
        if defect != "none":
            saved(root / "masks" / FABRIC / f"{name}_mask.png", mask)
    return {
        "source": "folder_masks", "path": str(root), "mask_suffix": "_mask", "colour": "gray", "size": SIDE // 2,
        "reduce": 2, "normalise": "local", "val_defects": 0.3,
    }  # fmt: skip


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A function from a data set and options of threshold to what is found after one epoch of fabric_local."""
    monkeypatch.chdir(tmp_path)

    def run(dataset, *thresholds, preset="fabric_local"):
        entry = {"data": "cloth", "preset": preset, "train": {"epochs": 1}}
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(only_for({"tried": entry}) | {"datasets": {"cloth": dataset}}))
        data = artifacts.prepared("cloth")
        prepare(read_params(path).datasets["cloth"], data)
        tried = resolve(path).runs["tried"]
        fit(tried, data, artifacts.models("tried"), lambda snapshot, info: None)
        write_scores(tried, artifacts.models("tried") / "model.safetensors", data)
        for changes in thresholds:
            threshold_run("tried", "cloth", tried.threshold.model_copy(update={"bootstrap": 0, **changes}))
            yield storage.read_json(artifacts.thresholds("tried") / "summary.json")

    return run


def test_squares_in_the_layout_of_mvtec(found, strips, tmp_path):
    (summary,) = found(mvtec(tmp_path / "raw", strips), {"relative": "none"})
    assert summary["defect_patches"] == len(list((tmp_path / "raw/ground_truth").glob("*/*.png")))
    assert summary["test_normals"] == len(list((tmp_path / "raw/test/good").glob("*.png")))
    assert summary["roc_auc"] > 0.85
    assert summary["aupro"] > 0.7
    assert not any(read_meta(artifacts.prepared("cloth"))["pairing"].values())


def test_strips_and_masks_in_folders_and_a_threshold_by_labels(found, strips, tmp_path):
    by_percentile, by_f1 = found(folder_masks(tmp_path / "raw", strips), {}, {"method": "max_f1"})
    whole = sum(1 for _, defect, _, mask in strips if defect != "none" and (mask >= 128).any())
    assert by_percentile["defect_strips"] < whole, "some are set apart to choose by"
    assert by_percentile["roc_auc"] == by_f1["roc_auc"] > 0.85
    assert by_f1["f1"] > 0.7 * by_f1["f1_max"]
    assert by_f1["threshold"] != by_percentile["threshold"]


def test_features_of_squares_go_from_files_to_a_threshold(found, strips, tmp_path):
    (summary,) = found(mvtec(tmp_path / "raw", strips) | {"size": 256, "reduce": 1}, {}, preset="object_local")
    assert 0.3 < summary["roc_auc"] < 1  # features see the batch of yarn more than a defect: docs/anomaly.md
    maps, _ = storage.read_tensors(artifacts.score_maps(artifacts.scores("tried"), "defects"))
    assert maps["residual"].shape[1:] == maps["feature_mahalanobis"].shape[1:] == (8, 8)
