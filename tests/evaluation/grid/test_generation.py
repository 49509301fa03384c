import math

import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.grid import place_prior
from vaelab.evaluation.grid.generation import NAMES, sample_metrics, samples
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.models.build import build
from vaelab.objective.objective import Objective

CLASSES = 4
X = random_grids(60, CLASSES)


def inputs(prior: str) -> EvaluationInputs:
    model = {"latent": "map", "latent_channels": 2, "norm": "none", "palette": "ranked"}
    run, info = tiny_run(model=model, evaluate={"prior": prior, "samples": 30}), grid_info(CLASSES, X)
    split = DeviceSplit([X.to(torch.uint8)], torch.zeros(60), torch.device("cpu"), "grid")
    vae = build(run.model, info, seed=0).eval()
    return EvaluationInputs(vae, run, {}, info, run.evaluate, Objective(run.loss, info), None, {"train": split})


@pytest.mark.parametrize("prior", ["normal", "mixture", "places"])
def test_samples_of_each_prior_are_grids(prior, monkeypatch):
    monkeypatch.setattr(place_prior, "STEPS", 5)
    given = inputs(prior)
    with torch.no_grad():
        mean, log_var = given.model.encode(X)
    made = samples(given, mean, log_var, X)
    assert made.shape == (30, 8, 8)
    assert made.dtype == torch.uint8
    assert int(made.max()) <= CLASSES
    assert (made[:, 0, 0] < CLASSES).all()
    assert torch.equal(made, samples(given, mean, log_var, X))
    if prior == "places":  # whose extents are those of training
        sizes = {(int((x < CLASSES).any(1).sum()), int((x < CLASSES).any(0).sum())) for x in X}
        found = [(int((x < CLASSES).any(1).sum()), int((x < CLASSES).any(0).sum())) for x in made]
        assert sum(size in sizes for size in found) >= 24


def test_data_are_nearer_to_data_than_one_grid_repeated():
    data, more = random_grids(80, CLASSES, seed=1), random_grids(40, CLASSES, seed=2)
    alike = sample_metrics(more, data, data, X, CLASSES, limit=100, seed=0)
    same = sample_metrics(X[:1].expand(40, -1, -1), data, data, X, CLASSES, limit=100, seed=0)
    assert set(alike) == set(NAMES)
    assert alike["sample_mmd"] < 0.05 < same["sample_mmd"]
    assert alike["sample_recall"] > same["sample_recall"]
    assert alike["real_mmd"] == same["real_mmd"] < 0.05


def test_too_few_grids_have_no_measure():
    assert all(math.isnan(v) for v in sample_metrics(X, X[:6], X[:6], X, CLASSES, limit=100, seed=0).values())
