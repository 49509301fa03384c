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
from vaelab.measures.tally import Measured, Tally
from vaelab.models.vae import VAE, Decoded, Inference, sampled
from vaelab.objective.objective import Objective

SLOW_TERMS = {"ssim", "ms_ssim", "perceptual", "dino"}  # of the objective: they take longer than decoding
Likelihood = Callable[[Batch, Inference], dict[str, Tensor]]
Measure = Callable[[Batch, Inference], Measured]


class Sampling(NamedTuple):
    """How z is drawn, and what is measured of each draw."""

    likelihood: Likelihood  # batch and inference to what −log p(x|z) is made of, by name, each [B]
    draws: int  # of z for each example
    seed: int
    measure: Measure | None = None  # of the first draw, where a reconstruction by a drawn z is measured


class Drawn(NamedTuple):
    """What the draws yield."""

    terms: dict[str, Tensor]  # of the objective, unweighted, means over draws, each [N]
    likelihood: dict[str, Tensor]  # what −log p(x|z) is made of, each [draws, N]
    of_first: Measured  # nothing, unless the sampling has a measure


def latent_draw(mean: Tensor, seed: int, number: int) -> Tensor:
    """Return standard normal noise like `mean` [N, L]: a function of the seed and the number of the draw alone."""
    return torch.randn(mean.shape, generator=generator(seed, number, stream=40))


def decode(model: VAE, split: DeviceSplit, batch: Batch, z: Tensor) -> Decoded:
    """Return what the model decodes from z [B, L] beside a batch of the split, some of them at a time."""
    size = split.decoded_at_once(len(z))
    parts = zip(batch.x.split(size), z.split(size), batch.group.split(size), strict=True)
    found = [model.decode_beside(*part) for part in parts]
    if len(found) == 1:
        return found[0]
    extents = [part.extent for part in found if part.extent is not None]
    sigmas = [part.log_sigma for part in found if part.log_sigma is not None]
    return Decoded(
        torch.cat([part.reconstruction for part in found]),
        torch.cat(extents) if extents else None,
        None if not sigmas else torch.cat(sigmas) if sigmas[0].ndim > 3 else sigmas[0],  # of each image, or of all
    )


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
        yield batch, Inference(centre, spread, z, *decode(model, split, batch, z))


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
    of_first = Tally(len(split))
    for number in range(sampling.draws):
        noise = latent_draw(mean, sampling.seed, number)
        of_terms, of_likelihood = Columns(len(split)), Columns(len(split))
        for batch, inference in decoded(model, split, mean, log_var, noise, batch_size):
            of_likelihood.add(sampling.likelihood(batch, inference))
            if number == 0 and sampling.measure is not None:
                of_first.add(sampling.measure(batch, inference))
            if number < looked_at:
                of_terms.add(objective(batch.x, inference, epoch).terms)
        likelihoods.append(of_likelihood.all())
        for name, values in of_terms.all().items():
            terms[name] = terms[name] + values / looked_at if name in terms else values / looked_at
    stacked = {name: torch.stack([found[name] for found in likelihoods]) for name in likelihoods[0]}
    return Drawn(terms, stacked, of_first.measured())
