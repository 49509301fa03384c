"""Every preset, every term and every sort of image model trains for two epochs."""

import math

import pytest
import torch
import yaml
from helpers import PARAMS, TINY, preset_runs, random_images, terms_of, tiny_run, write_images
from trainings import fit, history, weights

from vaelab.metrics.tables import TABLES
from vaelab.params.resolve import merge
from vaelab.params.schema import Run
from vaelab.training import session

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


@pytest.mark.parametrize("preset", yaml.safe_load(PARAMS.read_text())["presets"])
def test_every_preset_of_the_repository_trains(tmp_path, preset):
    runs = preset_runs(preset, tmp_path)
    assert runs
    for resolved in runs:
        if resolved.loss.terms.dino:
            pytest.importorskip("timm")
        small = {name: TINY[name] for name in ("model", "train", "evaluate", "visualize")}
        if resolved.model.features != "none":
            write_images(tmp_path / "image", 24, 8, 8, size=128)
        if resolved.model.name == "local":  # its cells are 4 x 4 pixels here
            small["model"] = {**small["model"], "latent_channels": 4}
        small |= {"data": "tiny", "loss": {"perceptual_weights": "random", "dino_weights": "random"}}
        models = fit(tmp_path, Run.model_validate(merge(resolved.model_dump(), small)))
        assert history(models)[-1]["step"] == "6"  # two epochs of three steps
        assert abs(float(history(models)[-1]["loss"])) > 0


@pytest.mark.parametrize("term", terms_of("image"))
def test_every_term_of_images_trains(tmp_path, term):
    if term == "dino":
        pytest.importorskip("timm")
    loss = {"terms": {"gaussian": 0.0, term: 1.0}, "perceptual_weights": "random", "dino_weights": "random"}
    loss |= {"perceptual_layers": ["relu1_2"], "dino_model": "vit_tiny_patch16_224"}
    column = f"{term}_term" if term in TABLES["image"].history else term
    for row in history(fit(tmp_path, tiny_run(kind="image", loss=loss))):
        assert math.isfinite(float(row[column]))
        assert math.isfinite(float(row["psnr"]))


@every_kind
@pytest.mark.parametrize("term", ["total_correlation", "mmd"])
def test_terms_of_the_latents_train_either_kind(tmp_path, kind, term):
    rows = history(fit(tmp_path, tiny_run(kind=kind, loss={"terms": {term: 5.0}})))
    assert rows[-1]["step"] == "6"
    assert all(math.isfinite(float(row[term])) for row in rows)


MODELS = [
    {"latent": "map", "latent_channels": 2, "norm": "group"},
    {"skips": True, "attention": True},
    {"learned_sigma": True, "upsampling": "resize"},
    {"init": "pca", "output": "linear", "latent": "map", "latent_channels": 2},
    {"conditional": True, "dropout": 0.2, "residual_blocks": 1},
    {"name": "local", "latent": "map", "latent_channels": 2, "hidden": (8,), "per_group": True, "learned_sigma": True},
]


@pytest.mark.parametrize("options", MODELS, ids=str)
def test_models_of_images_train_and_come_back(tmp_path, options):
    models = fit(tmp_path, tiny_run(kind="image", model=options))
    assert history(models)[-1]["step"] == "6"
    assert all(tensor.isfinite().all() for tensor in weights(models / "last.safetensors").values())


def test_a_conditional_model_is_told_the_groups_in_training(tmp_path):
    model = {"conditional": True, "norm": "none"}
    start, end = (
        weights(fit(tmp_path, tiny_run(kind="image", model=model, train=train)) / "last.safetensors")
        for train in ({"learning_rate": 1e-12}, {})
    )
    for name in ("decoder.stem.0.weight", "encoder.stem.0.weight"):  # the last two inputs are the groups
        moved = (end[name] - start[name]).abs().transpose(0, 1).flatten(1).amax(1)[-2:]
        assert (moved > 1e-4).all()


def test_images_train_in_mixed_precision(tmp_path):
    rows = history(fit(tmp_path, tiny_run(kind="image", train={"precision": "bf16-mixed"})))
    assert all(math.isfinite(float(row["loss"])) for row in rows)


def test_a_linear_path_with_rate_0_stays_pca(tmp_path):
    model = {"init": "pca", "output": "linear"}
    start, end = (
        weights(fit(tmp_path, tiny_run(kind="image", model=model, train=train)) / "last.safetensors")
        for train in ({"learning_rate": 1e-12}, {"linear_rate": 0.0})
    )
    moved = {name for name in start if not torch.allclose(start[name], end[name], atol=1e-9)}
    assert not any("linear_path" in name for name in moved)
    assert {"encoder.head.1.weight", "decoder.image.1.weight"} <= moved


def test_a_start_from_pca_beats_no_start_at_all(tmp_path):
    linear = {"output": "linear", "latent_dim": 12}
    train = {"learning_rate": 1e-6, "epochs": 1}
    found = [
        float(history(fit(tmp_path, tiny_run(kind="image", model=linear | start, train=train)))[-1]["psnr"])
        for start in ({}, {"init": "pca"})
    ]
    assert found[1] > found[0] + 3


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_the_start_from_pca_knows_flips_and_patches(tmp_path, monkeypatch, share):
    calls = []
    monkeypatch.setattr(session, "start_from_pca", lambda model, images, *options: calls.append((images, *options)))
    model = {"init": "pca", "output": "linear", "pca_patches": share}
    fit(tmp_path, tiny_run(kind="image", model=model, train={"flip": True, "seed": 5}))
    ((images, *options),) = calls
    assert torch.equal(images, random_images(24))
    assert options[:3] == [True, 5, share]
    assert len(options[3]) == len(images)  # their groups
