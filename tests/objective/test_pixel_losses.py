import math

import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, Laplace, Normal

from vaelab.models.vae import Inference
from vaelab.objective import pixel_losses
from vaelab.objective.context import Context
from vaelab.objective.weights import centre_bump
from vaelab.params.loss import Loss

ERRORS = [pixel_losses.mse, pixel_losses.l1, pixel_losses.charbonnier, pixel_losses.focal_error]
TERMS = [*ERRORS, pixel_losses.bce, pixel_losses.gaussian, pixel_losses.laplace]
SUMMED = Context(Loss(reduction="sum"))


def images(count: int, channels: int = 3, side: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two batches of random images."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.rand(2, count, channels, side, side, generator=generator, dtype=torch.float64)
    return x, y


def inferred(reconstruction: Tensor, log_sigma: Tensor | None = None) -> Inference:
    z = torch.zeros(len(reconstruction), 2, dtype=reconstruction.dtype)
    return Inference(z, z, z, reconstruction, log_sigma=log_sigma)


FORMULAS = {
    pixel_losses.mse: lambda e: e**2,
    pixel_losses.l1: lambda e: abs(e),
    pixel_losses.charbonnier: lambda e: math.sqrt(e**2 + 0.05**2) - 0.05,
    pixel_losses.focal_error: lambda e: abs(e) ** 1.5 * e**2,
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("term", ERRORS)
def test_errors_equal_their_formula_element_by_element(term, channels):
    x, y = images(2, channels, 4)
    expected = [sum(FORMULAS[term](e) for e in (a - b).flatten().tolist()) for a, b in zip(x, y, strict=True)]
    value = term(x, inferred(y), Context(Loss(gamma=1.5, epsilon=0.05)))
    torch.testing.assert_close(value, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("term", ERRORS)
def test_errors_of_a_perfect_reconstruction_are_zero(term):
    x, _ = images(3)
    assert term(x, inferred(x), SUMMED).tolist() == [0, 0, 0]


def test_focal_error_with_gamma_0_is_mse():
    x, y = images(3)
    torch.testing.assert_close(
        pixel_losses.focal_error(x, inferred(y), Context(Loss(gamma=0))), pixel_losses.mse(x, inferred(y), SUMMED)
    )


def test_bce_is_the_log_prob_of_a_bernoulli():
    x, p = images(3)
    expected = -Bernoulli(p, validate_args=False).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(pixel_losses.bce(x, inferred(p), SUMMED), expected)


@pytest.mark.parametrize("saturated", [0.0, 1.0, -0.5, 1.5])
def test_bce_is_finite_outside_of_0_and_1(saturated):
    x = torch.tensor([0.0, 1.0]).expand(1, 1, 2, 2)
    reconstruction = torch.full_like(x, saturated).requires_grad_()
    value = pixel_losses.bce(x, inferred(reconstruction), SUMMED)
    value.sum().backward()
    assert value.item() == pytest.approx(-2 * math.log(1e-6), rel=0.01)
    assert reconstruction.grad.isfinite().all()


DENSITIES = {
    pixel_losses.gaussian: lambda y, sigma: Normal(y, sigma),
    pixel_losses.laplace: lambda y, sigma: Laplace(y, sigma / math.sqrt(2)),
}


@pytest.mark.parametrize("term", DENSITIES)
@pytest.mark.parametrize("sigma", [0.02, 0.3, 1.0])
def test_likelihoods_with_a_fixed_sigma_are_log_probs(term, sigma):
    x, y = images(3)
    density = DENSITIES[term](y, torch.tensor(sigma, dtype=torch.float64))
    assert density.stddev.flatten()[0].item() == pytest.approx(sigma)
    expected = -density.log_prob(x)
    torch.testing.assert_close(term(x, inferred(y), Context(Loss(sigma=sigma))), expected.sum((1, 2, 3)))
    mean = Context(Loss(reduction="mean", sigma=sigma))
    torch.testing.assert_close(term(x, inferred(y), mean), expected.mean((1, 2, 3)))


@pytest.mark.parametrize("term", DENSITIES)
def test_the_sigma_of_the_decoder_goes_first(term):
    x, y = images(3)
    log_sigma = torch.tensor(math.log(0.2), dtype=torch.float64)
    expected = term(x, inferred(y), Context(Loss(sigma=0.2)))
    torch.testing.assert_close(term(x, inferred(y, log_sigma), Context(Loss(sigma=0.5))), expected)


@pytest.mark.parametrize("term", DENSITIES)
def test_each_pixel_may_have_a_sigma_of_its_own(term):
    x, y = images(3)
    sigma = torch.rand(3, 1, 8, 8, dtype=torch.float64) + 0.1
    expected = -DENSITIES[term](y, sigma.expand_as(y)).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(term(x, inferred(y, sigma.log()), Context()), expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("term", DENSITIES)
def test_the_best_sigma_has_the_least_nats_of_all(term, weighted):
    x, y = images(5)
    weights = centre_bump(8, 9.0, 0.25).double() if weighted else None
    best = term(x, inferred(y), Context(pixel_weights=weights)).mean()
    sigmas = torch.linspace(0.2, 0.8, 601).tolist()
    others = [term(x, inferred(y), Context(Loss(sigma=sigma), pixel_weights=weights)).mean() for sigma in sigmas]
    assert best <= min(others)
    assert best == pytest.approx(min(others).item(), abs=1e-3)


def test_the_best_sigma_of_gaussian_gives_half_log_of_mse():
    x, y = images(5)
    variance = (x - y).square().mean()
    expected = 0.5 * x[0].numel() * (math.log(2 * math.pi) + variance.log() + 1)
    torch.testing.assert_close(pixel_losses.gaussian(x, inferred(y), SUMMED).mean(), expected)


def test_the_best_sigma_passes_its_gradient_on():
    x, y = images(5)
    y.requires_grad_()
    (gradient,) = torch.autograd.grad(pixel_losses.gaussian(x, inferred(y), SUMMED).mean(), y)
    (of_log,) = torch.autograd.grad(0.5 * x[0].numel() * (x - y).square().mean().log(), y)
    torch.testing.assert_close(gradient, of_log)


@pytest.mark.parametrize("log_sigma", [None, -50.0])
@pytest.mark.parametrize("term", DENSITIES)
def test_a_perfect_reconstruction_has_finite_nats_and_gradient(term, log_sigma):
    x, _ = images(2)
    y = x.clone().requires_grad_()
    given_sigma = None if log_sigma is None else torch.tensor(log_sigma, dtype=torch.float64)
    value = term(x, inferred(y, given_sigma), SUMMED)
    torch.testing.assert_close(value, term(x, inferred(y), Context(Loss(sigma=math.exp(-6)))))
    value.sum().backward()
    assert y.grad.isfinite().all()


@pytest.mark.parametrize("term", TERMS)
def test_mean_is_the_sum_over_the_number_of_elements(term):
    x, y = images(4)
    mean, total = (term(x, inferred(y), Context(Loss(reduction=reduction))) for reduction in ("mean", "sum"))
    torch.testing.assert_close(mean, total / x[0].numel())


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("term", TERMS)
def test_pixel_weights_scale_the_elements_of_their_place(term, reduction):
    x, y = images(4)
    weights = centre_bump(8, 5.0, 0.25).double()
    single = torch.eye(64, dtype=torch.float64).view(64, 8, 8)
    options = Context(Loss(reduction=reduction, sigma=0.3))
    parts = torch.stack([term(x, inferred(y), options._replace(pixel_weights=weight)) for weight in single], 1)
    torch.testing.assert_close(term(x, inferred(y), options._replace(pixel_weights=weights)), parts @ weights.flatten())


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(5)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    x, y = images(5, seed=seed)
    torch.testing.assert_close(term(x[order], inferred(y[order]), SUMMED), term(x, inferred(y), SUMMED)[order])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences(term, reduction):
    x, y = images(2, 3, 3)
    weights = centre_bump(3, 5.0, 0.25).double()
    options = Context(Loss(reduction=reduction, gamma=1.5, epsilon=0.05), pixel_weights=weights)
    assert torch.autograd.gradcheck(lambda y: term(x, inferred(y), options), y.requires_grad_())


@pytest.mark.parametrize("term", DENSITIES)
def test_gradient_of_the_decoders_sigma_equals_finite_differences(term):
    x, y = images(2, 1, 3)
    log_sigma = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: term(x, inferred(y, given), SUMMED), log_sigma)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_gradient_of_focal_error_is_zero_where_the_error_is(gamma):
    x, _ = images(2)
    y = x.clone().requires_grad_()
    pixel_losses.focal_error(x, inferred(y), Context(Loss(gamma=gamma))).sum().backward()
    assert not y.grad.any()


@pytest.mark.parametrize("side", [16, 63, 64])
def test_the_bump_has_mean_1_and_the_asked_ratio_of_centre_and_corners(side):
    weights = centre_bump(side, 4.0, 0.25)
    assert weights.mean().item() == pytest.approx(1)
    assert (weights[side // 2, side // 2] / weights[0, 0]).item() == pytest.approx(4)
    torch.testing.assert_close(weights, weights.T)
    torch.testing.assert_close(weights, weights.flip(0))
    assert (weights[side // 2, : side // 2].diff() > 0).all()


def test_a_wider_bump_falls_more_slowly():
    narrow, wide = centre_bump(64, 4.0, 0.1), centre_bump(64, 4.0, 0.4)
    assert narrow[32, 16] / narrow[32, 32] < wide[32, 16] / wide[32, 32]


def test_a_centre_weight_of_1_weighs_all_the_same():
    torch.testing.assert_close(centre_bump(16, 1.0, 0.25), torch.ones(16, 16))
