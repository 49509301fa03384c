"""How the posteriors of a split lie against the prior, by group and along straight lines.

Definitions: docs/metrics/latent.md. N examples, L latent dimensions. All on the CPU in float64.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.measures.latents import signal_to_noise
from vaelab.objective.kl import kl_per_dimension

PAIRS = 2000  # of examples that a diversity is averaged over, where there are more


def table(mean: Tensor, log_var: Tensor, seed: int) -> dict[str, np.ndarray]:
    """Return kl (nats), variance_of_mean, snr, aggregate_mean, aggregate_std and ks of each dimension, each [L].

    The aggregate posterior of a dimension is the mixture of its N posteriors: its mean and variance are analytic,
    Var(z) = E[σ²] + Var(μ).
    """
    mean, log_var = mean.double(), log_var.double()
    variance = mean.var(0, correction=0)
    columns = {
        "kl": kl_per_dimension(mean, log_var).mean(0),
        "variance_of_mean": variance,
        "snr": signal_to_noise(mean, log_var),
        "aggregate_mean": mean.mean(0),
        "aggregate_std": (variance + log_var.exp().mean(0)).sqrt(),
        "ks": ks_distances(mean, log_var, seed),
    }
    return {name: values.numpy() for name, values in columns.items()}


def ks_distances(mean: Tensor, log_var: Tensor, seed: int) -> Tensor:
    """Return sup_z |F(z) − Φ(z)| of each dimension [L], F the distribution of one z drawn from each posterior.

    Sampled and biased upwards: N draws from N(0, 1) itself have about 0.87 / √N. Source: Kolmogorov 1933.
    """
    noise = torch.randn(mean.shape, generator=generator(seed, 0, stream=11), dtype=torch.float64)
    z = mean.double() + (0.5 * log_var.double()).exp() * noise
    below = torch.special.ndtr(z.sort(0).values)
    steps = torch.arange(len(z) + 1, dtype=torch.float64).unsqueeze(1) / len(z)  # F before and after each z
    return torch.maximum(steps[1:] - below, below - steps[:-1]).amax(0)


def closeness(dimensions: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return from a `table` how close the aggregate posterior is to N(0, 1), over the dimensions."""
    return {
        "aggregate_mean_abs": float(np.abs(dimensions["aggregate_mean"]).mean()),
        "aggregate_std": float(dimensions["aggregate_std"].mean()),
        "ks_mean": float(dimensions["ks"].mean()),
        "ks_max": float(dimensions["ks"].max()),
    }


def extremes(mean: Tensor, log_var: Tensor, extreme: float) -> dict[str, float]:
    """Return the share of posterior means [N, L] beyond ±`extreme` standard deviations of the prior, and the ranges."""
    size = mean.double().abs()
    return {
        "extreme_share": float((size > extreme).double().mean()),
        "max_abs_mean": float(size.max()),
        "min_log_var": float(log_var.min()),
        "max_log_var": float(log_var.max()),
    }


def silhouette(mean: Tensor, group: Tensor | None, limit: int, seed: int) -> float:
    """Return the mean silhouette, in [−1, 1], of the posterior means [N, L] by group [N]; NaN below 2 groups.

    Euclidean distances, over at most `limit` examples chosen at random. Source: Rousseeuw 1987.
    """
    if group is None:
        return math.nan
    chosen = torch.randperm(len(mean), generator=generator(seed, 0, stream=12))[:limit]
    labels = group[chosen]
    if not 2 <= len(labels.unique()) < len(labels):
        return math.nan
    from sklearn.metrics import silhouette_score  # a second, which data without groups need not wait for

    return float(silhouette_score(mean[chosen].double().numpy(), labels.numpy()))


def diversity(x: Tensor, seed: int) -> float:
    """Return the mean over pairs of examples of their root-mean-square difference, in units of x; NaN below 2 examples.

    All pairs, or PAIRS random ones where there are more. x is [N, ...]; uint8 counts as [0, 1].
    """
    pairs = _pairs(len(x), PAIRS, seed, stream=13)
    if not len(pairs):
        return math.nan
    total = 0.0
    for part in pairs.split(32):
        one, other = (_unit(x[index]).flatten(1) for index in part.unbind(1))
        total += float((one - other).square().mean(1).sqrt().double().sum())
    return total / len(pairs)


def diversity_ratio(reconstruction: Tensor, original: Tensor, seed: int) -> float:
    """Return the diversity of the reconstructions over that of the originals; NaN where the originals have none."""
    whole = diversity(original, seed)
    return diversity(reconstruction, seed) / whole if whole else math.nan


@torch.no_grad()
def interpolation_smoothness(
    decode: Callable[[Tensor], Tensor], mean: Tensor, steps: int, pairs: int, seed: int
) -> dict[str, float]:
    """Return how even and how direct the decoded ways between random pairs of posterior means [N, L] are, in [0, 1].

    A way has `steps` equal steps in z; its step lengths are d_1 ... d_S, root-mean-square differences of neighbours.
    interpolation_evenness = mean d / max d, interpolation_directness = distance of the ends / Σ d, means over the ways;
    ways on which nothing changes do not count, and where none is left both are NaN. `decode` makes images [B, ...] of
    z [B, L], float32.
    """
    found = []
    for i, j in _pairs(len(mean), pairs, seed, stream=14).tolist():
        share = torch.linspace(0, 1, steps + 1, dtype=torch.float64).unsqueeze(1)
        way = decode(((1 - share) * mean[i].double() + share * mean[j].double()).float()).cpu().double().flatten(1)
        lengths = (way[1:] - way[:-1]).square().mean(1).sqrt()
        if lengths.max() > 0:
            whole = (way[-1] - way[0]).square().mean().sqrt()
            found.append((float(lengths.mean() / lengths.max()), float(whole / lengths.sum())))
    evenness, directness = torch.tensor(found, dtype=torch.float64).view(-1, 2).mean(0).tolist()
    return {"interpolation_evenness": evenness, "interpolation_directness": directness}


def _pairs(count: int, wanted: int, seed: int, stream: int) -> Tensor:
    """Pairs of different rows [P, 2]: all where there are at most `wanted`, else that many random ones."""
    if count * (count - 1) // 2 <= wanted:
        return torch.combinations(torch.arange(count))
    source = generator(seed, 0, stream=stream)
    first = torch.randint(count, (wanted,), generator=source)
    return torch.stack([first, (first + torch.randint(1, count, (wanted,), generator=source)) % count], 1)


def _unit(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x
