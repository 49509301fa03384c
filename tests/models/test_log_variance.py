"""The clamp of the posterior's log-variances."""

import pytest
import torch
from helpers import grid_info, random_grids, random_images, random_tags, tag_info, tiny_run, unit
from pydantic import ValidationError

from vaelab.data.format.info import image_info
from vaelab.models.build import build

X = {"grid": random_grids(6, 4), "image": unit(random_images(6)), "tags": random_tags(6).float()}
INFOS = {"grid": grid_info(4), "image": image_info(1, 16, ("all",)), "tags": tag_info(random_tags(6))}
MODELS = {
    "grid": ("grid", {}), "tags": ("tags", {}), "image": ("image", {}), "map": ("image", {"latent": "map"}),
    "skips": ("image", {"skips": True}), "local": ("image", {"name": "local", "latent": "map"}),
    "pca": ("image", {"init": "pca", "output": "linear"}),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), MODELS.values(), ids=MODELS)
def test_log_variances_are_clamped_and_by_default_as_they_come(kind, options):
    def inference(**more):
        model = build(tiny_run(kind=kind, model=options | more).model, INFOS[kind], seed=0).eval()
        return model(X[kind], torch.ones(6, model.latent_dim))

    free = inference()
    low, high = free.log_var.quantile(0.4).item(), free.log_var.quantile(0.7).item()
    held = inference(log_var_range=[low, high])
    torch.testing.assert_close(held.log_var, free.log_var.clamp(low, high), rtol=0, atol=0)
    torch.testing.assert_close(held.z, free.mean + (0.5 * held.log_var).exp())
    assert free.log_var.min() < low
    assert free.log_var.max() > high


@pytest.mark.parametrize("wrong", [[1, 1], [2, 1], [-101, 0], [0, 81], [0], 3, [0, float("nan")]])
def test_a_range_is_two_numbers_in_order(wrong):
    with pytest.raises(ValidationError):
        tiny_run(model={"log_var_range": wrong})
