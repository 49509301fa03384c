import math

import pytest
import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.errors import InputError
from vaelab.evaluation.image import generation
from vaelab.evaluation.latent import prior

LATENT = 200


def correlated(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Posteriors of two unlike clusters in few directions of many dimensions, as of a PCA-initialised VAE."""
    source = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(LATENT, 12, generator=source)).Q.T * torch.linspace(9, 1, 12).unsqueeze(1)
    source = torch.Generator().manual_seed(seed + 1)
    code = torch.randn(count, 12, generator=source)
    code[: count // 2, :3] = 0.2 * code[: count // 2, :3] + 2
    mean = (code @ directions)[torch.randperm(count, generator=source)]
    return mean, torch.full_like(mean, math.log(0.05))


def drawn(mean: Tensor, log_var: Tensor) -> Tensor:
    return mean + (log_var / 2).exp() * torch.randn(mean.shape, generator=torch.Generator().manual_seed(9))


def samples(kind: str, count: int, mixture: prior.Mixture | None = None, seed: int = 0) -> Tensor:
    return prior.sample_prior(kind, count, LATENT, mixture, seed)


@pytest.mark.parametrize("count", [150, 1000])  # fewer examples than dimensions, and more
def test_a_fitted_mixture_is_nearer_to_held_out_latents_than_the_normal_prior(count):
    held_out = drawn(*correlated(500, seed=5))
    mixture = prior.fit_mixture(*correlated(count), 10, 0)
    fitted, normal = (generation.mmd(samples(kind, 500, mixture), held_out) for kind in ("mixture", "normal"))
    assert normal > 0.1
    assert abs(fitted) < 0.1 * normal


def test_several_components_are_nearer_to_clusters_than_one():
    held_out = drawn(*correlated(500, seed=5))
    one, ten = (samples("mixture", 500, prior.fit_mixture(*correlated(1000), n, 0)) for n in (1, 10))
    assert generation.mmd(ten, held_out) < 0.5 * generation.mmd(one, held_out)


@pytest.mark.parametrize("latent", [3, 300])
def test_mean_and_variance_of_each_dimension_are_those_of_the_aggregate_posterior(latent):
    mean, log_var = torch.randn(2, 400, latent, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = mean * torch.linspace(0.1, 3, latent) + 1
    mixture = prior.fit_mixture(mean, log_var, 1, 0)
    between = mixture.directions.square().T @ mixture.variances[0]
    torch.testing.assert_close(mixture.centre + mixture.means[0] @ mixture.directions, mean.mean(0))
    expected = mean.var(0, correction=0) + log_var.exp().mean(0)
    torch.testing.assert_close(between + mixture.noise_std.square(), expected, rtol=2e-3, atol=0)


def test_samples_have_the_moments_of_their_mixture():
    mean, log_var = correlated(1000)
    z = samples("mixture", 8000, prior.fit_mixture(mean, log_var, 5, 0))
    expected = (mean.var(0) + log_var.exp().mean(0)).sqrt()
    torch.testing.assert_close(z.std(0), expected, rtol=0.1, atol=0)
    torch.testing.assert_close(z.mean(0), mean.mean(0), rtol=0, atol=0.1)
    one, other = (torch.cov(rows[:, :5].T) for rows in (z, drawn(mean, log_var)))
    torch.testing.assert_close(one, other, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(("count", "latent"), [(2, 1), (2, 50), (3, 4), (30, 1), (30, 500), (100, 2)])
@pytest.mark.parametrize("components", [1, 10, 1000])
def test_small_and_narrow_latents_are_fitted(count, latent, components):
    mean, log_var = torch.randn(2, count, latent, generator=torch.Generator().manual_seed(0))
    mixture = prior.fit_mixture(mean, log_var, components, 0)
    assert len(mixture.weights) <= components
    assert prior.sample_prior("mixture", 7, latent, mixture, 0).isfinite().all()


def test_collapsed_latents_give_back_the_prior():
    mixture = prior.fit_mixture(torch.zeros(200, 4), torch.zeros(200, 4), 10, 0)
    z = prior.sample_prior("mixture", 20_000, 4, mixture, 0)
    torch.testing.assert_close(z.mean(0), torch.zeros(4), rtol=0, atol=0.03)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(4), rtol=0, atol=0.04)


def test_few_distinct_latents_among_many_are_fitted():
    mean = torch.tensor([[0.0, 0.0], [4.0, 1.0], [-3.0, 2.0]]).repeat(100, 1)
    z = prior.sample_prior("mixture", 500, 2, prior.fit_mixture(mean, torch.full_like(mean, -20.0), 10, 0), 0)
    assert float(torch.cdist(z, mean[:3]).amin(1).quantile(0.99)) < 0.5


def test_one_example_is_a_clear_error():
    with pytest.raises(InputError, match=r"evaluate\.prior: .* at least 2"):
        prior.fit_mixture(torch.zeros(1, 3), torch.zeros(1, 3), 2, 0)


def test_the_normal_prior_is_that_of_its_seed():
    expected = torch.randn((6, LATENT), generator=generator(3, 0, stream=6))
    assert torch.equal(samples("normal", 6, seed=3), expected)


def test_samples_depend_on_the_seed_and_on_nothing_else():
    mixture = prior.fit_mixture(*correlated(300), 5, 0)
    again = prior.fit_mixture(*correlated(300), 5, 0)
    torch.rand(3)
    assert torch.equal(samples("mixture", 9, mixture), samples("mixture", 9, again))
    assert not torch.equal(samples("mixture", 9, mixture), samples("mixture", 9, mixture, seed=1))
    assert samples("mixture", 9, mixture).dtype == torch.float32
