"""Latents drawn from the posteriors of a split: what likelihoods and the objective are expectations over.

Under the posterior mean alone a likelihood is no bound: a mean that tells everything in an amplitude far below the
posterior's standard deviation decodes perfectly, and costs no rate. B batch, N examples, L latent dimensions.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit, generator
from vaelab.measures.columns import Columns
from vaelab.models.vae import VAE, Inference, sampled
from vaelab.objective.objective import Objective

SLOW_TERMS = {"ssim", "ms_ssim", "perceptual", "dino"}  # of the objective: they take longer than decoding
Likelihood = Callable[[Batch, Inference], dict[str, Tensor]]


class Sampling(NamedTuple):
    """How z is drawn, and what is measured of each draw."""

    likelihood: Likelihood  # batch and inference to what −log p(x|z) is made of, by name, each [B]
    draws: int  # of z for each example
    seed: int


class Drawn(NamedTuple):
    """What the draws yield."""

    terms: dict[str, Tensor]  # of the objective, unweighted, means over draws, each [N]
    likelihood: dict[str, Tensor]  # what −log p(x|z) is made of, each [draws, N]


def latent_draw(mean: Tensor, seed: int, number: int) -> Tensor:
    """Return standard normal noise like `mean` [N, L]: a function of the seed and the number of the draw alone."""
    return torch.randn(mean.shape, generator=generator(seed, number, stream=40))


def decoded(
    model: VAE, split: DeviceSplit, mean: Tensor, log_var: Tensor, noise: Tensor, batch_size: int
) -> Iterator[tuple[Batch, Inference]]:
    """Yield each batch of the split with what the model decodes from z = mean + std · noise, each [N, L].

    Where x reaches the decoder past z, it does here too.
    """
    parts = zip(*(tensor.split(batch_size) for tensor in (mean, log_var, noise)), strict=True)
    for batch, of_batch in zip(split.in_order(batch_size), parts, strict=True):
        centre, spread, draw = (tensor.to(split.device) for tensor in of_batch)
        z = sampled(centre, spread, draw)
        yield batch, Inference(centre, spread, z, *model.decode_beside(batch.x, z, batch.group))


@torch.no_grad()
def draw(
    model: VAE,
    split: DeviceSplit,
    mean: Tensor,
    log_var: Tensor,
    objective: Objective,
    epoch: float,
    sampling: Sampling,
    batch_size: int,
) -> Drawn:
    """Return what the draws from these posteriors [N, L] yield, of a model in evaluation mode.

    The objective is averaged over all draws; where it has SLOW_TERMS, it is that of the first one.
    """
    looked_at = sampling.draws if SLOW_TERMS.isdisjoint(objective.terms) else 1
    terms: dict[str, Tensor] = {}
    likelihoods: list[dict[str, Tensor]] = []
    for number in range(sampling.draws):
        noise = latent_draw(mean, sampling.seed, number)
        of_terms, of_likelihood = Columns(len(split)), Columns(len(split))
        for batch, inference in decoded(model, split, mean, log_var, noise, batch_size):
            of_likelihood.add(sampling.likelihood(batch, inference))
            if number < looked_at:
                of_terms.add(objective(batch.x, inference, epoch).terms)
        likelihoods.append(of_likelihood.all())
        for name, values in of_terms.all().items():
            terms[name] = terms[name] + values / looked_at if name in terms else values / looked_at
    return Drawn(terms, {name: torch.stack([found[name] for found in likelihoods]) for name in likelihoods[0]})
