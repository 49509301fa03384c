"""Likelihoods, bounds and reconstructions with drawn z, against closed forms and quadrature."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from comparisons import result as made_result
from helpers import tag_info, tiny_run
from torch import Tensor, nn

from vaelab.comparison.collect import with_diagnosis
from vaelab.comparison.judge import judge
from vaelab.comparison.metric_table import metric_tables
from vaelab.comparison.summary import best_by_metric
from vaelab.comparison.table import table
from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import DataInfo, image_info
from vaelab.data.format.prepared import write
from vaelab.evaluation.evaluate import evaluate
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.likelihood import likelihoods
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Pass, run_pass
from vaelab.metrics.nested import FLOORS, SAMPLED
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.schema import Compare, Run

CPU = torch.device("cpu")
FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "lrap", "val": 0.5}


class Linear(nn.Module):
    """A posterior N(slope · (sum of x − centre), std²) of one latent."""

    def __init__(self, slope: float, centre: float, std: float) -> None:
        super().__init__()
        self.slope, self.centre, self.std = slope, centre, std

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = self.slope * (x.flatten(1).sum(1, keepdim=True) - self.centre)
        return mean, torch.full_like(mean, 2 * math.log(self.std))


class Affine(nn.Module):
    """z to weights · z + bias, in the shape of an example."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, z: Tensor) -> tuple[Tensor]:
        return ((self.weight.flatten() * z).unflatten(1, self.weight.shape) + self.bias,)


def measured(model: VAE, x: Tensor, info: DataInfo, run: Run) -> tuple[dict[str, float], Pass]:
    """What evaluation makes of the likelihoods of these examples."""
    split = DeviceSplit([x], torch.zeros(len(x)), CPU, info.kind)
    objective = Objective(run.loss, info)
    inputs = EvaluationInputs(model, run, FACTS, info, run.evaluate, objective, Path(), {"val": split})
    kind = MEASURES[info.kind]
    train = run_pass(
        model, split, objective, 64, 1, inputs.evaluation_metrics, kind.stored, None, inputs.sampling("val")
    )
    return likelihoods(inputs, "val", split, train), train


def linear_gaussian(std: float, **options: Any) -> tuple[dict[str, float], float, float]:
    """Measures of x = w z + b + noise under a posterior of that std; in closed form −log p(x) and KL(q ‖ p(z|x))."""
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.full((1, 11, 11), 0.02), torch.full((1, 11, 11), 0.5)
    z = torch.randn(400, 1, 1, 1, generator=generator)
    noise = 0.1 * torch.randn(400, 1, 11, 11, generator=generator)
    x = (255 * (weight * z + bias + noise)).round().clamp(0, 255).to(torch.uint8)
    true_precision = 1 + float(weight.square().sum()) / 0.01
    model = VAE(Linear(0.02 / 0.01 / true_precision, 0.5 * 121, std), Affine(weight, bias), 1)
    run = tiny_run(kind="image", evaluate={"batch_size": 64, **options})
    found, passed = measured(model, x, image_info(1, 11, ("all",)), run)
    variance = float(passed.drawn["squared_error"].double().mean())  # the best one, of what was drawn
    w, rows = weight.flatten().double(), (x.double() / 255 - 0.5).flatten(1)
    p_x = torch.distributions.MultivariateNormal(
        torch.zeros(121).double(), torch.outer(w, w) + variance * torch.eye(121)
    )
    precision = 1 + float(w @ w) / variance
    true = torch.distributions.Normal(rows @ w / variance / precision, precision**-0.5)
    posterior = torch.distributions.Normal(passed.mean[:, 0].double(), (0.5 * passed.log_var[:, 0].double()).exp())
    gap = torch.distributions.kl_divergence(posterior, true).mean()
    return found, -float(p_x.log_prob(rows).mean()), float(gap)


@pytest.mark.parametrize("std", [0.41, 0.8, 1.5])
def test_the_elbo_of_a_linear_gaussian_model_is_its_evidence_less_the_gap_of_the_posterior(std):
    found, evidence, gap = linear_gaussian(std, z_samples=64, importance_samples=0)
    assert found["elbo"] == -found["negative_elbo"]
    assert found["negative_elbo"] == pytest.approx(evidence + gap, abs=5 * found["elbo_sampling_error"])
    assert found["elbo_sampling_error"] < 0.1
    assert "negative_iw_elbo" not in found


def test_the_importance_weighted_bound_lies_between_elbo_and_evidence_and_gets_there():
    bounds = {}
    for k in (1, 3, 400):
        found, evidence, gap = linear_gaussian(1.5, z_samples=64, importance_samples=k, importance_examples=400)
        bounds[k] = found["negative_iw_elbo"]
        elbo = found["negative_elbo"]
    assert gap > 0.5
    assert bounds[1] == pytest.approx(elbo, abs=1e-9)
    assert bounds[400] + 0.1 < bounds[3] < bounds[1] - 0.1
    assert bounds[400] == pytest.approx(evidence, abs=0.05)


def test_errors_of_the_elbo_are_those_of_repeated_draws_and_of_examples():
    runs = [linear_gaussian(0.8, z_samples=4, importance_samples=0, seed=seed)[0] for seed in range(12)]
    spread = np.std([found["negative_elbo"] for found in runs], ddof=1)
    assert spread == pytest.approx(np.mean([found["elbo_sampling_error"] for found in runs]), rel=0.6)
    alone = linear_gaussian(0.8, z_samples=1, importance_samples=0)[0]
    assert "elbo_sampling_error" not in alone
    assert alone["elbo_standard_error"] > spread


def test_the_bounds_of_tags_agree_with_quadrature():
    info = tag_info(torch.ones(10, 6, dtype=torch.uint8))
    x = (torch.rand(50, 6, generator=torch.Generator().manual_seed(1)) < 0.4).to(torch.uint8)
    weight, bias = torch.tensor([2.0, 1.0, -1.0, 0.5, -2.0, 0.0]), torch.tensor([-0.5, 0.3, 0.1, -1.0, 0.0, 0.5])
    model = VAE(Linear(0.4, 2.0, 0.7), Affine(weight, bias), 1)
    options = {"z_samples": 400, "importance_samples": 400, "importance_examples": 50}
    found, passed = measured(model, x, info, tiny_run(kind="tags", evaluate=options))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def log_likelihood(z: Tensor) -> Tensor:  # [N, nodes]
        logits = z.unsqueeze(2) * weight.double() + bias.double()
        return torch.distributions.Bernoulli(logits=logits).log_prob(x.double().unsqueeze(1)).sum(2)

    share = torch.from_numpy(weights / weights.sum())
    at_posterior = passed.mean.double() + 0.7 * torch.from_numpy(nodes)
    distortion = -(log_likelihood(at_posterior) * share).sum(1).mean()
    evidence = (log_likelihood(torch.from_numpy(nodes).expand(50, 60)) + share.log()).logsumexp(1).mean()
    assert found["distortion"] == pytest.approx(float(distortion), abs=0.02)
    assert found["negative_iw_elbo"] == pytest.approx(-float(evidence), abs=0.02)
    assert found["negative_iw_elbo"] < found["negative_elbo"] - 0.05


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_batches():
    first, again, other = (
        linear_gaussian(0.8, batch_size=size, seed=seed)[0] for size, seed in ((64, 0), (7, 0), (64, 1))
    )
    assert again == pytest.approx(first, rel=1e-9)
    assert other["negative_elbo"] != first["negative_elbo"]


SPARSE = {"train": 600, "val": 300, "test": 300}


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """28 tags, 1.2 a row: the posterior's mean says each tag in an amplitude of .316, its standard deviation is 1."""
    folder = tmp_path_factory.mktemp("whisper")
    generator, splits = torch.Generator().manual_seed(0), {}
    for phase, rows in SPARSE.items():
        x = (torch.rand(rows, 28, generator=generator) < 1.2 / 28).to(torch.uint8)
        splits[phase] = {"x": x.numpy(), "group": np.zeros(rows, np.uint8)}
    info = tag_info(torch.from_numpy(splits["train"]["x"]))
    write(folder / "data", info, splits, {"source": "tests"})
    run = tiny_run(kind="tags", model={"hidden": [], "latent_dim": 28}, evaluate={"tag_samples": 100})
    model = build(run.model, info, seed=0)
    with torch.no_grad():
        head, out = model.encoder.head, model.decoder.out
        head.weight.zero_()
        head.weight[:28] = 0.316 * torch.eye(28)
        head.bias.zero_()
        out.weight.copy_(0.5 * torch.eye(28))  # the biases say the frequencies
    save_model(folder / "model.safetensors", model.state_dict(), run, info, FACTS)
    return evaluate(run, folder / "model.safetensors", folder / "data").metrics


def test_a_mean_below_the_noise_of_its_posterior_reads_perfectly_and_a_drawn_z_does_not(whisper):
    found = whisper["test"]
    frequency = found[FLOORS]["frequency"]
    assert found["rate"] == pytest.approx(0.06, abs=0.01)
    assert found["average_precision_macro"] > 0.95
    assert found[SAMPLED]["average_precision_macro"] < 0.15
    assert frequency["average_precision_macro"] == pytest.approx(1.2 / 28, abs=0.005)
    assert found[SAMPLED]["lrap"] < found["lrap"] - 0.05


def test_its_elbo_does_not_beat_the_frequencies_as_its_mean_seems_to(whisper):
    found = whisper["test"]
    baseline = found[FLOORS]["frequency"]["negative_elbo"]
    assert baseline == found[FLOORS]["frequency"]["bce"]
    assert found["distortion_at_mean"] + found["rate"] < baseline < found["negative_elbo"]
    assert found["bce"] == pytest.approx(found["distortion"], rel=1e-6)
    assert found["distortion"] == pytest.approx(found["negative_elbo"] - found["rate"], rel=1e-6)
    assert found["loss"] == pytest.approx(found["negative_elbo"], rel=1e-5)  # the objective is the ELBO here


def test_such_a_run_is_collapsed_and_best_in_no_row(whisper):
    blocks = {"evaluate": {"tag_samples": 100}}
    collapsed = made_result("whisper", "tags", blocks=blocks)._replace(metrics=whisper)
    collapsed = with_diagnosis(collapsed, None)
    worse = {"loss": 9.0, "bce": 8.0, "distortion": 8.0, "negative_elbo": 9.0, "lrap": 0.4, "rate": 1.0}
    rival = made_result("rival", "tags", blocks=blocks, **worse)
    judgement = judge([collapsed, rival], Compare())
    assert [finding["cause"] for finding in collapsed.broken] == [
        "not_learned"
    ]  # no latent is left out of PCA, and so no gain over it is known
    assert judgement.recommended == "rival"
    (text,) = metric_tables([collapsed, rival], "markdown")["reconstruction"]
    heads, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines())
    assert heads[1:3] == ["whisper †", "rival"]
    lrap = next(row for row in rows if row[0] == "label ranking average precision")
    assert lrap[2] == "0.400 *"
    assert not any(row[1].endswith("*") for row in rows)
    lines = "\n".join(best_by_metric(table([collapsed, rival]), "markdown"))
    assert not any(line.split("|")[4].strip().startswith("whisper") for line in lines.splitlines() if "|" in line)
    assert "not ranked: whisper (collapsed)" in lines
