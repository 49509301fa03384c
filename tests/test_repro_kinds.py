"""The stages of dvc.yaml with tiny images and tags: from params to the report, and the commands that look at a run."""

import csv
import json

import numpy as np
import pytest
from projects import make_project, run_stages, vaelab

pytestmark = pytest.mark.slow

IMAGES = {
    "datasets": {
        "photos": {"source": "photos", "size": 16, "crops": 48},
        "pages": {"source": "documents", "size": 16, "pages": 8, "page_height": 64, "page_width": 64},
    },
    "model": {"latent_dim": 6, "width": 4, "depth": 2},
    "train": {"epochs": 2, "batch_size": 8, "checkpoint_samples": 3, "metric": "auto"},
    "evaluate": {"samples": 20, "ocr": False},
    "visualize": {"prior_samples": 4, "examples": 3, "traversal_dimensions": 2, "traversal_steps": 3},
    "compare": {"samples": 4},
    "runs": {
        "map": {"data": "photos", "model": {"latent": "map", "latent_channels": 2, "init": "pca", "output": "linear"}},
        "vector": {"data": "photos", "model": {"conditional": True}, "evaluate": {"prior": "mixture"}},
        "page": {"data": "pages"},
    },
}


def test_image_runs_from_params_to_report_and_commands(tmp_path):
    folder = make_project(tmp_path, IMAGES)
    run_stages(folder)
    for run in ("map", "vector", "page"):
        pictures = {path.stem for path in (folder / "plots/runs" / run).glob("*.png")}
        assert {"reconstructions", "best_and_worst", "error_maps", "radial_spectra", "prior_samples"} <= pictures
        assert (folder / f"plots/runs/{run}/epochs.gif").stat().st_size > 0
    report = (folder / "metrics/comparison_report.txt").read_text()
    assert "Data set photos" in report
    assert "Data set pages" in report  # runs on different data are never ranked against each other
    assert "better than baseline" in (folder / "metrics/comparison_report.md").read_text()
    page = json.loads((folder / "metrics/evaluate/page.json").read_text())["test"]
    assert {"text_psnr", "ink_mse"} <= page.keys()
    assert "psnr" in page["floors"]["white_page"]
    output = vaelab(folder, "quality", "map", "--analyze-latents", "--save-path", "q.png")
    assert "verdict:" in output
    assert (folder / "q.png").stat().st_size > 0
    vaelab(folder, "embed", "map", "photos:test", "--out", "z.npy")
    assert np.load(folder / "z.npy").shape[1] == 32  # 2 channels of 4 x 4


TAGS = {
    "datasets": {
        "tags": {"source": "tags", "rows": 400, "topics": 4, "topic_tags": 4, "tail_tags": 6},
        "rows": {"source": "tags_csv", "path": "data/raw/rows.csv", "id": "id", "group": "colour"},
    },
    "model": {"latent_dim": 4, "hidden": [16]},
    "train": {"epochs": 2, "batch_size": 16, "checkpoint_samples": 3},
    "visualize": {"prior_samples": 4, "traversal_dimensions": 2, "traversal_steps": 3},
    "compare": {"samples": 4},
    "runs": {
        "bce_seed0": {"data": "tags"},
        "bce_seed1": {"data": "tags", "train": {"seed": 1}},
        "multinomial": {"data": "tags", "model": {"output": "softmax"}, "loss": {"terms": {"multinomial": 1.0}}},
        "rows": {"data": "rows", "model": {"tied": True}},
    },
}
B6 = (
    "configuration", "test_loss", "test_bce", "test_kld", "hamming_loss", "jaccard_index", "pct_active_units",
    "silhouette_score", "pct_unique_combinations", "entropy", "gini_coefficient", "cosine_similarity", "kl_divergence",
)  # fmt: skip


def test_tag_runs_from_params_to_report(tmp_path):
    folder = make_project(tmp_path, TAGS)
    random = np.random.default_rng(0)
    lines = [
        f"{row},{'|'.join(f'tag {k}' for k in range(9) if random.random() < 0.3 + 0.4 * (k % 2 == row % 2))},c{row % 2}"
        for row in range(200)
    ]
    (folder / "data/raw/rows.csv").write_text("\n".join(["id,tags,colour", *lines]) + "\n")
    run_stages(folder)
    for run in TAGS["runs"]:
        pictures = {path.stem for path in (folder / "plots/runs" / run).glob("*.png")}
        assert {"reconstructions", "tag_quality", "cooccurrence", "combinations", "prior_samples"} <= pictures
    with (folder / "metrics/comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0])[: len(B6)] == B6
    assert {row["configuration"] for row in rows} == set(TAGS["runs"])
    assert all(float(row[name]) == float(row[name]) for row in rows for name in B6[1:])
    report = (folder / "metrics/comparison_report.txt").read_text()
    assert "Data set rows" in report
    assert "Data set tags" in report
    assert "<html" in (folder / "metrics/comparison_report.html").read_text()
