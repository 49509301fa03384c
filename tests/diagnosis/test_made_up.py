"""Made-up data with one thing wrong, or nothing, through all stages: what was wrong is the finding, and the only one.

Runs whose training data are those of a healthy twin take its weights.
"""

from typing import Any

import pytest
from made_up import Project, defective, folder, found, grouped, image_files, jpeg, pictures, sparse_rows, tag_table

pytestmark = pytest.mark.slow

TAGS: dict[str, Any] = {
    "data": "sparse",
    "model": {"latent_dim": 16, "hidden": [64], "norm": "none"},
    "train": {"epochs": 8, "batch_size": 32, "learning_rate": 0.003, "checkpoint_every": 1000},
    "evaluate": {"tag_samples": 300},
}
IMAGES: dict[str, Any] = {
    "model": {"latent_dim": 16, "width": 4, "init": "pca", "output": "linear"},
    "train": {"epochs": 8, "batch_size": 16, "decay": "cosine", "linear_rate": 0.0, "checkpoint_every": 1000},
}


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """Rows of 1.2 tags in the mean; what the diagnosis of a run with other options says."""
    place = tmp_path_factory.mktemp("sparse")
    tag_table(place / "data/raw/sparse.csv", sparse_rows(800))
    split = {"train": 0.6, "val": 0.2, "test": 0.2}
    data = {"sparse": {"source": "tags_csv", "path": "data/raw/sparse.csv", "id": "id", "split": split}}
    runs = {f"beta_{beta}": {**TAGS, "loss": {"beta": float(beta)}} for beta in (1, 4, 8, 20)}
    longer = {**TAGS["train"], "epochs": 30, "learning_rate": 0.005, "decay": "cosine"}
    runs["healthy"] = {**TAGS, "loss": {"beta": 0.3}, "train": longer}
    runs["silent"] = {**runs["healthy"], "evaluate": {**TAGS["evaluate"], "threshold": 0.9999}}
    return Project(place, data, runs)


@pytest.mark.parametrize("beta", [1, 4, 8, 20])
def test_sparse_tags_of_which_kl_leaves_nothing(sparse, beta):
    diagnosis = sparse.diagnosed(f"beta_{beta}", "sparse")
    assert found(diagnosis) == ["beta_too_high"]
    assert "loss.beta" in diagnosis["findings"][0]["prescriptions"][0]["changes"]


def test_sparse_tags_that_are_learned_and_a_threshold_that_none_reaches(sparse):
    assert found(sparse.diagnosed("healthy", "sparse")) == []
    assert found(sparse.diagnosed("silent", "sparse", "healthy")) == ["predicts_nothing"]


TWO = {"a": pictures(60, 1, 0.5), "b": pictures(60, 2, -0.5)}
SPLITS = {
    "healthy": grouped(TWO),
    "dim": grouped(TWO, {split: {"b": 0.9} for split in ("val", "test")}),
    "dark": grouped(TWO, {split: {"b": 0.5} for split in ("val", "test")}),
    "bright": grouped({name: x // 3 for name, x in TWO.items()}, {"test": {"a": 2.5}}),
    "dark_test": grouped(TWO, {"test": {"a": 0.5, "b": 0.5}}),
    "dark_group": grouped(TWO, {split: {"b": 0.4} for split in ("train", "val", "test")}),
    "copies": grouped(TWO) | image_files(TWO["a"][:3], "test/a"),
    "saved_again": grouped(TWO) | image_files(TWO["b"][:3], "val/b", jpeg),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two groups of smooth pictures; one thing is wrong in each data set."""
    place = tmp_path_factory.mktemp("images")
    data = {name: folder(place, name, files) for name, files in SPLITS.items()}
    project = Project(place, data, {name: {"data": name, **IMAGES} for name in data})
    return project, project.diagnosed("healthy", "healthy")


def test_pictures_of_two_groups_are_healthy(images):
    assert found(images[1]) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dim", []),
        ("dark", ["group_shift"]),
        ("dark_test", ["input_range"]),
        ("copies", ["leakage"]),
        ("saved_again", ["leakage"]),
    ],
)
def test_what_is_wrong_with_held_out_pictures(images, name, expected):
    assert found(images[0].diagnosed(name, name, "healthy")) == expected


@pytest.mark.parametrize(("name", "expected"), [("bright", ["group_shift"]), ("dark_group", ["input_range"])])
def test_what_is_wrong_with_the_light_of_a_group(images, name, expected):
    assert found(images[0].diagnosed(name, name)) == expected


STRONG, FAINT = 70.0, 20.0  # defects, levels
DEFECTS = {
    "strong": defective(100, STRONG),
    "swapped": defective(100, STRONG, swap=True),
    "dirty": defective(100, STRONG, dirty=0.2),
    "noisy": defective(100, STRONG, noise=12),
    "faint": defective(100, FAINT),
    "swapped_faint": defective(100, FAINT, swap=True),
    "dark_swapped": defective(100, STRONG, swap=True, dark=0.5),
}


@pytest.fixture(scope="module")
def defects(tmp_path_factory):
    """Smooth pictures with discs, and their masks; the training normals of all data sets are the same."""
    place = tmp_path_factory.mktemp("defects")
    data = {name: folder(place, name, files, source="folder_masks", reduce=1) for name, files in DEFECTS.items()}
    runs = {name: {"data": name, **IMAGES} for name in data}
    runs["percentile"] = {**runs["faint"], "threshold": {"percentile": 99.99}}
    project = Project(place, data, runs)
    return project, project.diagnosed("strong", "strong")


def test_defects_that_are_found_are_healthy(defects):
    assert found(defects[1]) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("swapped", ["masks_misaligned"]),
        ("swapped_faint", ["masks_misaligned"]),
        ("dirty", ["calibration_shift"]),
        ("noisy", ["calibration_shift"]),
        ("faint", []),
        ("dark_swapped", ["masks_misaligned", "group_shift"]),
        ("percentile", ["threshold_too_high"]),
    ],
)
def test_what_is_wrong_with_masks_normals_and_thresholds(defects, name, expected):
    data = "faint" if name == "percentile" else name
    assert found(defects[0].diagnosed(name, data, "strong")) == expected
