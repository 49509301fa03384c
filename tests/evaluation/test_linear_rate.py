import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from vaelab.evaluation.linear_rate import linear_rate


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
