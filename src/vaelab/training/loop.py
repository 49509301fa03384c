"""The training loop. Reads top to bottom: epochs of steps, validation, checkpoints, the end.

Everything random is a pure function of seed and step, so that a resumed training equals an uninterrupted one.
"""

import sys
import time
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from vaelab import artifacts
from vaelab.errors import InputError, Interrupted
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import run_pass
from vaelab.measures.sampling import Sampling
from vaelab.metrics.directions import VALIDATION
from vaelab.params.schema import Run
from vaelab.training.conditions import holding, status
from vaelab.training.gradients import explain, forward_backward
from vaelab.training.interrupts import Interrupts
from vaelab.training.lock import only_one
from vaelab.training.processes import one_voice
from vaelab.training.publish import finish, is_trained, publish
from vaelab.training.record import add_up, note_unbeaten_start, row, train_row, warn_of_few_steps, write_checkpoints
from vaelab.training.session import Draw, Session, make_fabric, save, start
from vaelab.training.state import scratch_folder
from vaelab.training.step import average, clip, copy_buffers, gradient_norm, rate_at, set_rate

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
    fabric = make_fabric(run)
    first = fabric.global_rank == 0
    with one_voice(first), Interrupts(first) as interrupts, ExitStack() as locks:
        scratch = scratch_folder(run, data)
        if first:
            locks.enter_context(only_one(run.name, scratch, output))
        fabric.launch()
        if not fabric.broadcast(is_trained(scratch, output)):
            with interrupts.allowed():
                session = start(fabric, run, data, draw, scratch)
            train(session, interrupts)
            if first:
                finish(scratch, session.progress.files)
        elif first:
            print(f"{run.name}: resuming after its last epoch", file=sys.stderr)
        if first:
            publish(scratch, output, artifacts.failed(run.name))


def train(session: Session, interrupts: Interrupts) -> None:
    """Train to the end, or to an interrupt, where the state is saved."""
    run, progress = session.run, session.progress
    bar = tqdm(
        total=run.train.epochs * session.steps, initial=progress.step, desc=run.name, unit="step",
        disable=session.fabric.global_rank > 0, mininterval=0.5 if sys.stderr.isatty() else 20,
    )  # fmt: skip
    with bar:
        try:
            warn_of_few_steps(session)
            judge_start(session, interrupts)
            while not is_finished(session):
                train_epoch(session, bar, interrupts)
                close_epoch(session, bar, interrupts)
            note_unbeaten_start(session)
        except Interrupted as interrupt:
            if session.guard.bad_step(progress.step, last=True) is None:
                save(session)
            where = (
                f"after epoch {progress.epoch}, step {progress.step}: run the same command again to go on from there"
            )
            raise Interrupted(interrupt.number, f"{run.name} is saved {where}") from None


def judge_start(session: Session, interrupts: Interrupts) -> None:
    """Take the untrained model for the best one so far, where `train.select_from` is 0."""
    progress, options, first = session.progress, session.run.train, session.fabric.global_rank == 0
    if options.select_from or progress.step or progress.best is not None:
        return
    with interrupts.allowed() if first else nullcontext():
        _, metrics = session.fabric.broadcast(validate(session))
    value = metrics[options.metric]
    progress.judge(VALIDATION[session.run.kind].history[options.metric], value, options.min_delta)
    if first:
        write_checkpoints(session, value, is_best=value == value, last=False)
    save(session)


def is_finished(session: Session) -> bool:
    """Return whether all epochs are done, the metric has not improved for `patience`, or `stop_when` has held."""
    options, progress = session.run.train, session.progress
    patience_over = 0 < options.patience <= progress.since_best
    all_well = bool(options.stop_when) and progress.held >= options.stop_epochs
    return progress.epoch >= options.epochs or patience_over or all_well


def train_epoch(session: Session, bar: "Bar", interrupts: Interrupts) -> None:
    """Train the steps of the current epoch that are still to do."""
    progress, guard, options = session.progress, session.guard, session.run.train
    inner = getattr(session.optimizer, "optimizer", session.optimizer)
    order = session.order(progress.epoch)
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
        if session.fabric.global_rank == 0:  # the state is whole here; the others see that the first one has gone
            interrupts.check()
        if time.monotonic() - saved > SAVE_SECONDS:
            if guard.bad_step(progress.step, last=True) is not None:
                continue  # never saved: the next look raises
            save(session)
            saved = time.monotonic()


def close_epoch(session: Session, bar: "Bar", interrupts: Interrupts) -> None:
    """Validate, note the history, write checkpoints, save the state."""
    progress, options, first = session.progress, session.run.train, session.fabric.global_rank == 0
    if session.average is not None:
        copy_buffers(session.average, session.model)
    with interrupts.allowed() if first else nullcontext():
        losses, metrics = session.fabric.broadcast(validate(session))  # of the first process, since sums are rounded
    epoch = progress.epoch = progress.epoch + 1
    val = row(session, epoch, "val", losses, metrics)
    progress.history += [train_row(session, epoch), val]
    progress.held = progress.held + 1 if all(holding(val, options).values()) else 0
    value = metrics[options.metric]
    if value != value:
        raise InputError(f"train.metric: {options.metric} on val is not a number after epoch {epoch}; choose another")
    direction = VALIDATION[session.run.kind].history[options.metric]
    if epoch == options.select_from:
        progress.forget_best()
    is_best = progress.judge(direction, value, options.min_delta)
    if first:
        write_checkpoints(session, value, is_best, is_finished(session))
    session.sums = {}
    save(session)
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
