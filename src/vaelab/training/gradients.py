"""The gradients of one step: of a batch, or of this process's share of it."""

from typing import Any

import torch
from torch import Tensor

from vaelab.data.format.batches import AHEAD, Batch, latent_noise
from vaelab.errors import InputError
from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses
from vaelab.objective.share import Share
from vaelab.training.accumulated import Computed, joined
from vaelab.training.crop import cut
from vaelab.training.ending import leave, where
from vaelab.training.nonfinite import culprit, sentence, together
from vaelab.training.processes import of_all_processes
from vaelab.training.session import Session
from vaelab.training.step import corrupted, dropout_seed, flipped, forget_gradients, noisy, shifted
from vaelab.training.turned import turned


def forward_backward(session: Session, index: Tensor) -> Computed:
    """Compute the gradients of the batch `index` [B] at the current step; each process takes its share of it.

    With `train.accumulate` a process takes its share part by part: the examples that as many processes would have.

    Returns:
        The share with what was made of it, and the loss of the whole batch.
    """
    forget_gradients(session.optimizer)
    places = _parts(session, len(index))
    found = [_part(session, index, mine) for mine in places]
    return found[0] if len(found) == 1 else joined(found)


def expect(session: Session, order: Tensor, step: int) -> None:
    """Begin to read the batches of a step of this epoch and of the next ones, where examples come from files."""
    if session.train.reader is not None:
        batches = order[: session.steps * session.batch_size].split(session.batch_size)[step : step + 1 + AHEAD]
        session.train.expect([index[mine] for index in batches for mine in _parts(session, len(index))])


def _parts(session: Session, size: int) -> list[slice]:
    """Which examples of a batch of that size this process takes at once, one after the other."""
    rank, world = session.fabric.global_rank, session.fabric.world_size
    parts = max(1, min(session.run.train.accumulate, size // world))
    return [slice(rank + world * part, None, world * parts) for part in range(parts)]


def _part(session: Session, index: Tensor, mine: slice) -> Computed:
    """Add the gradients of some examples of a batch to those that there are."""
    options, step, device, rank = session.run.train, session.progress.step, session.fabric.device, mine.start
    noise = latent_noise((len(index), session.model.latent_dim), options.seed, step)[mine]
    batch = session.train.take(index[mine])
    if options.flip:
        where = (options.seed, step, mine, len(index))
        of_grids = session.run.kind == "grid"
        x = turned(batch.x, len(session.info.classes), *where) if of_grids else flipped(batch.x, *where)
        batch = batch._replace(x=x)
    if options.shift and session.run.model.name == "local":
        x, noise = shifted(batch.x, noise, session.run.model.cell, options.seed, step)
        batch = batch._replace(x=x)
    if session.sizes is not None:
        x, noise = cut(batch.x, noise, session.run.model, int(session.sizes[index].max()))
        batch = batch._replace(x=x)
    seen = batch.x
    if options.corruption:
        seen = corrupted(seen, options.corruption, options.seed, step, rank)
    if options.input_noise:
        seen = noisy(seen, options.input_noise, options.seed, step, mine, len(index))
    dropout = max(session.run.model.dropout, session.run.model.input_dropout)
    with dropout_seed(dropout > 0, options.seed, step, rank, device):
        network = session.model if session.is_plain else session.wrapped
        inference = Inference(*network(seen, noise.to(device, non_blocking=True), batch.group))
    return (batch, inference, *_backward(session, batch, inference, len(index)))


def _backward(session: Session, batch: Batch, inference: Inference, size: int) -> tuple[Losses, Tensor]:
    """The losses of these examples, and what they add to the loss of the batch of `size`, and to its gradients."""
    fabric, epoch = session.fabric, session.progress.step / session.steps
    if fabric.world_size == 1:
        losses = session.objective(batch.x, inference, epoch)
        loss = losses.total.mean() if len(batch.x) == size else losses.total.sum() / size
        if session.is_plain:
            loss.backward()
        else:
            fabric.backward(loss)
        return losses, loss
    together = sum(of_all_processes(fabric, len(batch.x))) if session.run.train.accumulate > 1 else size
    losses = session.objective(batch.x, inference, epoch, Share(fabric.global_rank, fabric.world_size, together))
    mine = losses.total.sum() * (fabric.world_size / size)  # the mean of it over processes is that of the examples
    fabric.backward(mine)
    whole = fabric.all_reduce(mine.detach())
    assert isinstance(whole, Tensor)
    return losses, whole


def explain(session: Session, bad_step: int) -> InputError:
    """Compute the bad step again, on weights that it did not change; leave what is found, return the error to raise."""
    session.progress.step = bad_step
    epoch, step = divmod(bad_step, session.steps)
    order = session.order(epoch)
    index = order[step * session.batch_size : (step + 1) * session.batch_size]
    _, inference, losses, _ = forward_backward(session, index)
    mine = torch.cat([index[place] for place in _parts(session, len(index))])
    found: list[dict[str, Any]] = of_all_processes(session.fabric, culprit(inference, losses, session.model, mine))
    place, bad = where(session, epoch + 1), together(found)
    folder = leave(session, {**place, **bad}, sentence(place, bad))
    advice = "lower train.learning_rate, warm up loss.beta, or look at the examples named there"
    return InputError(
        f"{sentence(place, bad)}. The weights are those of the step before. "
        f"Details, and the history until then: {folder}/nonfinite.json. Try: {advice}"
    )
