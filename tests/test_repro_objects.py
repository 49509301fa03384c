"""Objects with planted blemishes through the stages: a model of features beside one of pixels on the same pictures."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from projects import make_project, run_stages, vaelab
from scipy import ndimage

pytestmark = pytest.mark.slow

SIDE, NORMALS, BLEMISHED = 160, 24, 8
LOCAL = {"name": "local", "latent": "map", "latent_channels": 8, "hidden": [16], "init": "pca", "output": "linear",
         "learned_sigma": True}  # fmt: skip
OBJECTS = {
    "datasets": {"rings": {"source": "folder_masks", "path": "data/raw/rings", "size": SIDE, "reduce": 1,
                           "colour": "gray", "group_by": "ring([0-9]+)"}},
    "model": LOCAL,
    "loss": {"terms": {"gaussian": 1.0}},
    "train": {"epochs": 2, "batch_size": 4, "checkpoint_samples": 3},
    "evaluate": {"samples": 8, "scores": ["residual", "mixture"]},
    "threshold": {"scores": ["residual", "mixture"], "aggregation": "top_k", "top_k": 4, "bootstrap": 50},
    "visualize": {"prior_samples": 4, "examples": 3, "traversal_dimensions": 2, "traversal_steps": 3},
    "compare": {"samples": 4},
    "runs": {
        "features": {"data": "rings", "model": {"features": "imagenet"}},
        "pixels": {"data": "rings"},
    },
}  # fmt: skip


def ring(number, blemished):
    """A bright ring somewhere near the middle, under its own light, and the mask of a dark cross-shaped scratch."""
    random = np.random.default_rng([number, blemished])
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + random.uniform(-6, 6, 2).reshape(2, 1, 1)
    radius = np.hypot(rows, columns)
    image = np.where((radius < 62) & (radius > 22), 0.6, 0.15) + 0.03 * random.standard_normal((SIDE, SIDE))
    image = (
        ndimage.gaussian_filter(image, 0.8) * random.uniform(0.8, 1.2) * (1 + random.uniform(-0.2, 0.2) * rows / SIDE)
    )
    mask = np.zeros((SIDE, SIDE), bool)
    if blemished:
        angle = random.uniform(0, 2 * np.pi)
        row, column = (SIDE / 2 + 40 * np.array([np.sin(angle), np.cos(angle)])).astype(int)
        mask[row - 9 : row + 10, column - 1 : column + 2] = mask[row - 1 : row + 2, column - 9 : column + 10] = True
        image = np.where(mask, 0.05, image)
    return image, mask


def write_rings(root):
    for number in range(NORMALS + BLEMISHED):
        for where, array in zip(("images", "masks"), ring(number, number >= NORMALS), strict=True):
            (root / where).mkdir(parents=True, exist_ok=True)
            pixels = (np.clip(array, 0, 1) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / where / f"ring{number // 2:02d}_{number % 2}.png")


def test_a_model_of_features_goes_through_all_stages_beside_one_of_pixels(tmp_path):
    folder = make_project(tmp_path, OBJECTS)
    write_rings(folder / "data/raw/rings")
    run_stages(folder)
    with (folder / "data/thresholds/features/scores.csv").open(newline="") as file:
        reached = {row["score"]: float(row["roc_auc"]) for row in csv.DictReader(file)}
    assert {"combined", "residual", "mixture", "feature_mahalanobis", "pca_residual", "pca_mahalanobis"} == set(reached)
    assert reached["residual"] > 0.9
    metrics = json.loads((folder / "metrics/evaluate/features.json").read_text())["test"]
    assert metrics["psnr"] > metrics["floors"]["mean_image"]["psnr"]
    assert metrics["ssim"] is None
    assert metrics["references"] == {}
    pictures = {path.stem for path in (folder / "plots/runs/features").glob("*.png")}
    assert {"reconstructions", "error_maps", "prior_samples", "traversals"} <= pictures
    assert (folder / "plots/runs/features/defects.gif").stat().st_size > 0
    assert (folder / "plots/comparison/defects/features/missed.png").stat().st_size > 0
    kept = {path.stem for path in (folder / ".scratch/features").glob("*/*.safetensors")}
    assert kept == {"train", "val", "test", "defects", "val_defects", "scale"}
    report = (folder / "metrics/comparison_report.txt").read_text()
    told = " ".join(report.split())
    assert "Mixed likelihoods (gaussian and gaussian of imagenet s32a): distortion" in told
    assert "features not ranked: PSNR is of features there" in told
    assert "sees features of a network" in vaelab(folder, "quality", "features", code=2)
