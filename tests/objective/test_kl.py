import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from vaelab.objective.kl import kl_per_dimension, with_capacity, with_free_bits

NUMBER = st.floats(-8, 8)


def posterior(batch: int = 16, latent: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    mean, log_var = torch.randn(2, batch, latent, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mean, log_var


def test_kl_equals_torch_distributions():
    mean, log_var = posterior()
    expected = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0, 1))
    torch.testing.assert_close(kl_per_dimension(mean, log_var), expected)


@steady
@given(mean=NUMBER, log_var=NUMBER)
def test_rate_is_never_negative(mean, log_var):
    rounding = 1e-13
    assert kl_per_dimension(*torch.tensor([mean, log_var], dtype=torch.float64)) >= -rounding


def test_rate_is_zero_for_the_prior_alone():
    assert kl_per_dimension(torch.zeros(3), torch.zeros(3)).tolist() == [0, 0, 0]
    assert kl_per_dimension(torch.tensor([0.1, 0.0]), torch.tensor([0.0, 0.1])).min() > 0


def test_gradient_of_the_rate_equals_finite_differences():
    assert torch.autograd.gradcheck(kl_per_dimension, [part.requires_grad_() for part in posterior(3, 2)])


@steady
@given(bits=st.floats(0, 4), seed=st.integers(0, 1000))
def test_free_bits_hold_a_dimension_at_the_limit(bits, seed):
    kl = kl_per_dimension(*posterior(seed=seed))
    expected = kl.mean(0).clamp_min(bits).sum()
    torch.testing.assert_close(with_free_bits(kl, bits).sum(1).mean(), expected)


def test_free_bits_stop_the_gradient_of_held_dimensions_only():
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]], requires_grad=True)
    with_free_bits(kl, 0.5).sum(1).mean().backward()
    assert kl.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]


def test_no_free_bits_change_nothing():
    kl = kl_per_dimension(*posterior())
    assert with_free_bits(kl, 0.0) is kl


@steady
@given(capacity=st.floats(0, 30), seed=st.integers(0, 1000))
def test_capacity_penalises_the_distance_of_the_batch_mean(capacity, seed):
    kl = kl_per_dimension(*posterior(seed=seed)).sum(1)
    torch.testing.assert_close(with_capacity(kl, capacity).mean(), (kl.mean() - capacity).abs())


@pytest.mark.parametrize(("capacity", "direction"), [(1.0, 1.0), (9.0, -1.0)])
def test_capacity_pulls_the_rate_towards_it(capacity, direction):
    kl = torch.tensor([2.0, 4.0], requires_grad=True)
    with_capacity(kl, capacity).mean().backward()
    assert kl.grad.tolist() == [direction / 2, direction / 2]
