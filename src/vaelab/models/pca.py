"""Principal components of examples: for the baselines of the evaluation, for samples and for `model.init: pca`.

N examples, D values of each, L components. Everything is on the CPU.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.errors import InputError

MAX_IMAGES = 20_000  # that a fit looks at, mirrored ones included
MAX_VALUES = 2**27  # of images in memory at once, 512 MiB; but always one image more than components
MAX_ROWS = 4096  # whose inner products are decomposed, in seconds
MAX_EXACT = 2048  # of the smaller of N and D: the products of rows, or of columns, are decomposed in float64
MIN_SHARE = 1e-12  # of the largest eigenvalue: below it rows do not vary, as far as float64 tells
PART = 2048  # values, or rows, that are in float64 at once
MIN_VARIANCE = 1e-8  # far below the 1e-6 that rounding to 8 bits leaves; so that variances can be divided by


class Pca(NamedTuple):
    """A linear model of examples with D values."""

    mean: Tensor  # [D]
    components: Tensor  # [L, D], orthonormal rows, largest variance first
    variance: Tensor  # [L], unbiased, at least MIN_VARIANCE
    noise: float  # variance per dimension outside of the components, averaged over the D - L; at least MIN_VARIANCE


def fit_pca(x: Tensor, components: int, seed: int, flip: bool = False) -> Pca:
    """Return the first principal components, exact where D or N is at most MAX_EXACT, otherwise by scikit-learn's PCA.

    The latter is randomised (Halko et al. 2011) unless nearly all components are wanted.

    Args:
        x: examples [N, ...], uint8 (taken as x / 255) or float; D is their number of values.
        components: L.
        seed: of the decomposition, and of the choice of examples where there are more than MAX_IMAGES, or more than
            MAX_VALUES values.
        flip: add each example mirrored along its last axis.

    Raises:
        InputError: L is larger than D, or than the number of examples (with the mirrored ones) − 1.
    """
    size = x[0].numel()
    rows = limited(x, components, seed, flip).flatten(1)
    check_components("latent_dim", components, len(rows), size, "images")
    mean, least = rows.mean(0), min(rows.shape)
    rows = rows - mean  # before any products, which float32 would spoil
    if least <= MAX_EXACT:
        matrix, variance, total = _exact(rows, components, seed)
    else:
        from sklearn.decomposition import PCA  # a second, which others need not wait for

        pca = PCA(components, random_state=seed, copy=False)
        with np.errstate(invalid="ignore"):  # it divides 0 by 0 where all examples are the same
            pca.fit(rows.numpy())
        total = float(pca.explained_variance_.sum() + pca.noise_variance_ * (least - components))
        matrix, variance = torch.from_numpy(pca.components_), torch.from_numpy(pca.explained_variance_)
    left = (total - float(variance.double().sum())) / max(1, size - components)
    return Pca(mean, matrix, variance.float().clamp_min(MIN_VARIANCE), max(MIN_VARIANCE, left))


def _exact(centred: Tensor, components: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """Return components [L, D], their variances, float64 [L], and the variance of all dimensions together.

    From the eigenvectors of the smaller of the products of rows and of columns, in float64: in float32, directions of
    little variance are not orthogonal. Where rows do not vary in so many directions the rest is random, of the seed.
    """
    count, size = centred.shape
    of_rows, least = count < size, min(count, size)
    products = np.zeros((least, least), order="F")  # its lower half
    for part in centred.split(PART, dim=1 if of_rows else 0):  # a part of the values, or of the rows
        factor = part.double().numpy().T
        products = dsyrk(1, factor, beta=1, c=products, trans=of_rows, lower=True, overwrite_c=True)
    total = float(products.trace()) / (count - 1)
    values, vectors = (found.flip(-1)[..., :components] for found in torch.linalg.eigh(torch.from_numpy(products)))
    if of_rows:
        varies = values > MIN_SHARE * values[0]
        vectors = vectors[:, varies] / values[varies].sqrt()
        vectors = torch.cat([part.double().T @ vectors for part in centred.split(PART, dim=1)])
        if lacking := components - vectors.shape[1]:
            rest = torch.randn((size, lacking), generator=generator(seed, 0, stream=18), dtype=torch.float64)
            vectors = torch.linalg.qr(torch.cat([vectors, rest], dim=1)).Q
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    matrix = (vectors * largest.sign()).T.contiguous().float()
    return matrix, values.clamp_min(0) / (count - 1), total


def loses_nothing(pca: Pca, rows: int, wanted: int) -> bool:
    """Return whether components are as many as values, or hold all that varies in their rows, not for want of rows.

    Args:
        pca: the components; fewer than `wanted` where there are too few rows.
        rows: that they are of.
        wanted: as many numbers as the model has.
    """
    components, size = pca.components.shape
    return wanted >= size or (components < rows - 1 and pca.noise <= MIN_VARIANCE)


class Principal(NamedTuple):
    """Principal directions of rows, those of largest standard deviation first."""

    centre: Tensor  # [D]
    directions: Tensor  # orthonormal [R, D]
    std: Tensor  # [R]


def principal_directions(rows: Tensor, most: int, seed: int) -> Principal:
    """Return at most `most` principal directions of rows [N, D]: min(N, D) at most, and those that vary.

    Source: Halko et al. 2011 (randomised, seeded).
    """
    from sklearn.utils.extmath import randomized_svd

    centre = rows.mean(0)
    _, size, directions = randomized_svd((rows - centre).numpy(), min(most, *rows.shape), random_state=seed)
    varies = size > 1e-3 * size[0]
    std = torch.from_numpy(np.ascontiguousarray(size[varies])) / len(rows) ** 0.5
    return Principal(centre, torch.from_numpy(np.ascontiguousarray(directions[varies])), std)


def pca_projection(rows: Tensor, components: int, seed: int) -> Callable[[Tensor], Tensor]:
    """Return what takes examples [B, D] to the first principal components of rows [N, D] and back.

    At most min(N, D) components, and those that vary. Up to MAX_ROWS rows from their inner products; above by
    `principal_directions`.
    """
    mean, count = rows.mean(0), len(rows)
    if count > MAX_ROWS:
        directions = principal_directions(rows, components, seed).directions
    else:
        centred = (rows - mean).numpy()
        values, vectors = eigh(centred @ centred.T, subset_by_index=[max(0, count - components), count - 1])
        varies = values > 1e-6 * values.max()
        found = torch.from_numpy(centred.T @ (vectors[:, varies] / np.sqrt(values[varies])))
        directions = torch.linalg.qr(found).Q.T  # those of little variance are not orthogonal in float32
    return lambda x: (x - mean) @ directions.T @ directions + mean


def reconstruct(pca: Pca, x: Tensor) -> Tensor:
    """Return examples [..., D] projected onto the components and back, on the device of `x`."""
    mean, components = pca.mean.to(x), pca.components.to(x)
    return (x - mean) @ components.T @ components + mean


def limited(x: Tensor, components: int, seed: int, flip: bool) -> Tensor:
    """Return examples as floats, with their mirror images on request: as many as a fit may hold in memory."""
    most = max(components + 1, min(MAX_IMAGES, MAX_VALUES // x[0].numel()))
    chosen = as_float(chosen_examples(x, most // 2 + 1 if flip else most, seed))
    return torch.cat([chosen, chosen.flip(-1)]) if flip else chosen


def chosen_examples(x: Tensor, most: int, seed: int) -> Tensor:
    """Return at most so many examples on the CPU, a seeded choice in their order."""
    if len(x) > most:
        order = torch.randperm(len(x), generator=generator(seed, 0, stream=7))
        x = x[order[:most].sort().values.to(x.device)]
    return x.cpu()


def as_float(x: Tensor) -> Tensor:
    """Return float32 values, of bytes as x / 255."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


def check_components(option: str, components: int, examples: int, size: int, what: str) -> None:
    """Raise InputError where so many examples of `size` values do not have so many components."""
    if components > min(size, examples - 1):
        raise InputError(
            f"model.{option}: {components} principal components need {components + 1} {what} of {components} values "
            f"or more; there are {examples} of {size}: lower model.{option}{', or add data' * (components < size)}"
        )
