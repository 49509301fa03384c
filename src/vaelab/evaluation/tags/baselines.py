"""What trivial methods reach on tags: the numbers that a model has to beat. Definitions: docs/metrics/tags.md.

B batch, N training rows, D tags, L latent dimensions. Batches are float [B, D] of 0 and 1.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.data.format.info import DataInfo
from vaelab.evaluation.inputs import shown
from vaelab.evaluation.linear_rate import without_sampling_noise
from vaelab.evaluation.tags.completion import Score
from vaelab.evaluation.tags.ease import EASE, fit_ease
from vaelab.evaluation.tags.thresholds import AtThresholds, Thresholds, by_frequency, found_on
from vaelab.measures.tags.batch import at_threshold, bce, epoch_metrics, lengths, stored
from vaelab.measures.tags.reconstruction import ranking
from vaelab.measures.tally import Measured, Tally
from vaelab.models import pca
from vaelab.models.vae import Decoded
from vaelab.params.blocks import Evaluate

SMALLEST = 1e-6  # probability, and distance of one from 1, that PCA's values are held to before a logarithm


class Prediction(NamedTuple):
    """What a method says of a batch."""

    logits: Tensor  # [B, D]
    scores: Tensor | None  # which rank the tags [B, D]; None: it has neither an order nor probabilities


Baseline = Callable[[Tensor], Prediction]


def fit_baselines(train: DeviceSplit, info: DataInfo, latent_dim: int, seed: int) -> dict[str, Baseline]:
    """Return the methods without a choice by name, each a function of a batch.

    zero: no tag at all. frequency: each tag with its frequency in training, a row with and a row without it added.
    pca: L principal components of the training rows, or as many as they have; missing where there is one row only, and
    where it loses nothing: no model can beat that.

    Args:
        train: N rows.
        info: of the data.
        latent_dim: L.
        seed: of the decomposition.
    """
    counts = torch.tensor(info.class_counts, dtype=torch.float64) + 1
    logits = (counts / (len(train) + 2 - counts)).log().float()
    found: dict[str, Baseline] = {"zero": _zero, "frequency": partial(_constant, logits.to(train.device))}
    size, components = info.shape[0], components_of(len(train), latent_dim, info.shape[0])
    if components:
        some = evenly(len(train), max(components + 1, min(pca.MAX_IMAGES, pca.MAX_VALUES // size)))
        fitted = pca.fit_pca(train.stored(some).cpu().float(), components, seed)
        if not pca.loses_nothing(fitted, len(some), latent_dim):
            found["pca"] = partial(_from_values, partial(pca.reconstruct, fitted))
    return found


def eigenvalues(train: DeviceSplit, info: DataInfo, latent_dim: int, seed: int) -> Tensor:
    """Return the L largest eigenvalues of the tags' correlation matrix, or as many as there are, of the training rows.

    Less what sampling adds to them, since nobody codes that.
    Each tag is divided by √(p (1 − p)), p its frequency with a row with and a row without it added: the noise of a coin
    of that frequency is then 1. Derivation of what they are for: docs/metrics/tags.md.
    """
    size, components = info.shape[0], components_of(len(train), latent_dim, info.shape[0])
    if not components:
        return torch.empty(0)
    some = evenly(len(train), max(components + 1, min(pca.MAX_IMAGES, pca.MAX_VALUES // size)))
    share = (torch.tensor(info.class_counts, dtype=torch.float64) + 1) / (len(train) + 2)
    rows = train.stored(some).cpu().float() / (share * (1 - share)).sqrt().float()
    return without_sampling_noise(pca.fit_pca(rows, components, seed).variance, len(some), size)


def components_of(rows: int, latent_dim: int, tags: int) -> int:
    """Return how many principal components stand beside a model of so many latent dimensions."""
    return min(latent_dim, tags, rows - 1)


def _zero(x: Tensor) -> Prediction:
    return Prediction(torch.full_like(x, -torch.inf), None)


def _constant(logits: Tensor, x: Tensor) -> Prediction:
    rows = logits.expand_as(x)
    return Prediction(rows, rows)


def _from_values(method: Score, x: Tensor) -> Prediction:
    scores = method(x)  # of a regression on 0 and 1: held to what probabilities can be
    return Prediction(scores.clamp(SMALLEST, 1 - SMALLEST).logit(), scores)


class TagBaselines:
    """Measures trivial methods, fitted on the training split, with the thresholds that are best on val for each.

    `bernoulli`: whether the model's likelihood is that of independent tags, so that nats compare.
    """

    def __init__(
        self, train: DeviceSplit, val: DeviceSplit, info: DataInfo, latent_dim: int, options: Evaluate, bernoulli: bool
    ) -> None:
        self.bernoulli = bernoulli
        self.options, self.info = options, info
        self.methods = fit_baselines(train, info, latent_dim, options.seed)
        self.ease = fit_ease(train, val, options)
        if self.ease is not None:
            self.methods[EASE] = partial(_from_values, self.ease)
        groups = by_frequency(info, options.threshold_groups)
        self.thresholds = {
            name: found_on(((b.x, method(b.x).logits) for b in val.in_order(options.batch_size)), groups)
            for name, method in self.methods.items()
        }

    def scores(self) -> dict[str, Score]:
        """Return what ranks the tags, of the methods that rank them."""

        def ranks(method: Baseline, x: Tensor) -> Tensor:
            return cast("Tensor", method(x).scores)

        return {name: partial(ranks, method) for name, method in self.methods.items() if name != "zero"}

    def shown(self, x: Tensor) -> dict[str, Tensor]:
        """Return what PCA makes of rows [n, D], uint8 255 · probability, and the Jaccard index of each [n]."""
        if "pca" not in self.methods:
            return {}
        logits = self.methods["pca"](x).logits
        jaccard = at_threshold(x, logits, self.options.threshold).examples["jaccard_index"]
        return shown("pca", stored(Decoded(logits)), jaccard)

    def metrics(self, split: DeviceSplit) -> dict[str, dict[str, float]]:
        """Return the measures of the split by method."""
        found = {name: self._measures(method, split, self.thresholds[name]) for name, method in self.methods.items()}
        nats = found["frequency"]["bce"]  # frequencies are a model without a latent: there is no rate
        found["frequency"] |= {"distortion": nats, "negative_elbo": nats} if self.bernoulli else {}
        for name in {"pca", EASE} & found.keys():  # what they know of a row costs no rate: their nats are no bound
            at_mean = found[name].pop("bce")
            found[name] |= {"distortion_at_mean": at_mean} if self.bernoulli else {}
        return found

    def _measures(self, method: Baseline, split: DeviceSplit, thresholds: Thresholds) -> dict[str, float]:
        plain, at_best = Tally(len(split)), AtThresholds(thresholds, len(split), self.info)
        for batch in split.in_order(self.options.batch_size):
            x, (logits, scores) = batch.x, method(batch.x)
            totals, columns = at_threshold(x, logits, self.options.threshold)
            at_best.add(x, logits, scores)
            if scores is not None:
                columns |= ranking(x, scores, lengths(self.options)) | {"bce": bce(x, logits)}
            plain.add(Measured(totals, columns))
        found = epoch_metrics(*plain.whole(), self.info) | at_best.metrics()
        if "bce" not in found:
            del found["best_threshold"]  # of no tag at all it says nothing
        return found
