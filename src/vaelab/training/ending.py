"""Why and when a training ended: training.json, and what one leaves that ended without a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaelab import artifacts, storage
from vaelab.errors import InputError
from vaelab.params.blocks import Train
from vaelab.training.conditions import written
from vaelab.training.record import Row, train_row
from vaelab.training.session import Session, count_seconds
from vaelab.training.state import Progress


def ending(options: Train, progress: Progress) -> tuple[str, str] | None:
    """Return what ends the training after this epoch, by name and in a sentence; None where it goes on."""
    if options.stop_when and progress.held >= options.stop_epochs:
        ranges = ", ".join(f"{name} {written(bounds)}" for name, bounds in options.stop_when.items())
        return "stop_when", f"all of train.stop_when held for {counted(progress.held, 'epoch')}: {ranges}"
    if 0 < options.patience <= progress.since_best:
        found = f"no {options.metric} better than {progress.counted:.4g}"
        by = f" by more than {options.min_delta:g}" if options.min_delta else ""
        return "patience", f"{found}{by} for {counted(progress.since_best, 'epoch')}"
    if progress.epoch >= options.epochs:
        return "epochs", f"all epochs are trained: {progress.epoch}"
    if progress.out_of_time:
        return "minutes", f"train.minutes, {options.minutes:g}, were over in epoch {progress.epoch} of {options.epochs}"
    return None


def counted(number: int, name: str) -> str:
    """Return a number of things in words."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def training_facts(session: Session, not_finite: str = "") -> dict[str, Any]:
    """Return what is noted of the end: why training ended, the epochs that are whole, and the time that it took.

    `not_finite` says what was not finite, where that was the end.
    Seconds are those of the clock on the wall, of training, validation and checkpoints, without what a kill lost.
    """
    count_seconds(session)
    progress, steps = session.progress, session.progress.step - session.progress.before
    each = progress.seconds * session.steps / steps if steps else None
    end = ("not_finite", not_finite) if not_finite else ending(session.run.train, progress)
    assert end is not None
    facts = dict(zip(("stopped", "reason"), end, strict=True)) | {"epochs": progress.epoch}
    return facts | {"seconds": progress.seconds, "seconds_per_epoch": each}


def leave(session: Session, details: Mapping[str, Any], reason: str) -> Path:
    """Write what a training that ended without a model leaves, by the first process; return the folder.

    Its history, with a row of the steps of an unfinished epoch, training.json and, last, the details, nonfinite.json.
    """
    folder = artifacts.failed(session.run.name)
    if session.fabric.global_rank == 0:
        storage.write_csv(folder / "history.csv", [*session.progress.history, *_unfinished(session)])
        storage.write_json(folder / "training.json", training_facts(session, reason))
        storage.write_json(folder / "nonfinite.json", details)
    return folder


def where(session: Session, epoch: int) -> dict[str, Any]:
    """Return where training stands, in an epoch from 1, for nonfinite.json."""
    return {"step": session.progress.step, "epoch": epoch, "learning_rate": session.run.train.learning_rate}


def without_number(session: Session) -> InputError:
    """Leave what is known where the metric on val is not a number; return the error to raise."""
    epoch, metric = session.progress.epoch, session.run.train.metric
    reason = f"{metric} on val is not a number after epoch {epoch}"
    folder = leave(session, {**where(session, epoch), "first_bad": f"val.{metric}"}, reason)
    return InputError(f"train.metric: {reason}; choose another, or see {folder}/history.csv")


def _unfinished(session: Session) -> list[Row]:
    """The row of an epoch that ended early; none where a step that is not finite is among its sums, as on GPUs."""
    progress = session.progress
    steps = progress.step - progress.epoch * session.steps
    finite = all(bool(value.isfinite().all()) for value in session.sums.values())
    return [train_row(session, progress.epoch + 1, steps)] if steps > 0 and session.sums and finite else []
