"""The training loop. Reads top to bottom: epochs of steps, validation, checkpoints, the end.

Everything random is a pure function of seed and step, so that a resumed training equals an uninterrupted one.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from vaelab.data.format.batches import Batch, epoch_order, latent_noise
from vaelab.errors import InputError
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import run_pass
from vaelab.measures.sampling import Sampling
from vaelab.metrics.directions import VALIDATION, improves
from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses
from vaelab.params.schema import Run
from vaelab.training.conditions import holding, status
from vaelab.training.nonfinite import report
from vaelab.training.record import TOTAL, add_up, row, train_row, write_checkpoints
from vaelab.training.session import Draw, Session, publish, save, start
from vaelab.training.step import (
    average,
    clip,
    copy_buffers,
    corrupted,
    dropout_seed,
    flipped,
    forget_gradients,
    gradient_norm,
    noisy,
    rate_at,
    set_rate,
    shifted,
)

if TYPE_CHECKING:
    Bar = tqdm[Any]

SAVE_SECONDS = 60.0  # longest time between two savings of the resume state
VALIDATION_BATCH = 256  # examples per forward pass; no option, since it changes no number
VALIDATION_DRAWS = 1  # of z for each example: with the same noise in all epochs their order needs no more


def fit(run: Run, data: Path, output: Path, draw: Draw) -> None:
    """Train a run and leave its weights, checkpoints and history in `output`.

    Args:
        run: the resolved run.
        data: folder of its prepared data set.
        output: folder that appears when training is complete.
        draw: called with the snapshot of each checkpoint.

    Raises:
        InputError: data or resume state are damaged, the disk is full, or a loss is not finite.
    """
    session = start(run, data, draw)
    finished = session.progress.epoch * session.steps + session.progress.step % session.steps
    disable = session.fabric.global_rank > 0
    bar = tqdm(
        total=run.train.epochs * session.steps, initial=finished, desc=run.name, unit="step", disable=disable,
        mininterval=0.5 if sys.stderr.isatty() else 20,
    )  # fmt: skip
    with bar:
        while not is_finished(session):
            train_epoch(session, bar)
            close_epoch(session, bar)
    if session.fabric.global_rank == 0:
        publish(session, output)


def is_finished(session: Session) -> bool:
    """Return whether all epochs are done, the metric has not improved for `patience`, or `stop_when` has held."""
    options, progress = session.run.train, session.progress
    patience_over = 0 < options.patience <= progress.since_best
    all_well = bool(options.stop_when) and progress.held >= options.stop_epochs
    return progress.epoch >= options.epochs or patience_over or all_well


def train_epoch(session: Session, bar: "Bar") -> None:
    """Train the steps of the current epoch that are still to do."""
    progress, guard, options = session.progress, session.guard, session.run.train
    inner = getattr(session.optimizer, "optimizer", session.optimizer)
    order = epoch_order(len(session.train), session.run.train.seed, progress.epoch)
    steps, size = session.steps, session.batch_size
    parameters, saved = list(session.model.parameters()), time.monotonic()
    session.model.train()
    for step in range(progress.step - progress.epoch * steps, steps):
        index = order[step * size : (step + 1) * size]
        batch, inference, losses, loss = forward_backward(session, index)
        norm = gradient_norm(parameters)
        guard.watch(inner, loss, norm, progress.step)
        clip(parameters, norm, options.clip_norm)
        set_rate(inner, rate_at(options, progress.step / steps))
        inner.step()  # of AdamW, which Fabric leaves as it is
        if session.average is not None:
            average(session.average, session.model, options.ema, progress.step)
        progress.step += 1
        bad = guard.bad_step(progress.step, last=step + 1 == steps)
        if bad is not None:
            raise explain(session, bad)
        add_up(session, batch, inference, losses, norm)
        bar.update()
        if time.monotonic() - saved > SAVE_SECONDS:
            if guard.bad_step(progress.step, last=True) is not None:
                continue  # never saved: the next look raises
            save(session)
            saved = time.monotonic()


def forward_backward(session: Session, index: Tensor) -> tuple[Batch, Inference, Losses, Tensor]:
    """Compute the gradients of the batch `index` [B] at the current step; each process takes its share of it."""
    rank, options, step = session.fabric.global_rank, session.run.train, session.progress.step
    mine, device = slice(rank, None, session.fabric.world_size), session.fabric.device
    noise = latent_noise((len(index), session.model.latent_dim), options.seed, step)[mine]
    batch = session.train.take(index[mine])
    if options.flip:
        batch = batch._replace(x=flipped(batch.x, options.seed, step, mine, len(index)))
    if options.shift and session.run.model.name == "local":
        x, noise = shifted(batch.x, noise, 2**session.run.model.depth, options.seed, step)
        batch = batch._replace(x=x)
    seen = batch.x
    if options.corruption:
        seen = corrupted(seen, options.corruption, options.seed, step, rank)
    if options.input_noise:
        seen = noisy(seen, options.input_noise, options.seed, step, rank)
    forget_gradients(session.optimizer)
    dropout = max(session.run.model.dropout, session.run.model.input_dropout)
    with dropout_seed(dropout > 0, options.seed, step, rank, device):
        network = session.model if session.is_plain else session.wrapped
        inference = Inference(*network(seen, noise.to(device, non_blocking=True), batch.group))
    losses = session.objective(batch.x, inference, step / session.steps)
    loss = losses.total.mean()
    if session.is_plain:
        loss.backward()
    else:
        session.fabric.backward(loss)
    return batch, inference, losses, loss


def close_epoch(session: Session, bar: "Bar") -> None:
    """Validate, note the history, write checkpoints, save the state."""
    progress, options = session.progress, session.run.train
    epoch = progress.epoch = progress.epoch + 1
    if session.average is not None:
        copy_buffers(session.average, session.model)
    losses, metrics = session.fabric.broadcast(validate(session))  # one opinion: each process has its own batch norm
    for name, tensor in session.sums.items():
        reduced = session.fabric.all_reduce(tensor, reduce_op="sum" if name.startswith(TOTAL) else "mean")
        assert isinstance(reduced, Tensor)
        session.sums[name] = reduced
    val = row(session, epoch, "val", losses, metrics)
    progress.history += [train_row(session, epoch), val]
    progress.held = progress.held + 1 if all(holding(val, options).values()) else 0
    value = metrics[options.metric]
    if value != value:
        raise InputError(f"train.metric: {options.metric} on val is not a number after epoch {epoch}; choose another")
    direction = VALIDATION[session.run.kind].history[options.metric]
    is_best = improves(direction, value, progress.best, options.min_delta)
    progress.since_best = 0 if is_best else progress.since_best + 1
    if is_best:
        progress.best = value
    last = is_finished(session)
    if session.fabric.global_rank == 0:
        write_checkpoints(session, value, is_best, last)
        session.sums = {}
        save(session)
    session.sums = {}
    shown = {"loss": f"{losses['loss']:.4g}", options.metric: f"{value:.3f}"}
    bar.set_postfix(shown | status(val, options, progress.held))


def validate(session: Session) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean losses and the metrics on val.

    The objective and likelihoods are of one z for each example, drawn with the same noise after every epoch, so that
    epochs differ by their weights alone; all other measures are of the posterior mean.
    """
    objective, epoch = session.objective, session.epochs_done
    kind = MEASURES[session.info.kind]
    measure = partial(kind.val_metrics, info=session.info, run=session.run)
    nothing = torch.empty(0, dtype=torch.int64)
    likelihood = partial(kind.likelihood, info=session.info, run=session.run)
    sampling = Sampling(likelihood, VALIDATION_DRAWS, session.run.train.seed)
    result = run_pass(
        session.eval_model, session.val, objective, VALIDATION_BATCH, epoch, measure, kind.stored, nothing, sampling
    )
    metrics = kind.epoch_metrics(result.measured.totals, result.means(), session.info)
    return {name: float(values.mean()) for name, values in result.losses.items()}, metrics


def explain(session: Session, bad_step: int) -> Exception:
    """Compute the bad step again, on weights that it did not change, and return the error to raise."""
    session.progress.step = bad_step
    epoch, step = divmod(bad_step, session.steps)
    order = epoch_order(len(session.train), session.run.train.seed, epoch)
    index = order[step * session.batch_size : (step + 1) * session.batch_size]
    _, inference, losses, _ = forward_backward(session, index)
    where = {"step": bad_step, "epoch": epoch + 1, "learning_rate": session.run.train.learning_rate}
    mine = index[session.fabric.global_rank :: session.fabric.world_size]
    return report(session.scratch / "nonfinite.json", where, inference, losses, session.model, mine)
