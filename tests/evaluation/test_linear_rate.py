import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from vaelab.evaluation.linear_rate import linear_rate, without_sampling_noise


@pytest.mark.parametrize(("eigenvalue", "noise"), [(4.0, 0.5), (1.2, 1.0), (0.3, 1.0)])
def test_it_is_the_rate_at_the_best_weight_of_a_linear_decoder(eigenvalue, noise):
    def loss(v):
        return -0.5 * v * eigenvalue / (noise + v) + 0.5 * noise * np.log(1 + v / noise)

    best = minimize_scalar(loss, bounds=(0, 50), method="bounded", options={"xatol": 1e-10}).x
    s = noise / (noise + best)  # variance of the posterior; E μ² = v λ / (noise + v)²
    rate = 0.5 * (best * eigenvalue / (noise + best) ** 2 + s - 1 - np.log(s))
    assert linear_rate(torch.tensor([eigenvalue]), noise) == pytest.approx(rate, abs=1e-4)


def test_of_no_eigenvalue_it_is_nothing():
    assert linear_rate(torch.empty(0), 1.0) == 0


def test_of_independent_values_hardly_a_nat_is_left():
    rows = np.random.default_rng(0).normal(size=(100, 200))
    found = torch.from_numpy(np.linalg.svd(rows, compute_uv=False)[:32] ** 2 / 100)
    assert linear_rate(found, 1.0) > 15
    assert linear_rate(without_sampling_noise(found, 100, 200), 1.0) < 1


@pytest.mark.parametrize("true", [4.0, 10.0])
def test_a_spike_is_found_again_from_a_sample_that_raises_it(true):
    random, found = np.random.default_rng(1), []
    for _ in range(20):
        rows = random.normal(size=(400, 200))
        rows[:, 0] *= true**0.5
        found.append(np.linalg.svd(rows, compute_uv=False)[0] ** 2 / 400)
    raised = torch.tensor(found)
    assert without_sampling_noise(raised, 400, 200).mean() == pytest.approx(true, rel=0.05)
    assert raised.mean() > 1.04 * true


def test_of_very_many_rows_nothing_is_taken_away():
    eigenvalues = torch.tensor([5.0, 1.5, 0.4])
    assert torch.allclose(without_sampling_noise(eigenvalues, 10**9, 10), eigenvalues, rtol=1e-3)
