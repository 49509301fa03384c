"""Codes whose scores are known beforehand, after mig_test.py of disentanglement_lib (Locatello et al. 2019)."""

import math

import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Independent, Normal

from vaelab.data.format.batches import generator
from vaelab.evaluation.latent import information
from vaelab.objective.kl import kl_per_dimension

N, LATENT = 64, 5


def summary(mean: Tensor, log_var: Tensor, examples: int = N) -> dict[str, float]:
    return information.latent_metrics(mean, log_var, variance=0.01, examples=examples, seed=0)


def perfect() -> tuple[Tensor, Tensor]:
    """Means far from each other in every dimension, and next to no variance."""
    order = [torch.randperm(N, generator=torch.Generator().manual_seed(j)) for j in range(LATENT)]
    return torch.stack(order, 1).float() - N / 2, torch.full((N, LATENT), -10.0)


def collapsed() -> tuple[Tensor, Tensor]:
    """The prior, whatever x is."""
    return torch.zeros(N, LATENT), torch.zeros(N, LATENT)


def random() -> tuple[Tensor, Tensor]:
    mean, log_var = torch.randn(2, N, LATENT, generator=torch.Generator().manual_seed(0))
    return mean, log_var - 1


def brute_force(mean: Tensor, log_var: Tensor, noise: Tensor) -> float:
    """mean_i [log q(z_i|x_i) − log (1/N) Σ_j q(z_i|x_j)], pair by pair."""
    posteriors = [Independent(Normal(m, (v / 2).exp()), 1) for m, v in zip(mean, log_var, strict=True)]
    total = 0.0
    for posterior, e in zip(posteriors, noise, strict=True):
        z = posterior.mean + posterior.stddev * e
        among = torch.stack([other.log_prob(z) for other in posteriors]).logsumexp(0) - math.log(len(posteriors))
        total += float(posterior.log_prob(z) - among)
    return total / len(posteriors)


def test_a_perfect_code_names_its_example():
    found = summary(*perfect())
    assert found["mutual_information"] == pytest.approx(math.log(N), abs=1e-6)
    assert found["active_units"] == LATENT
    assert found["pct_active_units"] == 100
    assert found["effective_dimensions"] == pytest.approx(LATENT, rel=1e-3)


def test_a_collapsed_code_says_nothing():
    found = summary(*collapsed())
    expected = ("rate", "active_units", "pct_active_units", "effective_dimensions", "mutual_information")
    assert {name: found[name] for name in expected} == dict.fromkeys(expected, 0)
    assert found["aggregate_kl"] == pytest.approx(0, abs=1e-9)


def test_a_code_of_one_dimension_among_idle_ones():
    mean, log_var = collapsed()
    mean[:, 2], log_var[:, 2] = perfect()[0][:, 2], -10.0
    found = summary(mean, log_var)
    assert found["mutual_information"] == pytest.approx(math.log(N), abs=1e-6)
    assert found["active_units"] == 1
    assert found["pct_active_units"] == pytest.approx(100 / LATENT)
    assert found["effective_dimensions"] == pytest.approx(1)


def test_duplicated_dimensions_double_the_rate_and_not_what_is_known_of_x():
    mean, log_var = perfect()
    once, twice = summary(mean, log_var), summary(mean.repeat(1, 2), log_var.repeat(1, 2))
    for name in ("rate", "active_units", "effective_dimensions"):
        assert twice[name] == pytest.approx(2 * once[name])
    assert twice["mutual_information"] == pytest.approx(once["mutual_information"], abs=1e-6)
    assert twice["aggregate_kl"] > once["aggregate_kl"]


def test_a_high_rate_that_is_the_same_for_every_example_holds_no_information():
    mean, log_var = torch.full((N, LATENT), 3.0), torch.full((N, LATENT), -2.0)
    found = summary(mean, log_var)
    assert found["rate"] > 20
    assert found["mutual_information"] == pytest.approx(0, abs=1e-9)
    assert found["active_units"] == 0
    assert found["aggregate_kl"] == pytest.approx(found["rate"])


@pytest.mark.parametrize("seed", [0, 7])
def test_mutual_information_equals_brute_force(seed):
    mean, log_var = (part.double()[:24] for part in random())
    noise = torch.randn(mean.shape, generator=generator(seed, 0, stream=3), dtype=torch.float64)
    assert information.mutual_information(mean, log_var, seed) == pytest.approx(brute_force(mean, log_var, noise))


def test_mutual_information_does_not_depend_on_how_rows_are_split():
    mean, log_var = torch.randn(2, 300, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.randn(mean.shape, generator=generator(0, 0, stream=3), dtype=torch.float64)
    z = mean + (0.5 * log_var).exp() * noise
    pairs = Normal(mean, (0.5 * log_var).exp()).log_prob(z.unsqueeze(1)).sum(2)  # [300, 300]
    expected = (pairs.diagonal() - pairs.logsumexp(1)).mean() + math.log(300)
    assert information.mutual_information(mean, log_var, 0) == pytest.approx(float(expected))


@steady
@given(seed=st.integers(0, 100), scale=st.floats(0, 20))
def test_mutual_information_lies_between_0_and_ln_n(seed, scale):
    mean = scale * torch.randn(20, 3, generator=torch.Generator().manual_seed(seed))
    assert 0 <= information.mutual_information(mean, torch.zeros(20, 3), seed) <= math.log(20) + 1e-9


@pytest.mark.parametrize("examples", [N, 10])
def test_rate_splits_into_mutual_information_and_aggregate_kl(examples):
    mean, log_var = random()
    found = summary(mean, log_var, examples)
    chosen = torch.randperm(N, generator=generator(0, 0, stream=4))[:examples]
    rate = kl_per_dimension(mean[chosen].double(), log_var[chosen].double()).sum(1).mean()
    assert found["mutual_information"] + found["aggregate_kl"] == pytest.approx(float(rate))
    assert found["mutual_information"] <= math.log(examples)


def test_rate_is_of_all_examples():
    mean, log_var = random()
    expected = kl_per_dimension(mean.double(), log_var.double()).sum(1).mean()
    assert summary(mean, log_var, examples=10)["rate"] == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("kl", "expected"),
    [([0.3] * 7, 7), ([0.0, 5.0, 0.0], 1), ([0.0, 0.0], 0), ([1.0, 1.0, 0.0, 0.0], 2), ([0.5, 0.25, 0.25], 2**1.5)],
)
def test_effective_dimensions_of_known_shares(kl, expected):
    assert information.effective_dimensions(torch.tensor(kl, dtype=torch.float64)) == pytest.approx(expected)


@steady
@given(kl=st.lists(st.integers(0, 100), min_size=1, max_size=8), factor=st.floats(0.1, 10))
def test_effective_dimensions_do_not_depend_on_the_scale(kl, factor):
    shares = torch.tensor(kl, dtype=torch.float64)
    found = information.effective_dimensions(shares)
    assert found == pytest.approx(information.effective_dimensions(factor * shares), rel=1e-6)
    assert found == 0 or 1 - 1e-9 <= found <= len(kl) + 1e-9


def test_signal_to_noise_is_the_variance_between_examples_over_that_within_them():
    mean, log_var = random()
    noise = torch.randn((20_000, N, LATENT), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z = (mean.double() + (0.5 * log_var.double()).exp() * noise).numpy()
    expected = z.mean(0).var(0) / z.var(0).mean(0)  # analysis of variance of many draws
    assert information.signal_to_noise(mean, log_var).numpy() == pytest.approx(expected, rel=0.02)
    assert summary(mean, log_var)["snr_max"] == pytest.approx(max(expected), rel=0.02)


def test_a_gaussian_channel_carries_half_the_logarithm_of_one_plus_signal_to_noise():
    """One dimension, means N(0, s²), noise of 1: the mutual information is known (Cover & Thomas 2006)."""
    mean = 2 * torch.randn((4000, 1), generator=torch.Generator().manual_seed(2))
    log_var = torch.zeros(4000, 1)
    ratio = float(information.signal_to_noise(mean, log_var))
    found = information.mutual_information(mean, log_var, seed=0)
    assert 0.5 * math.log(1 + ratio) == pytest.approx(found, abs=0.05)


def test_units_that_are_active_by_their_variance_say_nothing_in_their_noise():
    """As on collapsed runs: the means of all 32 dimensions vary by more than 0.01, and z does 50 times as much."""
    generator = torch.Generator().manual_seed(3)
    mean, log_var = 0.14 * torch.randn(200, 32, generator=generator), torch.zeros(200, 32)
    found = summary(mean, log_var)
    assert found["active_units"] == 32
    assert found["snr_max"] < 0.05
    assert summary(*perfect())["snr_max"] > 1000
    assert summary(*collapsed())["snr_max"] == 0
