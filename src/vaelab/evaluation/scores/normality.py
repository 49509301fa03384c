"""How far features of a place lie from those of normal training images: Mahalanobis distances, group by group.

B batch, f features, h cells of a map to a side, k components of a mixture.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit, evenly

MOST_CELLS = 50_000  # of a group that a covariance is taken from
MOST_IMAGES = 512  # of a group, evenly spread
COMPONENTS, ROUNDS = 16, 25  # of a mixture, and of its expectation maximisation
MOST_MIXED, PER_VALUE = 20_000, 5  # places that a mixture is fitted to; at least, for each component and feature

Features = Callable[[Batch], Tensor]  # [B, f, h, h]


class Shape(Protocol):
    """How features of normal images are distributed."""

    def distance(self, features: Tensor) -> Tensor:
        """Return how far each place is from it, [B, h, h], of features [B, f, h, h]."""


class Normal(NamedTuple):
    """A normal distribution of features."""

    mean: Tensor  # [f]
    precision: Tensor  # [f, f]

    def distance(self, features: Tensor) -> Tensor:
        """Return the squared Mahalanobis distance of each place, [B, h, h], of features [B, f, h, h]."""
        centred = features - self.mean[:, None, None]
        moved: Tensor = torch.einsum("ij,bjhw->bihw", self.precision, centred)
        return (centred * moved).sum(1).clamp_min(0)


class Mixture(NamedTuple):
    """A mixture of normal distributions: normal is what is near to one of them."""

    means: Tensor  # [k, f]
    factors: Tensor  # [k, f, f], F Fᵀ is the precision

    def distance(self, features: Tensor) -> Tensor:
        """Return the smallest squared Mahalanobis distance of each place from a component, [B, h, h]."""
        rows = features.flatten(2).transpose(1, 2)
        found = [
            ((rows - mean) @ factor).square().sum(2) for mean, factor in zip(self.means, self.factors, strict=True)
        ]
        nearest: Tensor = torch.stack(found).amin(0).unflatten(1, tuple(features.shape[2:]))
        return nearest


def by_group(train: DeviceSplit, batch_size: int) -> Iterator[tuple[int, list[Batch]]]:
    """Yield each group that occurs with evenly spread training images of it, in batches."""
    for number in train.group.unique().tolist():
        ids = (train.group == number).nonzero()[:, 0].cpu()
        ids = ids[evenly(len(ids), MOST_IMAGES)]
        yield number, [train.take(part) for part in ids.split(batch_size)]


def fit_normals(features: Features, train: DeviceSplit, batch_size: int) -> dict[int, Normal]:
    """Return the distribution of features in each group; its covariance is shrunk as Ledoit & Wolf 2004 say."""
    from sklearn.covariance import ledoit_wolf  # two seconds, which pictures without anomaly scores need not wait for

    found = {}
    for number, rows in _rows(features, train, batch_size, MOST_CELLS):
        mean = rows.mean(0)
        covariance, _ = ledoit_wolf((rows - mean).numpy(), assume_centered=True)
        matrix = torch.from_numpy(covariance)
        matrix += 1e-6 * matrix.diagonal().mean().clamp_min(1e-12) * torch.eye(len(matrix), dtype=torch.float64)
        found[number] = Normal(mean.float().to(train.device), torch.linalg.inv(matrix).float().to(train.device))
    return found


def fit_mixtures(
    features: Features, train: DeviceSplit, batch_size: int, seed: int, most: int = MOST_MIXED
) -> dict[int, Mixture]:
    """Return a mixture of COMPONENTS normal distributions in each group, of fewer where there are few places.

    Args:
        features: of a batch.
        train: the training split.
        batch_size: images at a time.
        seed: of the start of the fit.
        most: places that it looks at, in each group.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    found = {}
    for number, rows in _rows(features, train, batch_size, most):
        components = max(1, min(COMPONENTS, len(rows) // (PER_VALUE * rows.shape[1])))
        spread_of = float(rows.var(0).mean())
        mixture = GaussianMixture(components, reg_covar=1e-3 * max(spread_of, 1e-9), max_iter=ROUNDS, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(rows.numpy())
        means, factors = (torch.from_numpy(values).float().to(train.device)
                          for values in (mixture.means_, mixture.precisions_cholesky_))  # fmt: skip
        found[number] = Mixture(means, factors)
    return found


def _rows(features: Features, train: DeviceSplit, batch_size: int, most: int) -> Iterator[tuple[int, Tensor]]:
    """Yield each group with the features of evenly spread places, float64 [places, f]."""
    for number, batches in by_group(train, batch_size):
        cells = torch.cat([features(batch).flatten(2).transpose(1, 2).flatten(0, 1).cpu() for batch in batches])
        yield number, cells[evenly(len(cells), most)].double()


def distances(normals: Mapping[int, Shape], features: Tensor, group: Tensor) -> Tensor:
    """Return the distance map of each image from its own group, [B, h, h]; one of an unknown group, from the nearest.

    Args:
        normals: by group.
        features: [B, f, h, h].
        group: of each image [B].
    """
    found = features.new_empty((len(features), *features.shape[2:]))
    for number in group.unique().tolist():
        here = group == number
        known = [normals[number]] if number in normals else list(normals.values())
        found[here] = torch.stack([normal.distance(features[here]) for normal in known]).amin(0)
    return found
