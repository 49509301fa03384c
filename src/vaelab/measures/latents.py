"""What latents tell, measured after every epoch too: their signal, and what the decoder makes of another example's.

Definitions: docs/metrics/latent.md. N examples, L latent dimensions.
"""

import math
from functools import partial

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly, generator
from vaelab.data.format.info import DataInfo
from vaelab.measures.columns import Columns
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Pass
from vaelab.measures.sampling import decoded, latent_draw
from vaelab.models.vae import VAE
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import Run

GAP_EXAMPLES = 512  # of val at most, evenly spread, that are decoded once more after every epoch


def active_units(mean: Tensor, variance: float) -> Tensor:
    """Return for each dimension whether Var_x(E[z|x]) exceeds `variance`, bool [L] (Burda et al. 2016, section 5.2)."""
    return mean.double().var(0, correction=0) > variance


def signal_to_noise(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return Var_x(E[z|x]) / E_x[Var(z|x)] of each dimension, from posteriors [N, L], float64 [L]; analytic, divisor N.

    How far apart the codes of examples lie, in the noise that each is sent with: ½ ln(1 + it) nats are the most that
    the dimension can say where that noise is the same for all (Cover & Thomas 2006, section 9.1). 0 where all means are
    the same. Unlike active units it sees that a dimension's means vary, but far less than z does.
    """
    return mean.double().var(0, correction=0) / log_var.double().exp().mean(0)


def others(count: int, seed: int, group: Tensor | None = None) -> Tensor:
    """Return for each example another one [N]: a random cycle through all, or through each group; never itself."""
    order = torch.randperm(count, generator=generator(seed, 0, stream=5))
    found = torch.empty_like(order)
    found[order] = order.roll(1)
    of = torch.zeros(0) if group is None else group.cpu()
    for number in of.unique():
        members = order[of[order] == number]
        if len(members) > 1:
            found[members] = members.roll(1)
    return found


def epoch_latents(
    model: VAE, split: DeviceSplit, result: Pass, run: Run, info: DataInfo, batch_size: int
) -> dict[str, float]:
    """Return what history.csv shows of the latents of val: snr_max, active_units and latent_gap."""
    active = active_units(result.mean, Evaluate().active_variance)
    return {
        "snr_max": float(signal_to_noise(result.mean, result.log_var).max()),
        "active_units": float(active.sum()),
        "latent_gap": latent_gap(model, split, result, run, info, batch_size),
    }


@torch.no_grad()
def latent_gap(model: VAE, split: DeviceSplit, result: Pass, run: Run, info: DataInfo, batch_size: int) -> float:
    """Return by how much −log p(x|z) is higher with the drawn z of another example, nats per example; sampled.

    Of GAP_EXAMPLES at most; NaN of a single one.

    Args:
        model: put into evaluation mode meanwhile.
        split: of which `result` is.
        result: with one draw of z under `train.seed`.
        run: as trained.
        info: of the data.
        batch_size: examples that are decoded at once.
    """
    kind, ids, was_training = MEASURES[info.kind], evenly(len(split), GAP_EXAMPLES), model.training
    some = DeviceSplit([split.stored(ids)], split.group[ids.to(split.device)], split.device, split.kind)
    whose = ids[others(len(ids), run.train.seed, some.group if model.conditional else None)]
    noise, found = latent_draw(result.mean, run.train.seed, 0), Columns(len(ids))
    likelihood = partial(kind.likelihood, info=info, run=run)
    model.eval()
    for batch, inference in decoded(model, some, result.mean[whose], result.log_var[whose], noise[whose], batch_size):
        found.add(likelihood(batch, inference))
    model.train(was_training)
    own, other = ({n: values[0, ids] for n, values in result.drawn.items()}, found.all())
    own_nats, other_nats = (float(kind.density(drawn, info)(drawn).double().mean()) for drawn in (own, other))
    return other_nats - own_nats if len(ids) > 1 else math.nan
