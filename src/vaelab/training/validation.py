"""Validation: what is measured on val before the first epoch and after each."""

from functools import partial

import torch

from vaelab.measures.kinds import MEASURES
from vaelab.measures.latents import epoch_latents
from vaelab.measures.passes import run_pass
from vaelab.measures.sampling import Sampling
from vaelab.training.session import Session

BATCH = 256  # examples per forward pass at most; no option, since it changes no number
DRAWS = 1  # of z for each example: with the same noise in all epochs their order needs no more

Validated = tuple[dict[str, float], dict[str, float]]  # mean losses, metrics


def validate(session: Session) -> Validated:
    """Return the mean losses and the metrics on val.

    The objective and likelihoods are of one z for each example, drawn with the same noise after every epoch, so that
    epochs differ by their weights alone; all other measures are of the posterior mean.
    """
    run, info, model, size = session.run, session.info, session.eval_model, session.val.at_once(BATCH)
    kind = MEASURES[info.kind]
    measure = partial(kind.val_metrics, info=info, run=run)
    likelihood = partial(kind.likelihood, info=info, run=run)
    nothing, sampling = torch.empty(0, dtype=torch.int64), Sampling(likelihood, DRAWS, run.train.seed)
    result = run_pass(
        model, session.val, session.objective, size, session.epochs_done, measure, kind.stored, nothing, sampling
    )
    metrics = kind.epoch_metrics(result.measured.totals, result.means(), info)
    latents = epoch_latents(model, session.val, result, run, info, size)
    return {name: float(values.mean()) for name, values in result.losses.items()}, metrics | latents
