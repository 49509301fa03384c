"""How far a set of samples is from a set of data, in features. N samples, M data, F features, on the CPU in float32."""

import torch
from torch import Tensor

NEIGHBOURS = 3
SAME = 1e-4  # distance below which two examples count as one: rounding


def precision_recall(samples: Tensor, data: Tensor) -> tuple[float, float]:
    """Return the shares of samples [N, F] near some data [M, F], and of data near some samples, each in [0, 1].

    Near a set: within the distance from one of its members to that member's third nearest neighbour in the set.
    Source: Kynkäänniemi et al. 2019, equations 1 and 2.
    """
    distance = _distances(samples, data)
    precision = (distance <= _reach(data)).any(1)
    recall = (distance <= _reach(samples).unsqueeze(1)).any(0)
    return float(precision.double().mean()), float(recall.double().mean())


def mmd(samples: Tensor, data: Tensor) -> float:
    """Return the squared maximum mean discrepancy of samples [N, F] and data [M, F]: unbiased, so it can be below 0.

    Kernel exp(−d² / 2m²), m the median distance of different data; NaN where all data are the same.
    Source: Gretton et al. 2012, equation 3.
    """
    within = _distances(data, data)
    median = within[within > SAME].median()
    among, apart, across = (
        torch.exp(-0.5 * (distance / median).square())
        for distance in (_distances(samples, samples), within, _distances(samples, data))
    )
    return float(_off_diagonal_mean(among) + _off_diagonal_mean(apart) - 2 * across.mean())


def _distances(one: Tensor, other: Tensor) -> Tensor:
    return torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist").double()


def _reach(x: Tensor) -> Tensor:
    """Distance of each member to its NEIGHBOURS-th nearest neighbour in the set [N]."""
    return _distances(x, x).kthvalue(NEIGHBOURS + 1, dim=1).values.clamp_min(SAME)


def _off_diagonal_mean(kernel: Tensor) -> Tensor:
    return (kernel.sum() - kernel.diagonal().sum()) / (len(kernel) * (len(kernel) - 1))
