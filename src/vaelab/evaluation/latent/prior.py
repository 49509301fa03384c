"""What samples are drawn from: N(0, I), or a density fitted to the aggregate posterior of the training split.

N examples, L latent dimensions, R principal directions, M components. All on the CPU.
"""

import warnings
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.errors import InputError
from vaelab.models.pca import principal_directions

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

DIRECTIONS = 128  # R at most
ROWS_PER_COMPONENT = 20  # on average at least; fewer components otherwise
SMALLEST_VARIANCE = 1e-3  # added to each variance of a component, in units of the direction's own variance


class Mixture(NamedTuple):
    """A density of z: the point of a mixture in R whitened principal directions, and independent noise around it."""

    weights: Tensor  # [M]
    means: Tensor  # [M, R]
    variances: Tensor  # [M, R]
    centre: Tensor  # [L]
    directions: Tensor  # each times its standard deviation [R, L]
    noise_std: Tensor  # of what the directions leave out and of the posteriors [L]


def fit_mixture(mean: Tensor, log_var: Tensor, components: int, seed: int) -> Mixture:
    """Return a density of the aggregate posterior of these posteriors, each [N, L].

    The posterior means, in their first principal directions, follow a Gaussian mixture with diagonal covariances
    (fitted by expectation maximisation); what the directions leave out and the mean posterior variance are added as
    independent noise. The mean is that of the aggregate posterior, the variance of each latent dimension too with one
    component and nearly with more. Fewer than `components` where N is small.
    Source: Ghosh et al. 2020, "From Variational to Deterministic Autoencoders" (ex-post density estimation).

    Raises:
        InputError: fewer than 2 examples.
    """
    if len(mean) < 2:
        raise InputError("evaluate.prior: a mixture needs at least 2 training examples; expected normal")
    mean = mean.double()
    basis = principal_directions(mean, DIRECTIONS, seed)
    scaled = basis.directions * basis.std.unsqueeze(1)
    left_out = mean.var(0, correction=0) - scaled.square().sum(0)
    noise = (left_out.clamp_min(0) + log_var.double().exp().mean(0)).sqrt()
    if not len(scaled):  # all means are the same
        return Mixture(torch.ones(1), torch.zeros(1, 0), torch.zeros(1, 0), basis.centre, scaled, noise)
    whitened = (mean - basis.centre) @ (basis.directions / basis.std.unsqueeze(1)).T
    fitted = _expectation_maximisation(whitened.numpy(), components, seed)
    weights, means, variances = map(torch.from_numpy, (fitted.weights_, fitted.means_, fitted.covariances_))
    return Mixture(weights, means, variances, basis.centre, scaled, noise)


def _expectation_maximisation(rows: np.ndarray, components: int, seed: int) -> "GaussianMixture":
    """Mixture of rows [N, R]; one whose iterations ran out, or with idle components, is a density all the same."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture  # two seconds, which pictures of N(0, I) need not wait for

    count = max(1, min(components, len(rows) // ROWS_PER_COMPONENT))
    mixture = GaussianMixture(
        count, covariance_type="diag", reg_covar=SMALLEST_VARIANCE, max_iter=100, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(rows)


def sample_prior(
    kind: Literal["normal", "mixture"], count: int, latent_dim: int, mixture: Mixture | None, seed: int
) -> Tensor:
    """Return z [count, L], float32: of N(0, I), or of the fitted mixture, which must be given for it."""
    if kind == "normal":
        return torch.randn((count, latent_dim), generator=generator(seed, 0, stream=6))
    assert mixture is not None
    return _sample_mixture(mixture, count, seed)


def _sample_mixture(mixture: Mixture, count: int, seed: int) -> Tensor:
    source = generator(seed, 0, stream=15)
    chosen = torch.multinomial(mixture.weights, count, replacement=True, generator=source)
    means, variances = mixture.means[chosen].double(), mixture.variances[chosen].double()
    whitened = means + variances.sqrt() * torch.randn(means.shape, generator=source, dtype=torch.float64)
    noise = torch.randn((count, len(mixture.noise_std)), generator=source, dtype=torch.float64)
    return (mixture.centre + whitened @ mixture.directions + mixture.noise_std * noise).float()
