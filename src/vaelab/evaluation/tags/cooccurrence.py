"""How well rows of tags repeat which tags go together in the data. Definitions: docs/metrics/tags.md.

n rows, D tags, K of them measured, P = K (K − 1) / 2 pairs.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

ROWS = 2048  # that are turned into floats at a time
NAMES = ("cosine_similarity", "cosine_similarity_off_diagonal", "kl_divergence", "hellinger", "pearson")


class Counts(NamedTuple):
    """In how many rows tags occur, and pairs of tags: the distinct entries of XᵀX."""

    single: np.ndarray  # the diagonal, float64 [K]
    pair: np.ndarray  # the upper triangle without the diagonal, float64 [P]


def most_frequent(frequency: Tensor, limit: int) -> Tensor:
    """Return the numbers of at most `limit` tags of these frequencies [D], most frequent first, ties by number."""
    return torch.argsort(frequency, descending=True, stable=True)[:limit]


def count(x: Tensor, tags: Tensor) -> Counts:
    """Return in how many rows of x [n, D] of 0 and 1 each of `tags` [K] occurs, and each pair of them.

    Exact below 2^24 rows: float32 holds all whole numbers up to there, so that no sum is ever rounded, in whatever
    order and on however many threads it is taken. Memory: ROWS × K and a few times K² floats.
    """
    matrix = torch.zeros((len(tags), len(tags)))
    for start in range(0, len(x), ROWS):
        rows = x[start : start + ROWS][:, tags].float()
        matrix.addmm_(rows.T, rows)
    upper = torch.ones(matrix.shape, dtype=torch.bool).triu(1)
    return Counts(matrix.diagonal().double().numpy(), matrix[upper].double().numpy())


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the cosine of the angle between two vectors; NaN where one is all zero."""
    scale = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / scale if scale else math.nan


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two vectors; NaN where one is constant or empty."""
    if not len(a) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return cosine(a - a.mean(), b - b.mean())


def smoothed(pair: np.ndarray, smoothing: float) -> np.ndarray:
    """Return the distribution over pairs of tags [P]: their counts and `smoothing` more of each, divided by the sum.

    It is the posterior mean under a symmetric Dirichlet prior, Jeffreys' where `smoothing` is 0.5.
    """
    distribution: np.ndarray = (pair + smoothing) / (pair.sum() + smoothing * len(pair))
    return distribution


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Return KL(p ‖ q), nats; distributions above 0 everywhere [P]. Source: Kullback & Leibler 1951."""
    return max(0.0, float((p * np.log(p / q)).sum()))


def hellinger(p: np.ndarray, q: np.ndarray) -> float:
    """Return the Hellinger distance of two distributions [P], in [0, 1]. Source: Hellinger 1909."""
    return min(1.0, math.sqrt(0.5 * float(np.square(np.sqrt(p) - np.sqrt(q)).sum())))


def compare(data: Counts, other: Counts, smoothing: float) -> dict[str, float]:
    """Return the measures of co-occurrences against those of data; `smoothing`: added to the count of every pair.

    No distribution over pairs, and so NaN, where the data have no pair of tags.
    """
    values = {
        # the whole matrix holds each pair twice: once above and once below the diagonal
        "cosine_similarity": cosine(*(np.concatenate([c.single, math.sqrt(2) * c.pair]) for c in (data, other))),
        "cosine_similarity_off_diagonal": cosine(data.pair, other.pair),
        "kl_divergence": math.nan,
        "hellinger": math.nan,
        "pearson": pearson(data.pair, other.pair),
    }
    if data.pair.any():
        p, q = smoothed(data.pair, smoothing), smoothed(other.pair, smoothing)
        values |= {"kl_divergence": kl_divergence(p, q), "hellinger": hellinger(p, q)}
    return values
