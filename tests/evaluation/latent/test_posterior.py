"""Posteriors whose place, shape and grouping are known beforehand."""

import math

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import kstest
from sklearn.metrics import silhouette_score
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.evaluation.latent import posterior
from vaelab.objective.kl import kl_per_dimension

N, LATENT = 400, 6


def random(seed: int = 0, count: int = N) -> tuple[Tensor, Tensor]:
    mean, log_var = torch.randn(2, count, LATENT, generator=torch.Generator().manual_seed(seed))
    return mean, log_var - 1


def prior_like() -> tuple[Tensor, Tensor]:
    """Posteriors N(μ, 0.36), μ ~ N(0, 0.64): their mixture is N(0, 1) but for the choice of the examples."""
    mean = 0.8 * torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return mean, torch.full_like(mean, math.log(0.36))


def test_moments_of_the_aggregate_posterior_are_those_of_many_samples():
    mean, log_var = random(count=20)
    noise = torch.randn(20_000, *mean.shape, generator=torch.Generator().manual_seed(1))
    z = (mean + (log_var / 2).exp() * noise).flatten(0, 1)
    found = posterior.table(mean, log_var, 0)
    np.testing.assert_allclose(found["aggregate_mean"], z.mean(0), atol=0.01)
    np.testing.assert_allclose(found["aggregate_std"], z.std(0), rtol=0.01)


def test_a_table_has_one_value_per_dimension():
    mean, log_var = random()
    found = posterior.table(mean, log_var, 0)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        ("kl", "variance_of_mean", "snr", "aggregate_mean", "aggregate_std", "ks"), (LATENT,)
    )
    np.testing.assert_allclose(found["kl"], kl_per_dimension(mean.double(), log_var.double()).mean(0))
    np.testing.assert_allclose(found["variance_of_mean"], np.var(mean.double().numpy(), 0))


@pytest.mark.parametrize("count", [1, 7, N])
def test_ks_equals_scipy(count):
    mean, log_var = (part.double() for part in random(3, count))
    noise = torch.randn(mean.shape, generator=generator(5, 0, stream=11), dtype=torch.float64)
    z = (mean + (log_var / 2).exp() * noise).numpy()
    expected = [kstest(z[:, j], "norm").statistic for j in range(LATENT)]
    np.testing.assert_allclose(posterior.ks_distances(mean, log_var, 5), expected)


def test_an_aggregate_posterior_like_the_prior_is_close_to_it():
    found = posterior.closeness(posterior.table(*prior_like(), 0))
    assert found["aggregate_mean_abs"] < 0.02
    assert found["aggregate_std"] == pytest.approx(1, abs=0.02)
    assert found["ks_max"] < 0.02


def test_a_collapsed_posterior_is_the_prior():
    found = posterior.closeness(posterior.table(torch.zeros(N, LATENT), torch.zeros(N, LATENT), 0))
    assert (found["aggregate_mean_abs"], found["aggregate_std"]) == (0, 1)
    assert found["ks_mean"] < 2 * 0.87 / N**0.5


def test_one_dimension_out_of_place_shows_in_its_own_row_and_in_the_largest_distance():
    mean, log_var = prior_like()
    mean[:, 1] += 2
    per_dimension = posterior.table(mean, log_var, 0)
    found = posterior.closeness(per_dimension)
    assert int(per_dimension["ks"].argmax()) == 1
    assert found["ks_max"] == pytest.approx(2 * 0.8413 - 1, abs=0.02)  # Φ(1) − Φ(−1): distance of N(2, 1) and N(0, 1)
    assert found["ks_mean"] == pytest.approx(found["ks_max"] / 3, abs=0.02)
    assert found["aggregate_mean_abs"] == pytest.approx(2 / 3, abs=0.02)


def test_extremes_are_counted_on_both_sides_and_beyond_the_limit_only():
    mean, log_var = torch.zeros(2, 5), torch.linspace(-9, 2, 10).view(2, 5)
    mean[0, 0], mean[1, 3], mean[1, 4] = 5.5, -7.0, 5.0
    assert posterior.extremes(mean, log_var, 5.0) == {
        "extreme_share": pytest.approx(0.2), "max_abs_mean": 7, "min_log_var": -9, "max_log_var": 2,
    }  # fmt: skip


def test_silhouette_equals_scikit_learn():
    mean, group = random()[0], torch.arange(N) % 3
    mean[group == 2] += 4
    expected = silhouette_score(mean.double().numpy(), group.numpy())
    assert posterior.silhouette(mean, group, N, 0) == pytest.approx(expected)
    assert expected > 0.1


def test_silhouette_of_a_part_is_near_that_of_the_whole():
    mean, group = random()[0], torch.arange(N) % 2
    mean[group == 1] += 3
    whole, part = (posterior.silhouette(mean, group, limit, 0) for limit in (N, 200))
    assert part != whole
    assert part == pytest.approx(whole, abs=0.1)


def test_silhouette_tells_apart_from_mixed_groups():
    mean = random()[0]
    group = (mean[:, 0] > 0).long()
    apart = mean + 100 * group.unsqueeze(1)
    assert posterior.silhouette(apart, group, N, 0) > 0.9
    assert abs(posterior.silhouette(mean, torch.arange(N) % 2, N, 0)) < 0.05


@pytest.mark.parametrize("group", [None, torch.zeros(N), torch.arange(N)])
def test_silhouette_is_undefined_without_two_groups_or_with_only_single_members(group):
    assert math.isnan(posterior.silhouette(random()[0], group, N, 0))


def test_diversity_of_few_examples_is_that_of_all_pairs():
    x = torch.rand(20, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    expected = pdist(x.flatten(1).numpy()).mean() / 60**0.5
    assert posterior.diversity(x, 0) == pytest.approx(expected, rel=1e-5)


def test_diversity_of_many_examples_is_near_that_of_all_pairs():
    x = torch.randn(500, 8, generator=torch.Generator().manual_seed(0)) ** 3
    expected = pdist(x.numpy()).mean() / 8**0.5
    assert posterior.diversity(x, 0) == pytest.approx(expected, rel=0.05)
    assert posterior.diversity(x, 0) != posterior.diversity(x, 1)


def test_diversity_of_stored_images_is_that_of_their_values():
    x = torch.randint(0, 256, (10, 1, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert posterior.diversity(x, 0) == pytest.approx(posterior.diversity(x.float() / 255, 0))


def test_diversity_of_one_example_is_undefined():
    assert math.isnan(posterior.diversity(torch.rand(1, 3), 0))


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 1), (0.5, 0.5), (0.0, 0)])
def test_diversity_ratio_is_1_for_a_perfect_and_0_for_a_collapsed_model(factor, expected):
    x = torch.rand(100, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert posterior.diversity_ratio(0.3 + factor * x, x, 0) == pytest.approx(expected, abs=1e-6)


def test_diversity_ratio_of_equal_originals_is_undefined():
    assert math.isnan(posterior.diversity_ratio(torch.rand(5, 3), torch.ones(5, 3), 0))


def test_a_linear_decoder_interpolates_evenly_and_directly():
    matrix = torch.randn(LATENT, 3 * 4 * 4, generator=torch.Generator().manual_seed(0))
    found = posterior.interpolation_smoothness(lambda z: (z @ matrix).view(-1, 3, 4, 4), random()[0], 8, 10, 0)
    assert found["interpolation_evenness"] == pytest.approx(1, abs=1e-4)
    assert found["interpolation_directness"] == pytest.approx(1, abs=1e-4)


def test_a_decoder_that_jumps_is_direct_and_uneven():
    mean = torch.tensor([[-1.0], [1.0]])
    found = posterior.interpolation_smoothness(lambda z: (z > 0.1).float().expand(-1, 5), mean, 8, 10, 0)
    assert found == {"interpolation_evenness": pytest.approx(1 / 8), "interpolation_directness": pytest.approx(1)}


def test_a_decoder_that_goes_round_is_even_and_indirect():
    mean = torch.tensor([[0.0], [math.pi]])
    found = posterior.interpolation_smoothness(lambda z: torch.cat([z.cos(), z.sin()], 1), mean, 64, 10, 0)
    assert found["interpolation_evenness"] == pytest.approx(1, abs=1e-4)
    assert found["interpolation_directness"] == pytest.approx(2 / math.pi, abs=1e-3)  # diameter over half circle


def test_ways_on_which_nothing_changes_do_not_count():
    mean = torch.tensor([[0.0], [1.0], [-5.0], [-6.0]])  # beyond 0 the decoder is flat
    found = posterior.interpolation_smoothness(lambda z: z.relu(), mean[:2], 4, 10, 0)
    assert found["interpolation_evenness"] == pytest.approx(1)
    some = posterior.interpolation_smoothness(lambda z: z.relu(), mean[[0, 2, 3]], 4, 10, 0)
    assert all(math.isnan(value) for value in some.values())
    mixed = posterior.interpolation_smoothness(lambda z: z.relu(), mean, 4, 10, 0)
    assert 0 < mixed["interpolation_evenness"] <= 1


@pytest.mark.parametrize("rows", [0, 1])
def test_interpolation_needs_two_examples(rows):
    found = posterior.interpolation_smoothness(lambda z: z, torch.zeros(rows, 3), 4, 10, 0)
    assert all(math.isnan(value) for value in found.values())


@steady
@given(seed=st.integers(0, 1000), count=st.integers(2, 40))
def test_smoothness_is_in_its_range_whatever_the_decoder(seed, count):
    matrix = torch.randn(LATENT, 7, generator=torch.Generator().manual_seed(seed))
    found = posterior.interpolation_smoothness(lambda z: (z @ matrix * 3).sin(), random(seed, count)[0], 5, 6, seed)
    assert 1 / 5 - 1e-9 <= found["interpolation_evenness"] <= 1
    assert 0 <= found["interpolation_directness"] <= 1 + 1e-9
