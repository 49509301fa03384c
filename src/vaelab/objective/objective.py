"""The objective: Σ weight · term + beta · KL, one value per example first, a scalar last."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.models.vae import Inference
from vaelab.objective import (
    aggregate_posterior,
    edge_losses,
    feature_losses,
    grid_losses,
    pixel_losses,
    ssim,
    tag_losses,
)
from vaelab.objective.context import Context
from vaelab.objective.ink import ink_weights
from vaelab.objective.kl import kl_per_dimension, with_capacity, with_free_bits
from vaelab.objective.schedules import value_at, value_reached
from vaelab.objective.share import Share
from vaelab.objective.weights import WEIGHTS
from vaelab.params.loss import Loss

Term = Callable[[Tensor, Inference, Context], Tensor]

TERMS: dict[str, Term] = {
    "cross_entropy": grid_losses.cross_entropy,
    "focal": grid_losses.focal,
    "extent": grid_losses.extent,
    "mse": pixel_losses.mse,
    "l1": pixel_losses.l1,
    "charbonnier": pixel_losses.charbonnier,
    "bce": pixel_losses.bce,
    "gaussian": pixel_losses.gaussian,
    "laplace": pixel_losses.laplace,
    "focal_error": pixel_losses.focal_error,
    "ssim": ssim.ssim,
    "ms_ssim": ssim.ms_ssim,
    "edge": edge_losses.edge,
    "frequency": edge_losses.frequency,
    "focal_frequency": edge_losses.focal_frequency,
    "perceptual": feature_losses.perceptual,
    "dino": feature_losses.dino,
    "total_correlation": aggregate_posterior.total_correlation,
    "mmd": aggregate_posterior.mmd,
}
OF_KIND: dict[str, dict[str, Term]] = {  # by kind of data: terms of its own, and those that it computes in its own way
    "tags": {
        "bce": tag_losses.bce,
        "focal": tag_losses.focal,
        "asymmetric": tag_losses.asymmetric,
        "multinomial": tag_losses.multinomial,
    },
}
# terms of x itself in nats
LIKELIHOODS = ("cross_entropy", "focal", "bce", "gaussian", "laplace", "asymmetric", "multinomial")
ERRORS = {"mse": "mse", "l1": "mae", "charbonnier": "mae"}  # element-wise errors, and what scales them to nats


class Losses(NamedTuple):
    """What the objective says of a batch, one value per example."""

    total: Tensor  # what is minimised [B]
    terms: dict[str, Tensor]  # unweighted, the KL divergence among them, each [B]
    weighted: dict[str, Tensor]  # what each adds to the total, after free bits and capacity, each [B]


class Objective:
    """Weighs the terms that a run asks for.

    Args:
        loss: the run's block `loss`.
        info: the data that it is trained on.
        examples: of the training split.
        device: where the batches are.

    Raises:
        InputError: a term needs pretrained weights that are not there.
    """

    def __init__(self, loss: Loss, info: DataInfo, examples: int = 1, device: str | torch.device = "cpu") -> None:
        self.loss = loss
        self.kind, self.mean_elements = info.kind, info.mean_elements
        self.weights = {name: weight for name, weight in loss.terms if weight != 0}
        known = {**TERMS, **OF_KIND.get(info.kind, {})}
        self.terms = {name: known[name] for name in self.weights}
        weights = WEIGHTS[info.kind](loss, info) if info.kind in WEIGHTS else {}
        self.context = Context(
            loss,
            features=feature_losses.extractors(loss, self.weights, device),
            examples=examples,
            share=None,
            **{name: weight.to(device) for name, weight in weights.items()},
        )

    def __call__(self, x: Tensor, inference: Inference, epoch: float, share: Share | None = None) -> Losses:
        """Return the losses of a batch at a point of training (epochs done, a fraction within an epoch).

        With a share of a batch, what looks at a batch looks at the whole one.
        """
        context = self._context(x, share)
        kl = kl_per_dimension(inference.mean, inference.log_var)
        terms = {name: term(x, inference, context) for name, term in self.terms.items()}
        weighted = self.weighted(kl, terms, epoch, share)
        return Losses(reduce(torch.add, weighted.values()), {**terms, "kl": kl.sum(1)}, weighted)

    def _context(self, x: Tensor, share: Share | None) -> Context:
        """The context of a batch: weights of pixels by their ink are of its images."""
        context = self.context._replace(share=share)
        if self.kind != "image" or self.loss.ink_weight == 1:
            return context
        return context._replace(pixel_weights=ink_weights(x, self.loss.ink_weight, context.pixel_weights))

    def weighted(
        self, kl: Tensor, terms: Mapping[str, Tensor], epoch: float, share: Share | None = None
    ) -> dict[str, Tensor]:
        """Return the summands of the objective, each [B], from the KL per dimension [B, L] and the unweighted terms.

        Free bits and capacity look at the mean over these B examples, a batch in training, a whole split in evaluation;
        or over the batch that they are a share of.
        """
        weights = self.weights_at(epoch)
        penalty = with_free_bits(kl, self.loss.free_bits, share).sum(1)
        if self.loss.capacity is not None:
            penalty = with_capacity(penalty, value_at(self.loss.capacity, epoch), share)
        values = {**{name: terms[name] for name in self.weights}, "kl": penalty}
        return {name: x if weights[name] == 1 else weights[name] * x for name, x in values.items()}

    def weights_at(self, epoch: float) -> dict[str, float]:
        """Return the weight of each term, the KL divergence's among them, at a point of training."""
        weights = {name: value_at(weight, epoch) for name, weight in self.weights.items()}
        return {**weights, "kl": value_at(self.loss.beta, epoch)}

    def effective_beta(self, epoch: float) -> float | None:
        """Return the factor on KL once the reconstruction is in summed nats per example, at a point of training.

        None where an element-wise term is no likelihood: `effective_beta_of_errors` then. Focal and asymmetric loss,
        class weights and pos_weight rescale the reconstruction further, by an amount that depends on the model:
        evaluation measures it.
        """
        if any(name in self.weights for name in ERRORS):
            return None
        weight = sum(value_reached(self.weights[name], epoch) for name in LIKELIHOODS if name in self.weights)
        return value_reached(self.loss.beta, epoch) * self._scale / weight if weight else float("inf")

    def effective_beta_of_errors(self, epoch: float, mse: float, mae: float) -> float:
        """Return the factor on KL once errors count in nats per example under the best σ for these mean errors.

        A squared error e² counts e² / (2 σ²) with σ² = mse, an absolute one |e| / b with b = mae; likelihoods count as
        they are. Infinite where no term is element-wise.
        """
        nats = {"mse": 1 / (2 * max(mse, 1e-12)), "mae": 1 / max(mae, 1e-12)}
        weight = 0.0
        for name, value in self.weights.items():
            if name in LIKELIHOODS or name in ERRORS:
                per_unit = nats[ERRORS[name]] if name in ERRORS else 1.0
                weight += value_reached(value, epoch) / (self._scale * per_unit)
        return value_reached(self.loss.beta, epoch) / weight if weight else float("inf")

    def implied_sigma(self, epoch: float) -> float | None:
        """Return the σ under which the weights of squared error and KL are those of an ELBO; None without the two."""
        weight, beta = value_reached(self.weights.get("mse", 0.0), epoch), value_reached(self.loss.beta, epoch)
        return (beta * self._scale / (2 * weight)) ** 0.5 if weight and beta else None

    @property
    def _scale(self) -> float:
        """Elements that a term was divided by."""
        return self.mean_elements if self.loss.reduction == "mean" else 1.0
