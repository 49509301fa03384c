import math

import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal

from vaelab.models.vae import Inference
from vaelab.objective import aggregate_posterior
from vaelab.objective.context import Context

TERMS = [aggregate_posterior.total_correlation, aggregate_posterior.mmd]
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


def posteriors(count: int, dimensions: int, seed: int = 0) -> Inference:
    generator = torch.Generator().manual_seed(seed)
    mean, log_var, noise = torch.randn(3, count, dimensions, generator=generator, dtype=torch.float64)
    log_var = 0.5 * log_var - 2
    return Inference(mean, log_var, mean + (0.5 * log_var).exp() * noise, torch.zeros(count, 1))


def of_latents(z: Tensor) -> Inference:
    return Inference(z, torch.full_like(z, -4.0), z, torch.zeros(len(z), 1))


def normal(count: int, dimensions: int, seed: int = 0) -> Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value(term, inference: Inference, examples: int = 1) -> Tensor:
    return term(inference.reconstruction, inference, Context(examples=examples))


def test_total_correlation_equals_a_loop_over_torch_distributions():
    inference, examples = posteriors(5, 3), 70
    expected = []
    for z in inference.z:
        densities = [Normal(m, (0.5 * v).exp()).log_prob(z).exp() for m, v in zip(*inference[:2], strict=True)]
        joint = sum(density.prod() for density in densities) / (examples * 5)
        marginals = [sum(density[j] for density in densities) / (examples * 5) for j in range(3)]
        expected.append(math.log(joint) - sum(math.log(marginal) for marginal in marginals))
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(value(aggregate_posterior.total_correlation, inference, examples), expected)


def test_total_correlation_of_one_dimension_is_zero():
    zeros = torch.zeros(6, dtype=torch.float64)
    torch.testing.assert_close(value(aggregate_posterior.total_correlation, posteriors(6, 1), 100), zeros)


def test_duplicated_dimensions_have_more_total_correlation_than_independent_ones():
    z = normal(128, 4)
    duplicated = z[:, :1].expand(-1, 4)
    independent, same = (
        value(aggregate_posterior.total_correlation, of_latents(each), 128).mean() for each in (z, duplicated)
    )
    assert same > independent + 1


def test_total_correlation_of_far_apart_posteriors_is_finite():
    inference = of_latents(1e3 * normal(8, 4).float())._replace(log_var=torch.full((8, 4), -20.0))
    assert value(aggregate_posterior.total_correlation, inference, 1000).isfinite().all()


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """Sum over the bandwidths of the RBF kernel."""
    squares = (a - b).square().sum(-1)
    return sum((-squares / (2 * factor * a.shape[-1])).exp() for factor in FACTORS)


def test_mmd_equals_a_double_loop_and_the_closed_forms_monte_carlo_estimates():
    z = 0.5 * normal(6, 3, seed=1) + 0.7
    prior, other = normal(400_000, 3, seed=2), normal(400_000, 3, seed=3)
    within_prior = kernel(prior, other).mean()
    expected = []
    for i in range(6):
        pairs = sum(kernel(z[i], z[j]) for j in range(6) if j != i) / 5
        expected.append(float(pairs - 2 * kernel(z[i], prior).mean() + within_prior))
    torch.testing.assert_close(
        value(aggregate_posterior.mmd, of_latents(z)), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=6e-3
    )


def test_mmd_equals_a_double_loop_exactly():
    z, size = normal(7, 4) + 0.3, 4
    expected = torch.zeros(7, dtype=torch.float64)
    for factor in FACTORS:
        s = factor * size
        expected += (s / (s + 2)) ** (size / 2)
        for i in range(7):
            expected[i] -= 2 * (s / (s + 1)) ** (size / 2) * math.exp(-float(z[i] @ z[i]) / (2 * (s + 1)))
            for j in set(range(7)) - {i}:
                expected[i] += math.exp(-float((z[i] - z[j]).square().sum()) / (2 * s)) / 6
    torch.testing.assert_close(value(aggregate_posterior.mmd, of_latents(z)), expected)


def test_mmd_of_the_prior_is_zero_on_average():
    estimates = torch.stack(
        [value(aggregate_posterior.mmd, of_latents(normal(64, 8, seed))).mean() for seed in range(100)]
    )
    assert abs(estimates.mean()) < 3 * estimates.std() / 10
    assert (estimates < 0).any()


@pytest.mark.parametrize("change", ["collapsed", "shifted", "wide", "duplicated"])
def test_mmd_of_an_aggregate_that_is_not_the_prior_is_high(change):
    z = normal(128, 8)
    changed = {"collapsed": 0 * z, "shifted": z + 1, "wide": 2 * z, "duplicated": z[:, :1].expand(-1, 8)}[change]
    assert value(aggregate_posterior.mmd, of_latents(changed)).mean() > 0.1
    assert abs(value(aggregate_posterior.mmd, of_latents(z)).mean()) < 0.03


def test_mmd_of_one_example_is_zero():
    assert value(aggregate_posterior.mmd, of_latents(normal(1, 4))).tolist() == [0]


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(5)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    inference = posteriors(5, 3, seed)
    permuted = Inference(*(tensor[order] for tensor in inference[:4]))
    torch.testing.assert_close(value(term, permuted, 50), value(term, inference, 50)[order])


@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences(term):
    start = posteriors(4, 3)

    def loss(mean: Tensor, log_var: Tensor, z: Tensor) -> Tensor:
        return value(term, Inference(mean, log_var, z, start.reconstruction), 20)

    assert torch.autograd.gradcheck(loss, [tensor.clone().requires_grad_() for tensor in start[:3]])
