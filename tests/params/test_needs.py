"""Options that do nothing in a run are said: what networks and objectives read, against what is said of them."""

import pytest
import torch
import yaml
from helpers import (
    PARAMS,
    grid_info,
    random_grids,
    random_images,
    random_tags,
    tag_info,
    terms_of,
    tiny_run,
    unit,
    without_suites,
)  # fmt: skip

from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.models.image.linear_path import start_from_pca
from vaelab.objective.objective import Objective
from vaelab.params.base import Block, has_effect
from vaelab.params.blocks import Model
from vaelab.params.loss import Loss
from vaelab.params.needs import NEEDS, idle
from vaelab.params.resolve import resolve
from vaelab.params.schema import Options

INFOS = {"grid": grid_info(4), "image": image_info(1, 16, ("all",)), "tags": tag_info(random_tags(16))}
X = {"grid": random_grids(16, 4), "image": unit(random_images(16)), "tags": random_tags(16).float()}
NETWORKS = {
    "grids": ("grid", {}), "maps of grids": ("grid", {"latent": "map", "init": "pca"}),
    "tags": ("tags", {}), "vectors": ("image", {}), "maps": ("image", {"latent": "map"}),
    "local": ("image", {"name": "local", "latent": "map", "hidden": [4]}),
    "filtered": ("image", {"name": "filtered", "init": "pca", "output": "linear"}),
    "features": ("image", {"name": "local", "latent": "map", "hidden": [4], "features": "imagenet"}),
    "pca of vectors": ("image", {"init": "pca", "output": "linear"}),
    "pca of maps": ("image", {"init": "pca", "output": "linear", "latent": "map"}),
    "pca of local": ("image", {"name": "local", "latent": "map", "init": "pca", "output": "linear", "hidden": [4]}),
}  # fmt: skip
OTHERS = {"name", "latent", "feature_layer"}  # which network it is, and what it sees
WITH_NOTHING_SET = {"reduction", "beta", "free_bits", "capacity", "terms"}  # always read
ELSEWHERE = {"perceptual_layers", "perceptual_weights"}  # read by the measures of images too


@pytest.fixture
def reads(monkeypatch):
    """Names of the options of a block that are read, as it happens."""
    seen: set[tuple[str, str]] = set()

    def recording(self, name):
        if name in type(self).model_fields:
            seen.add((type(self).__name__, name))
        return object.__getattribute__(self, name)

    monkeypatch.setattr(Block, "__getattribute__", recording, raising=False)
    return seen


def said(run, block):
    return {path.split(".")[1] for path, _ in idle(run) if path.startswith(f"{block}.")}


@pytest.mark.parametrize(("kind", "options"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_reads_what_is_not_said_to_do_nothing(reads, kind, options):
    run = tiny_run(kind=kind, model=options)
    expected = set(Model.model_fields) - said(run, "model") - OTHERS
    reads.clear()
    model = build(run.model, INFOS[kind], seed=0)
    if run.model.init == "pca" and kind == "image":
        start_from_pca(model, X[kind], False, 0, run.model.pca_patches, torch.zeros(16, dtype=torch.int64))
    found = {name for block, name in reads if block == "Model"} - OTHERS
    at_default = {name for name, field in Model.model_fields.items() if not has_effect(field, kind, run.model.name)}
    given = set() if "pca_patches" in expected else {"pca_patches"}  # to start_from_pca, which then has no use for it
    assert found - at_default - given == expected


TERMS = [(kind, term) for kind in INFOS for term in [*terms_of(kind)] if term not in ("perceptual", "dino")]


@pytest.mark.parametrize(("kind", "term"), TERMS)
def test_a_term_reads_what_is_not_said_to_do_nothing(reads, kind, term):
    model = {"output": "softmax"} if term == "multinomial" else {}
    loss = {"terms": {name: float(name == term) for name in terms_of(kind)}, "centre_weight": 2.0}
    loss |= {"class_weights": "effective", "pos_weight": "inverse"}
    run = tiny_run(kind=kind, model=model, loss=loss)
    expected = set(Loss.model_fields) - said(run, "loss") - WITH_NOTHING_SET - ELSEWHERE
    vae = build(run.model, INFOS[kind], seed=0)
    inference = vae(X[kind], torch.ones(16, vae.latent_dim))
    reads.clear()
    objective = Objective(run.loss, INFOS[kind], 16, torch.device("cpu"))
    objective(X[kind], inference, 1.0)
    found = {name for block, name in reads if block == "Loss"} - WITH_NOTHING_SET - ELSEWHERE
    assert expected <= found
    weights = {
        "class_weights",
        "class_beta",
        "pos_weight",
        "max_pos_weight",
        "centre_weight",
        "centre_width",
        "ink_weight",
    }
    assert found - expected <= weights  # made of the data before it is known which term uses them


NEEDED = {
    "latent_dim on maps": ("photos", {"model": {"latent": "map", "latent_dim": 9}}, "model.latent_dim=9"),
    "latent_channels on vectors": ("photos", {"model": {"latent_channels": 9}}, "model.latent_channels=9"),
    "width on local": ("photos", {"model": {"name": "local", "latent": "map", "width": 9}}, "model.width=9"),
    "sigma on grids": ("grids", {"loss": {"sigma": 0.1}}, "loss.sigma=0.1"),
    "sigma without its terms": ("photos", {"loss": {"terms": {"mse": 1}, "sigma": 0.1}}, "loss.sigma=0.1"),
    "ink without pixels": ("photos", {"loss": {"terms": {"ssim": 1}, "ink_weight": 5.0}}, "loss.ink_weight=5.0"),
    "ocr on tags": ("tags", {"evaluate": {"ocr": False}}, "evaluate.ocr=False"),
    "gamma without focal": ("tags", {"loss": {"gamma": 1.0}}, "loss.gamma=1.0"),
    "min_delta without patience": ("tags", {"train": {"min_delta": 0.1}}, "train.min_delta=0.1"),
    "stop_epochs without stop_when": ("tags", {"train": {"stop_epochs": 1}}, "train.stop_epochs=1"),
    "final_rate without decay": ("tags", {"train": {"final_rate": 0.1}}, "train.final_rate=0.1"),
    "linear_rate without pca": ("photos", {"train": {"linear_rate": 0.5}}, "train.linear_rate=0.5"),
    "mixture of a normal prior": ("tags", {"evaluate": {"mixture_components": 3}}, "evaluate.mixture_components=3"),
    "top_k of a maximum": ("photos", {"threshold": {"top_k": 3}}, "threshold.top_k=3"),
}  # fmt: skip


def warnings(tmp_path, **values):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(without_suites() | values))
    return resolve(tmp_path / "params.yaml").warnings


@pytest.mark.parametrize(("data", "options", "expected"), NEEDED.values(), ids=NEEDED)
def test_what_does_nothing_in_a_run_is_warned_of(tmp_path, data, options, expected):
    found = warnings(tmp_path, runs={"tried": {"data": data, **options}})
    assert [warning.split(" has no effect ")[0] for warning in found] == [f"run tried: {expected}"]


def test_a_base_value_is_warned_of_where_no_run_reads_it(tmp_path):
    base = without_suites()["loss"] | {"gamma": 1.5}
    runs = {"focal": {"data": "tags", "loss": {"terms": {"focal": 1.0}}}, "other": {"data": "tags"}}
    assert warnings(tmp_path, loss=base, runs=runs) == []
    (warning,) = warnings(tmp_path, loss=base, runs={"other": runs["other"]})
    assert warning.startswith("run other: loss.gamma=1.5 has no effect where no term focal")


def test_needs_name_options():
    paths = {
        f"{block}.{name}" for block, field in Options.model_fields.items() for name in field.annotation.model_fields
    }
    assert set(NEEDS) <= paths
    assert PARAMS.exists()
