"""Samples of the prior as grids, and how far they are from data. Definitions: docs/metrics/grid.md.

N grids, K classes, S side of the canvas, L latent dimensions, R principal directions. Grids are [N, S, S], K outside.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import generator
from vaelab.evaluation.grid.place_prior import Maps, fit_places, sample_places
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.latent.decode import decode
from vaelab.evaluation.latent.prior import fit_mixture, sample_prior
from vaelab.evaluation.sets import NEIGHBOURS, mmd, precision_recall
from vaelab.models.grid.palette import one_hot
from vaelab.models.pca import principal_directions

DIRECTIONS, FIT_ROWS = 64, 1000  # R, and training grids that they are fitted to, at most
NAMES = (
    "sample_precision",
    "sample_recall",
    "sample_mmd",
    "real_precision",
    "real_recall",
    "real_mmd",
    "sample_reconstruction_precision",
    "sample_reconstruction_mmd",
)


def samples(inputs: EvaluationInputs, mean: Tensor, log_var: Tensor, train: Tensor) -> Tensor:
    """Return grids decoded from the prior that `evaluate.prior` names, uint8 [n, S, S].

    Args:
        inputs: the model and its options.
        mean: of the posteriors of the training split [N, L].
        log_var: of the same.
        train: the training grids [N, S, S].
    """
    options, size = inputs.options, inputs.model.latent_dim
    if options.prior == "places":
        channels, cell = inputs.run.model.latent_channels, 2**inputs.run.model.depth
        inside = F.max_pool2d((train != len(inputs.info.classes)).float(), cell) > 0
        means, log_vars = (_maps(values, channels, inside) for values in (mean, log_var))
        prior = fit_places(means, log_vars, options.seed)
        z = sample_places(prior, means, log_vars, options.samples, options.seed)
    else:
        fit = options.prior == "mixture"
        mixture = fit_mixture(mean, log_var, options.mixture_components, options.seed) if fit else None
        z = sample_prior("mixture" if fit else "normal", options.samples, size, mixture, options.seed)
    return torch.from_numpy(decode(inputs.model, z, inputs.info))


def _maps(values: Tensor, channels: int, inside: Tensor) -> Maps:
    side = inside.shape[1]
    places, rest = values.split([channels * side**2, values.shape[1] - channels * side**2], dim=1)
    return Maps(places.unflatten(1, (channels, side, side)), inside, rest)


def sample_metrics(
    made: Tensor, data: Tensor, reconstructions: Tensor, train: Tensor, classes: int, limit: int, seed: int
) -> dict[str, float]:
    """Return the measures of samples against one half of the data, and of the other half as if it were samples.

    And of samples against the reconstructions of the first half: what is left of them is the prior's.

    In the first principal components of one-hot canvases, "outside" a class too, each over its standard deviation in
    training. All sets have the same size: at most `limit`, as many as there are samples, half of the data. NaN where
    that is no more than NEIGHBOURS.
    """
    count = min(limit, len(made), len(data) // 2)
    if count <= NEIGHBOURS:
        return dict.fromkeys(NAMES, math.nan)
    found = principal_directions(_flat(_some(train, FIT_ROWS, seed), classes), DIRECTIONS, seed)
    scaled = (found.directions / found.std.unsqueeze(1)).T / max(1, len(found.std)) ** 0.5
    of_samples, of_data = (
        (_flat(x, classes) - found.centre) @ scaled for x in (_some(made, count, seed), _some(data, 2 * count, seed))
    )
    values: dict[str, float] = {}
    for name, features in {"sample": of_samples, "real": of_data[count:]}.items():
        precision, recall = precision_recall(features, of_data[:count])
        values |= {f"{name}_precision": precision, f"{name}_recall": recall}
        values[f"{name}_mmd"] = mmd(features, of_data[:count])
    beside = (_flat(_some(reconstructions, 2 * count, seed)[:count], classes) - found.centre) @ scaled
    values["sample_reconstruction_precision"] = precision_recall(of_samples, beside)[0]
    values["sample_reconstruction_mmd"] = mmd(of_samples, beside)
    return values


def _flat(x: Tensor, classes: int) -> Tensor:
    return one_hot(x.long(), classes + 1).flatten(1)


def _some(x: Tensor, limit: int, seed: int) -> Tensor:
    return x[torch.randperm(len(x), generator=generator(seed, 0, stream=16))[:limit]]
