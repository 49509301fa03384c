"""Likelihoods and bounds on log p(x) from drawn z, and the measures of reconstruction with one drawn z.

Definitions: docs/metrics/objective.md. N examples, L latent dimensions, k draws of the importance-weighted bound.
"""

import math

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.measures.kind import Nats
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Pass
from vaelab.measures.sampling import decoded, latent_draw
from vaelab.models.vae import sampled
from vaelab.objective.kl import kl_per_dimension


def likelihoods(inputs: EvaluationInputs, phase: str, split: DeviceSplit, result: Pass) -> dict[str, float]:
    """Return the likelihoods of a split and its bounds on log p(x), nats per example; sampled, and unbiased.

    ELBO = E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)), the expectation over `evaluate.z_samples` draws, KL analytic.
    The importance-weighted bound is of held-out phases.
    """
    nats = MEASURES[inputs.info.kind].density(result.drawn, inputs.info)
    of_draws = nats(result.drawn).double()  # [draws, N]
    rate = kl_per_dimension(result.mean.double(), result.log_var.double()).sum(1)
    draws, examples = of_draws.shape
    distortion = float(of_draws.mean())
    negative_elbo = distortion + float(rate.mean())
    values = {
        "distortion": distortion,
        "negative_elbo": negative_elbo,
        "elbo": -negative_elbo,
        "elbo_standard_error": math.sqrt(_variance(of_draws.mean(0) + rate) / examples),
    }
    if draws > 1:
        values["elbo_sampling_error"] = math.sqrt(_variance(of_draws) / (draws * examples))
    if inputs.options.importance_samples and phase != "train":
        values["negative_iw_elbo"] = negative_elbo - float(importance_gain(inputs, split, result, nats).mean())
    return values


def _variance(values: Tensor) -> float:
    """Mean of the unbiased variances along the first dimension; NaN of a single value."""
    return float(values.var(0).mean()) if len(values) > 1 else math.nan


@torch.no_grad()
def importance_gain(inputs: EvaluationInputs, split: DeviceSplit, result: Pass, nats: Nats) -> Tensor:
    """Return by how much the bound from k weighted draws is above the ELBO from the same draws, nats, of each example.

    log 1/k Σ_j w_j − 1/k Σ_j log w_j with w = p(x|z) p(z) / q(z|x): 0 or more, and 0 for k = 1. Of
    `evaluate.importance_examples` at most, evenly spread. Source: Burda et al. 2016, equation 8.
    """
    options, kind = inputs.options, MEASURES[inputs.info.kind]
    ids = evenly(len(split), options.importance_examples)
    some = DeviceSplit([split.stored(ids)], split.group[ids.to(split.device)], split.device, split.kind)
    mean, log_var, rows = result.mean[ids], result.log_var[ids], []
    known = list(nats(result.drawn)) if len(ids) == len(split) else []  # of all examples the pass drew the same z first
    for number in range(options.importance_samples):
        noise = latent_draw(mean, options.seed, number)
        if number < len(known):
            of_z = known[number]
        else:
            batches = decoded(inputs.model, some, mean, log_var, noise, options.batch_size)
            found = (kind.likelihood(batch, inference, inputs.info, inputs.run) for batch, inference in batches)
            of_z = torch.cat([nats(values).cpu() for values in found])
        z = sampled(mean, log_var, noise).double()
        log_ratio = 0.5 * (noise.double().square() + log_var.double() - z.square()).sum(1)  # log p(z) − log q(z|x)
        rows.append(log_ratio - of_z.double())
    weights = torch.stack(rows)  # [k, n], logarithms
    return weights.logsumexp(0) - math.log(len(weights)) - weights.mean(0)


def with_one_draw(inputs: EvaluationInputs, result: Pass) -> dict[str, float]:
    """Return the measures of reconstructions by name, with one drawn z in place of the posterior mean."""
    totals, means = result.of_first_draw.totals, result.of_first_draw.means()
    measures = MEASURES[inputs.info.kind].epoch_metrics(totals, means, inputs.info)
    return {name: value for name, value in measures.items() if name not in result.drawn and "true_" not in name}
