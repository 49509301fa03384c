"""What latents tell: whose z an example gets, which units are active, and what another example's z costs in nats."""

import math

import pytest
import torch
from helpers import tiny_run, write_grids, write_images, write_tags
from torch.nn import functional as F

from vaelab.data.format.batches import generator, load_split
from vaelab.measures import latents
from vaelab.measures.kinds import MEASURES
from vaelab.measures.latents import active_units, epoch_latents, latent_gap, others, signal_to_noise
from vaelab.measures.passes import run_pass
from vaelab.measures.sampling import Sampling
from vaelab.models.build import build
from vaelab.objective.objective import Objective

WRITE = {"grid": write_grids, "image": write_images, "tags": write_tags}
CPU, VAL = torch.device("cpu"), 10


@pytest.mark.parametrize("count", [2, 3, 50])
def test_no_example_keeps_its_own(count):
    for seed in range(20):
        found = others(count, seed)
        assert sorted(found.tolist()) == list(range(count))
        assert not (found == torch.arange(count)).any()


def test_another_one_of_the_group_where_there_is_one():
    group = torch.tensor([0, 1, 0, 2, 1, 0, 0])
    for seed in range(20):
        found = others(7, seed, group)
        assert not (found == torch.arange(7)).any()
        several = group != 2
        assert (group[found] == group)[several].all()


def test_active_units_compare_the_variance_and_not_the_deviation_with_the_limit():
    mean = torch.tensor([[-1.0], [1.0]]) * torch.tensor([0.05, 0.0999, 0.1001, 2.0])  # variances around 0.01
    assert active_units(mean, 0.01).tolist() == [False, False, True, True]


def of_val(folder, kind, model=None, count=VAL, seed=3):
    """A new model of wide codes, on val: what `latent_gap` takes."""
    info = WRITE[kind](folder, 12, count, 8)
    run = tiny_run(kind=kind, model=model or {}, train={"seed": seed})
    network, split = build(run.model, info, 1).train(), load_split(folder, "val", info, CPU)
    for name, tensor in network.named_parameters():
        if "log_var" not in name and tensor.dim() > 1:
            tensor.data.mul_(2)

    def likelihood(batch, inference):
        return MEASURES[kind].likelihood(batch, inference, info, run)

    def measure(batch, inference):
        return MEASURES[kind].val_metrics(batch, inference, info, run)

    objective, nothing = Objective(run.loss, info), torch.empty(0, dtype=torch.int64)
    result = run_pass(
        network, split, objective, 4, 0, measure, MEASURES[kind].stored, nothing, Sampling(likelihood, 1, seed)
    )
    return network, split, result, run, info


def nats_by_hand(kind, batch, decoded):
    """−log p(x|z), nats per example; of images under the best σ of these reconstructions."""
    x, y = batch.x, decoded.reconstruction
    if kind == "image":
        return 0.5 * x[0].numel() * (math.log(2 * math.pi * (x - y).square().mean().item()) + 1)
    if kind == "tags":
        return F.binary_cross_entropy_with_logits(y, x, reduction="sum").item() / len(x)
    classes = y.shape[1]
    cells = F.cross_entropy(y, x, ignore_index=classes, reduction="sum").item()
    inside = x < classes
    sizes = torch.stack([inside.any(2).sum(1), inside.any(1).sum(1)], 1)  # height, width
    return (cells + F.cross_entropy(decoded.extent.flatten(0, 1), sizes.flatten() - 1, reduction="sum").item()) / len(x)


@pytest.mark.parametrize(
    ("kind", "model"), [("grid", {}), ("image", {}), ("image", {"conditional": True}), ("tags", {})]
)
def test_another_examples_z_costs_what_it_costs_by_hand(tmp_path, kind, model):
    network, split, result, run, info = of_val(tmp_path, kind, model)
    found = latent_gap(network, split, result, run, info, batch_size=4)
    assert network.training
    batch, noise = split.take(torch.arange(VAL)), torch.randn(result.mean.shape, generator=generator(3, 0, stream=40))
    z = result.mean + (result.log_var / 2).exp() * noise
    whose = others(VAL, 3, split.group if model else None)
    with torch.no_grad():
        own, other = (nats_by_hand(kind, batch, network.eval().decode(code, batch.group)) for code in (z, z[whose]))
    assert found == pytest.approx(other - own, rel=1e-4)
    assert abs(found) > 1e-3


@pytest.mark.parametrize("kind", WRITE)
def test_a_decoder_that_ignores_z_has_no_gap(tmp_path, kind, monkeypatch):
    network, split, result, run, info = of_val(tmp_path, kind)
    right = network.decode
    blind = lambda z, group=None: right(torch.zeros_like(z), group)  # noqa: E731
    monkeypatch.setattr(network, "decode", blind)
    result.drawn.update(of_same(network, split, kind, info, run))
    assert latent_gap(network, split, result, run, info, batch_size=4) == pytest.approx(0, abs=1e-4)


def of_same(network, split, kind, info, run):
    """What −log p(x|z) is made of where z is not looked at, [1, N]."""
    batch = split.take(torch.arange(len(split)))
    network.eval()
    with torch.no_grad():
        values = MEASURES[kind].likelihood(batch, network(batch.x), info, run)
    return {name: value.unsqueeze(0) for name, value in values.items()}


def test_of_a_single_example_there_is_no_gap(tmp_path):
    network, split, result, run, info = of_val(tmp_path, "tags", count=1)
    assert math.isnan(latent_gap(network, split, result, run, info, batch_size=4))


def test_at_most_so_many_examples_are_decoded_again(tmp_path, monkeypatch):
    monkeypatch.setattr(latents, "GAP_EXAMPLES", 4)
    network, split, result, run, info = of_val(tmp_path, "tags")
    found = latent_gap(network, split, result, run, info, batch_size=4)
    ids = torch.tensor([0, 3, 6, 9])
    batch, noise = split.take(ids), torch.randn(result.mean.shape, generator=generator(3, 0, stream=40))
    z = (result.mean + (result.log_var / 2).exp() * noise)[ids]
    with torch.no_grad():
        own, other = (nats_by_hand("tags", batch, network.eval().decode(code)) for code in (z, z[others(4, 3)]))
    assert found == pytest.approx(other - own, rel=1e-4)


def test_what_an_epoch_shows_of_its_latents(tmp_path):
    network, split, result, run, info = of_val(tmp_path, "tags")
    found = epoch_latents(network, split, result, run, info, 4)
    assert found["active_units"] == int((result.mean.double().var(0, correction=0) > 0.01).sum())
    assert found["snr_max"] == float(signal_to_noise(result.mean, result.log_var).max())
    assert found["latent_gap"] == latent_gap(network, split, result, run, info, 4)
