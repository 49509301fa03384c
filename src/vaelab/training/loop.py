"""The training loop. Reads top to bottom: epochs of steps, validation, checkpoints, the end.

Everything random is a pure function of seed and step, so that a resumed training equals an uninterrupted one.
"""

import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from vaelab import artifacts
from vaelab.errors import Interrupted
from vaelab.metrics.directions import VALIDATION
from vaelab.params.schema import Run
from vaelab.training.conditions import holding, status
from vaelab.training.ending import ending, training_facts, without_number
from vaelab.training.going_on import go_on, keep
from vaelab.training.gradients import expect, explain, forward_backward
from vaelab.training.interrupts import AtOnce, Interrupts
from vaelab.training.lock import only_one
from vaelab.training.processes import make_fabric, one_order, one_voice
from vaelab.training.publish import finish, is_trained, publish
from vaelab.training.record import (
    Row,
    add_up,
    note_unbeaten_start,
    row,
    train_row,
    warn_of_few_steps,
    write_checkpoints,
)
from vaelab.training.session import Draw, Session, Watch, count_seconds, save, start
from vaelab.training.state import scratch_folder
from vaelab.training.step import average, clip, copy_buffers, gradient_norm, rate_at, set_rate
from vaelab.training.validation import Validated, validate

if TYPE_CHECKING:
    Bar = tqdm[Any]

SAVE_SECONDS = 60.0  # longest time between two savings of the resume state


def fit(run: Run, data: Path, output: Path, draw: Draw, watch: Watch = lambda history: ()) -> None:
    """Train a run and leave its weights, checkpoints and history in `output`, and why it ended beside the metrics.

    Args:
        run: the resolved run.
        data: folder of its prepared data set.
        output: folder that appears when training is complete.
        draw: called with the snapshot of each checkpoint.
        watch: called with the history after each epoch; returns what is wrong: for each cause its name and a sentence.

    Raises:
        InputError: data or resume state are damaged, the disk is full, or a loss is not finite.
    """
    fabric = make_fabric(run)
    first = fabric.global_rank == 0
    exact = run.train.deterministic and fabric.device.type != "cpu"
    with one_voice(first), one_order(exact), Interrupts(first) as interrupts, ExitStack() as locks:
        scratch = scratch_folder(run, data)
        if first:
            locks.enter_context(only_one(run.name, scratch, output))
        fabric.launch()
        if not fabric.broadcast(is_trained(scratch, output)):
            with interrupts.allowed():
                session = start(fabric, run, data, draw, watch, scratch)
                if run.train.go_on and not session.progress.history:
                    go_on(session, data)
            train(session, interrupts)
            if first:
                if run.train.keep_state:
                    keep(session, data)
                finish(scratch, session.progress.files, training_facts(session))
        elif first:
            print(f"{run.name}: resuming after its last epoch", file=sys.stderr)
        if first:
            places = (artifacts.training(run.name), artifacts.seconds(run.name), artifacts.failed(run.name))
            publish(scratch, output, *places)


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
            look_at_start(session, interrupts)
            while ending(run.train, progress) is None:
                train_epoch(session, bar, interrupts)
                close_epoch(session, bar, interrupts)
            note_unbeaten_start(session)
        except AtOnce:
            raise
        except Interrupted as interrupt:
            if session.guard.bad_step(progress.step, last=True) is None:
                save(session)
            where = (
                f"after epoch {progress.epoch}, step {progress.step}: run the same command again to go on from there"
            )
            raise Interrupted(interrupt.number, f"{run.name} is saved {where}") from None


def look_at_start(session: Session, interrupts: Interrupts) -> None:
    """Validate the untrained model, epoch 0 of the history: the best one so far where `train.select_from` is 0."""
    progress, options = session.progress, session.run.train
    if progress.history:
        return
    losses, metrics = validated(session, interrupts)
    progress.history.append(row(session, 0, "val", losses, metrics))
    if options.select_from:
        return
    value = metrics[options.metric]
    progress.judge(VALIDATION[session.run.kind].history[options.metric], value, options.min_delta)
    if session.fabric.global_rank == 0:
        write_checkpoints(session, value, is_best=value == value, last=False)
    save(session)


def validated(session: Session, interrupts: Interrupts) -> Validated:
    """Return the losses and metrics on val that the first process finds, since sums are rounded."""
    with interrupts.allowed() if session.fabric.global_rank == 0 else nullcontext():
        found: Validated = session.fabric.broadcast(validate(session))
    return found


def train_epoch(session: Session, bar: "Bar", interrupts: Interrupts) -> None:
    """Train the steps of the current epoch that are still to do."""
    progress, guard, options = session.progress, session.guard, session.run.train
    inner = getattr(session.optimizer, "optimizer", session.optimizer)
    order = session.order(progress.epoch)
    steps, size = session.steps, session.batch_size
    parameters, saved = list(session.model.parameters()), time.monotonic()
    session.model.train()
    for step in range(progress.step - progress.epoch * steps, steps):
        expect(session, order, step)
        batch, inference, losses, loss = forward_backward(session, order[step * size : (step + 1) * size])
        norm = gradient_norm(parameters)
        guard.watch(inner, loss, norm)
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
    progress, options = session.progress, session.run.train
    if session.average is not None:
        copy_buffers(session.average, session.model)
    losses, metrics = validated(session, interrupts)
    epoch = progress.epoch = progress.epoch + 1
    val = row(session, epoch, "val", losses, metrics)
    progress.history += [train_row(session, epoch, session.steps), val]
    value = metrics[options.metric]
    if value != value:
        raise without_number(session)
    if options.minutes is not None:  # by one clock, looked at once
        count_seconds(session)
        progress.out_of_time = session.fabric.broadcast(progress.seconds >= 60 * options.minutes)
    progress.held = progress.held + 1 if all(holding(val, options).values()) else 0
    direction = VALIDATION[session.run.kind].history[options.metric]
    if epoch == options.select_from:
        progress.forget_best()
    is_best = progress.judge(direction, value, options.min_delta)
    if session.fabric.global_rank == 0:
        write_checkpoints(session, value, is_best, ending(options, progress) is not None)
    session.sums = {}
    save(session)
    say(session, bar, val)


def say(session: Session, bar: "Bar", val: Row) -> None:
    """Let the progress line say how the epoch went, and stderr each cause of trouble that can be known, once."""
    run, progress = session.run, session.progress
    shown = {"loss": f"{val['loss']:.4g}", run.train.metric: f"{val[run.train.metric]:.3f}"}
    causes = session.watch(progress.history) if session.fabric.global_rank == 0 else ()
    for cause, sentence in causes:
        if cause not in session.told:
            session.told.add(cause)
            bar.write(f"note: {run.name}, epoch {progress.epoch}: {sentence}", file=sys.stderr)
    diagnosis = {"diagnosis": " ".join(cause for cause, _ in causes)} if causes else {}
    bar.set_postfix(shown | status(val, run.train, progress.held) | diagnosis)
