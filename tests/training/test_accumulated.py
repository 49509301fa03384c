"""A batch that is computed part by part has the gradient, and the numbers, of one that is computed at once."""

import pytest
import torch
from helpers import tiny_run
from trainings import fit, history, weights

KINDS = {
    "grid": {"model": {"latent": "map", "latent_channels": 2, "norm": "layer"}, "train": {"crop": True, "flip": True}},
    "image": {"model": {"norm": "group", "learned_sigma": True}, "train": {"flip": True, "input_noise": 0.1}},
    "tags": {"model": {"norm": "layer"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_a_batch_are_the_batch(in_a_folder_with_data, kind):
    found = {}
    for parts in (1, 3):
        blocks = {**KINDS[kind], "train": {**KINDS[kind].get("train", {}), "accumulate": parts, "epochs": 1}}
        models = fit(in_a_folder_with_data, tiny_run(kind=kind, **blocks))
        found[parts] = weights(models / "last.safetensors"), history(models)
    (one, rows), (three, others) = found[1], found[3]
    for name, tensor in one.items():
        torch.testing.assert_close(three[name], tensor, atol=2e-5, rtol=1e-3)
    for row, other in zip(rows, others, strict=True):
        for column, value in row.items():
            assert value == other[column] or float(other[column]) == pytest.approx(float(value), rel=2e-3, abs=1e-4)


def test_parts_under_batch_normalisation_train_too(in_a_folder_with_data):
    models = fit(in_a_folder_with_data, tiny_run(train={"accumulate": 2, "epochs": 1}))
    assert len(history(models)) == 3
