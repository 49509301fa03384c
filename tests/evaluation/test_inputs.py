"""Whose z an example gets, and what of a reconstruction stays when it does."""

from pathlib import Path

import pytest
import torch
from helpers import random_images, tiny_run, unit, write_images

from vaelab.evaluation.evaluate import evaluate
from vaelab.evaluation.inputs import ablated
from vaelab.measures.latents import others
from vaelab.metrics.nested import ABLATIONS
from vaelab.models.build import build
from vaelab.models.files import save_model

FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 20.0}
LOCAL = {"name": "local", "latent": "map", "latent_channels": 2, "per_group": True}


def test_ablated_latents_are_those_of_another_and_zero():
    mean = torch.arange(12.0).view(6, 2)
    found = ablated(mean, seed=3)
    assert found["shuffled"].sort(0).values.equal(mean)
    assert found["zero"].equal(torch.zeros(6, 2))


def measured(folder: Path, options: dict, blind: bool):
    """A model on 24 images of two groups, and its measures of val; blind: its decoder ignores z."""
    info, run = write_images(folder / "data", 24, 8, 8), tiny_run(kind="image", model=options)
    model = build(run.model, info, seed=0)
    model(unit(random_images(24)), group=torch.arange(24) % 2)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name in state:
        if blind and name in ("decoder.stem.0.weight", "decoder.linear_path.0.weight"):
            state[name].zero_()
    save_model(folder / "model.safetensors", state, run, info, FACTS)
    model.load_state_dict(state)
    return model.eval(), evaluate(run, folder / "model.safetensors", folder / "data")


def test_with_skips_z_alone_differs_and_nothing_changes_of_a_decoder_that_ignores_it(tmp_path):
    _, found = measured(tmp_path, {"skips": True}, blind=True)
    values = found.metrics["val"]
    for how in ("shuffled_z", "zero_z"):
        assert values[ABLATIONS][how]["psnr"] == pytest.approx(values["psnr"], rel=1e-6)


def test_with_skips_the_decoder_gets_those_of_the_example_itself(tmp_path):
    model, found = measured(tmp_path, {"skips": True}, blind=False)
    x = unit(torch.from_numpy(found.tensors["val_x"]))
    z = torch.from_numpy(found.tensors["val_mean"])[others(8, seed=0)]
    with torch.no_grad():
        y = model.decoder(z, None, model.encoder.features(x)[:0:-1]).reconstruction
        without = model.decode(z).reconstruction
    psnr, of_z_alone = ((x - each).square().mean((1, 2, 3)).log10().mul(-10).mean().item() for each in (y, without))
    assert found.metrics["val"][ABLATIONS]["shuffled_z"]["psnr"] == pytest.approx(psnr, rel=1e-5)
    assert abs(psnr - of_z_alone) > 0.001  # of an untrained model; 1e-5 of it is what the two may differ by


@pytest.mark.parametrize("options", [{"conditional": True}, LOCAL], ids=["conditional", "local"])
def test_of_a_model_that_is_told_the_group_z_comes_from_the_group(tmp_path, options):
    model, found = measured(tmp_path, options, blind=False)
    x, group = unit(torch.from_numpy(found.tensors["val_x"])), torch.arange(8) % 2
    z = torch.from_numpy(found.tensors["val_mean"])[others(8, 0, group)]
    with torch.no_grad():
        y = model.decode(z, group).reconstruction
    psnr = (x - y).square().mean((1, 2, 3)).log10().mul(-10).mean().item()
    assert found.metrics["val"][ABLATIONS]["shuffled_z"]["psnr"] == pytest.approx(psnr, rel=1e-5)
