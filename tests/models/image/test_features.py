"""Feature maps as the input of a model: what they are, that they are made once, and that PCA of them is the start."""

import shutil

import pytest
import torch
from helpers import random_images, tiny_run, write_images
from sklearn.decomposition import PCA

from vaelab import artifacts
from vaelab.data.format.batches import load_split
from vaelab.models.build import build
from vaelab.models.image import features
from vaelab.models.image.features import BORDER, RANGE, Inputs
from vaelab.models.image.linear_path import start_from_pca
from vaelab.models.imagenet import load_efficientnet
from vaelab.params.blocks import Model

SIDE, CHANNELS = 160, 192
CPU = torch.device("cpu")
SEES = {"name": "local", "features": "imagenet", "latent": "map", "latent_channels": 6, "hidden": (8,)}


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "pictures", 12, 4, 4, size=SIDE)
    return tmp_path / "pictures"


def test_they_are_those_of_the_network_standardised_without_the_outermost(data):
    inputs = Inputs(Model(**SEES), data, CPU)
    found, pictures = inputs.split("train"), random_images(12, 1, SIDE).float() / 255
    with torch.no_grad():
        maps = load_efficientnet("model.features", ["s32a"])(pictures)[0][..., BORDER:-BORDER, BORDER:-BORDER]
    expected = (maps - maps.mean((0, 2, 3), keepdim=True)) / maps.std((0, 2, 3), keepdim=True)
    assert inputs.info.shape == found.shape == (CHANNELS, SIDE // 32 - 2, SIDE // 32 - 2)
    assert torch.allclose((found.stored(torch.arange(12)).float() - 127.5) / 127.5 * RANGE, expected, atol=0.04)
    assert torch.equal(found.group, load_split(data, "train", inputs.data, CPU).group)


def test_the_network_runs_once_for_each_split(data, monkeypatch):
    val = Inputs(Model(**SEES), data, CPU).split("val")  # which needs the scale of train
    monkeypatch.setattr(features, "load_efficientnet", None)
    again = Inputs(Model(**SEES), data, CPU)
    assert torch.equal(again.split("val").stored(torch.arange(4)), val.stored(torch.arange(4)))
    assert len(again.split("train")) == 12
    with pytest.raises(TypeError):  # another layer is made anew
        Inputs(Model(**SEES, feature_layer="s16b"), data, CPU).split("val")


def test_of_large_data_a_few_maps_at_a_time_are_in_memory_and_they_are_the_same(data, monkeypatch):
    def made():
        splits = [Inputs(Model(**SEES), data, CPU).split(phase) for phase in ("val", "train")]
        return [split.x.in_files for split in splits], [split.stored(torch.arange(len(split))) for split in splits]

    _, expected = made()
    shutil.rmtree(artifacts.SCRATCH)
    monkeypatch.setattr(features, "LARGE_BYTES", 0)
    in_files, found = made()
    assert in_files == [True, True]
    assert all(map(torch.equal, found, expected))


def test_without_features_a_model_sees_the_images(data):
    inputs = Inputs(Model(), data, CPU)
    assert inputs.info == inputs.data
    assert torch.equal(inputs.split("train").stored(torch.arange(12)), random_images(12, 1, SIDE))


def test_it_starts_as_the_pca_of_the_features_with_a_deviation_for_each_channel(data):
    inputs = Inputs(Model(**SEES), data, CPU)
    run = tiny_run(kind="image", model={**SEES, "init": "pca", "output": "linear", "learned_sigma": True})
    vae, train = build(run.model, inputs.info, seed=0).eval(), inputs.split("train")
    start_from_pca(vae, train.stored(torch.arange(12)), False, 0)
    x = train.take(torch.arange(12)).x
    with torch.no_grad():
        found = vae(x)
    rows = x.flatten(2).transpose(1, 2).flatten(0, 1).numpy()
    pca = PCA(6).fit(rows)
    expected = pca.inverse_transform(pca.transform(rows))
    got = found.reconstruction.flatten(2).transpose(1, 2).flatten(0, 1).numpy()
    assert got == pytest.approx(expected, abs=1e-3)
    assert found.log_sigma.detach().exp().flatten().numpy() == pytest.approx(
        ((rows - expected) ** 2).mean(0) ** 0.5, rel=1e-2
    )
