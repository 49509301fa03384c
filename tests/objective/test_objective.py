import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.models.vae import Inference
from vaelab.objective.categorical import cross_entropy, extent, focal
from vaelab.objective.divergence import kl_per_dimension
from vaelab.objective.objective import TERMS, Objective
from vaelab.params.loss import Terms

CLASSES, BATCH, LATENT = 4, 6, 3
RAMP = {"schedule": "linear", "start": 0.0, "end": 2.0, "epochs": 4}


def objective(**loss: object) -> Objective:
    return Objective(tiny_run(loss=loss).loss, grid_info(CLASSES))


@pytest.fixture
def x() -> torch.Tensor:
    return random_grids(BATCH, CLASSES)


@pytest.fixture
def given() -> Inference:
    generator = torch.Generator().manual_seed(0)
    mean, log_var = torch.randn(2, BATCH, LATENT, generator=generator)
    logits = torch.randn(BATCH, CLASSES, 8, 8, generator=generator, requires_grad=True)
    size = torch.randn(BATCH, 2, 8, generator=generator, requires_grad=True)
    return Inference(mean.requires_grad_(), log_var.requires_grad_(), mean, logits, size)


def test_every_term_of_params_is_implemented():
    assert set(TERMS) == set(Terms.model_fields)


def test_total_is_the_weighted_sum_of_terms_and_beta_times_kl(x, given):
    parts = objective(terms={"cross_entropy": 0.5, "focal": 2.0, "extent": 3.0}, beta=0.25, class_weights="inverse")
    losses = parts(x, given, epoch=0)
    kl = kl_per_dimension(given.mean, given.log_var).sum(1)
    cells = [term(x, given, parts.context) for term in (cross_entropy, focal, extent)]
    torch.testing.assert_close(losses.total, 0.5 * cells[0] + 2.0 * cells[1] + 3.0 * cells[2] + 0.25 * kl)
    torch.testing.assert_close(losses.terms["kl"], kl)
    assert parts.weights_at(0) == {"cross_entropy": 0.5, "focal": 2.0, "extent": 3.0, "kl": 0.25}
    torch.testing.assert_close(losses.weighted["focal"], 2.0 * cells[1])
    assert losses.total.shape == (BATCH,)


def test_terms_without_weight_are_left_out(x, given):
    losses = objective(terms={"cross_entropy": 0.0, "focal": 1.0, "extent": 0.0})(x, given, epoch=0)
    assert set(losses.terms) == {"focal", "kl"}


def test_weights_follow_their_schedules(x, given):
    scheduled = objective(terms={"cross_entropy": 1.0, "extent": RAMP}, beta=RAMP)
    for epoch, weight in [(0, 0.0), (1, 0.5), (4, 2.0), (9, 2.0)]:
        losses = scheduled(x, given, epoch)
        assert scheduled.weights_at(epoch) == {"cross_entropy": 1.0, "extent": weight, "kl": weight}
        expected = losses.terms["cross_entropy"] + weight * (losses.terms["extent"] + losses.terms["kl"])
        torch.testing.assert_close(losses.total, expected)


def test_free_bits_and_capacity_change_the_total_and_not_the_reported_kl(x, given):
    kl = kl_per_dimension(given.mean, given.log_var)
    plain, free, aimed = (objective(beta=2.0, **options)(x, given, 0) for options in (
        {}, {"free_bits": 100.0}, {"capacity": 50.0},
    ))  # fmt: skip
    for losses in (plain, free, aimed):
        torch.testing.assert_close(losses.terms["kl"], kl.sum(1))
    rest = plain.total - 2 * kl.sum(1)
    torch.testing.assert_close(free.total - rest, torch.full((BATCH,), 2 * LATENT * 100.0))
    torch.testing.assert_close((aimed.total - rest).mean(), 2 * (kl.sum(1).mean() - 50).abs())


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"beta": 0.5}, 0.5),
        ({"beta": 0.5, "terms": {"cross_entropy": 2.0}}, 0.25),
        ({"beta": 0.5, "reduction": "mean"}, 0.5 * 64),
        ({"beta": 0.5, "reduction": "mean", "terms": {"cross_entropy": 2.0}}, 0.25 * 64),
        ({"beta": RAMP}, 2.0),
        ({"beta": 0.5, "terms": {"cross_entropy": 1.0, "focal": 1.0}}, 0.25),
        ({"beta": 0.5, "terms": {"cross_entropy": 0.0}}, float("inf")),
    ],
)
def test_effective_beta_is_per_summed_nat(loss, expected):
    assert objective(**loss).effective_beta(epoch=9) == expected


def test_effective_beta_is_what_a_ramp_has_reached():
    assert objective(beta=RAMP).effective_beta(epoch=1) == 0.5


def test_beta_of_the_mean_and_effective_beta_of_the_sum_have_the_same_minimum(given):
    x = torch.zeros(BATCH, 8, 8, dtype=torch.int64)  # grids of equal size: 64 cells, the mean of `grid_info`
    mean = objective(beta=0.5, reduction="mean", terms={"extent": 0.0})
    total = objective(beta=mean.effective_beta(epoch=1), terms={"extent": 0.0})
    torch.testing.assert_close(64 * mean(x, given, 0).total, total(x, given, 0).total)


def test_gradient_reaches_all_that_the_model_says(x, given):
    objective()(x, given, 0).total.mean().backward()
    for tensor in (given.mean, given.log_var, given.reconstruction, given.extent):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0
    outside = (x == CLASSES).unsqueeze(1).expand_as(given.reconstruction)
    assert (given.reconstruction.grad[outside] == 0).all()
