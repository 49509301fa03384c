"""The training loop. Reads top to bottom: epochs of steps, validation, checkpoints, the end.

Everything random is a pure function of seed and step, so that a resumed training equals an uninterrupted one.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from tqdm import tqdm

from vaelab.data.batches import epoch_order, latent_noise
from vaelab.errors import InputError
from vaelab.evaluation import categorical
from vaelab.evaluation.metric_names import improves
from vaelab.evaluation.passes import run_pass
from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses
from vaelab.params.schema import Run
from vaelab.training.nonfinite import report
from vaelab.training.record import row, train_row, write_checkpoints
from vaelab.training.session import Draw, Session, publish, save, start

if TYPE_CHECKING:
    Bar = tqdm[Any]

SAVE_SECONDS = 60.0  # longest time between two savings of the resume state
VALIDATION_BATCH = 256  # examples per forward pass; no option, since it changes no number


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
    """Return whether all epochs are done, or the metric has not become better for `patience` epochs."""
    options, progress = session.run.train, session.progress
    return progress.epoch >= options.epochs or 0 < options.patience <= progress.since_best


def train_epoch(session: Session, bar: "Bar") -> None:
    """Train the steps of the current epoch that are still to do."""
    progress, guard = session.progress, session.guard
    order = epoch_order(len(session.train), session.run.train.seed, progress.epoch)
    saved = time.monotonic()
    session.model.train()
    for step in range(progress.step - progress.epoch * session.steps, session.steps):
        index = order[step * session.batch_size : (step + 1) * session.batch_size]
        x, inference, losses, loss = forward_backward(session, index)
        norm = get_total_norm([p.grad for p in session.model.parameters() if p.grad is not None])
        inner = getattr(session.optimizer, "optimizer", session.optimizer)
        guard.watch(inner, loss, norm, progress.step)
        session.optimizer.step()
        progress.step += 1
        bad = guard.bad_step(progress.step, last=step + 1 == session.steps)
        if bad is not None:
            raise explain(session, bad)
        add_up(session, x, inference, losses, norm)
        bar.update()
        if time.monotonic() - saved > SAVE_SECONDS:
            if guard.bad_step(progress.step, last=True) is not None:
                continue  # never saved: the next look raises
            save(session)
            saved = time.monotonic()


def forward_backward(session: Session, index: Tensor) -> tuple[Tensor, Inference, Losses, Tensor]:
    """Compute the gradients of the batch `index` [B] at the current step; each process takes its share of it."""
    rank, world = session.fabric.global_rank, session.fabric.world_size
    epoch = session.progress.step / session.steps
    noise = latent_noise((len(index), session.model.latent_dim), session.run.train.seed, session.progress.step)
    x = session.train.take(index[rank::world])
    session.optimizer.zero_grad(set_to_none=True)
    inference = Inference(*session.wrapped(x, noise[rank::world].to(session.fabric.device, non_blocking=True)))
    losses = session.objective(x, inference, epoch)
    loss = losses.total.mean()
    session.fabric.backward(loss)
    return x, inference, losses, loss


@torch.no_grad()
def add_up(session: Session, x: Tensor, inference: Inference, losses: Losses, norm: Tensor) -> None:
    """Add a batch to the running sums of the epoch, on the device."""
    predicted = categorical.predicted_classes(inference.reconstruction)
    matrix = categorical.confusion(x, predicted, len(session.info.classes)).sum(0)
    scalars = {"loss": losses.total.mean(), "gradient_norm": norm}
    scalars |= {name: values.mean() for name, values in losses.terms.items()}
    scalars |= {f"{name}_weighted": values.mean() for name, values in losses.weighted.items()}
    for name, value in {"matrix": matrix, **scalars}.items():
        session.sums[name] = session.sums[name] + value if name in session.sums else value.detach().clone()


def close_epoch(session: Session, bar: "Bar") -> None:
    """Validate, note the history, write checkpoints, save the state."""
    progress, options = session.progress, session.run.train
    epoch = progress.epoch = progress.epoch + 1
    losses, metrics = session.fabric.broadcast(validate(session))  # one opinion: each process has its own batch norm
    for name, tensor in session.sums.items():
        reduced = session.fabric.all_reduce(tensor, reduce_op="sum" if name == "matrix" else "mean")
        assert isinstance(reduced, Tensor)
        session.sums[name] = reduced
    progress.history += [train_row(session, epoch), row(session, epoch, "val", losses, metrics)]
    value = metrics[options.metric]
    if value != value:
        raise InputError(f"train.metric: {options.metric} on val is not a number after epoch {epoch}; choose another")
    is_best = improves(options.metric, value, progress.best, options.min_delta)
    progress.since_best = 0 if is_best else progress.since_best + 1
    if is_best:
        progress.best = value
    last = is_finished(session)
    if session.fabric.global_rank == 0:
        write_checkpoints(session, value, is_best, last)
        session.sums = {}
        save(session)
    session.sums = {}
    bar.set_postfix({"loss": f"{losses['loss']:.1f}", options.metric: f"{value:.3f}"})


def validate(session: Session) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean losses and the metrics on val."""
    objective, position = session.objective, session.position
    result = run_pass(session.model, session.val, session.info, objective, VALIDATION_BATCH, position)
    metrics = categorical.summary(result.matrix, session.info.background)
    metrics |= {name: float(result.examples[name].mean()) for name in ("extent_accuracy", "exact_match", "distortion")}
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
