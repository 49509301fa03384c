"""A training that goes on where another one ended, as if it had never ended: what that one keeps, and how it is read.

With weights, their average and the optimiser's state go on: step, epoch, history, the best so far and the checkpoints.
"""

import json
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from vaelab import storage
from vaelab.errors import InputError, shortened
from vaelab.models.files import load_model, save_model, save_tensors
from vaelab.params.schema import Run
from vaelab.params.starts import differences
from vaelab.training.begins import BEST, KEPT, begins_with, refuse_unlike
from vaelab.training.ending import ending
from vaelab.training.session import Session
from vaelab.training.state import Progress, all_tensors, below, checksum, data_digest, put_back

METADATA = "vaelab_state"


def keep(session: Session, data: Path) -> None:
    """Write, beside the weights, what another training needs to go on; the same bytes each time."""
    inner = getattr(session.optimizer, "optimizer", session.optimizer)
    tensors = all_tensors(session.model, inner, session.average)
    progress = asdict(replace(session.progress, before=0, seconds=0.0, files={}, out_of_time=False))
    facts = {"progress": progress, "run": session.run.model_dump(mode="json"), "data": data_digest(data)}
    text = json.dumps(facts)
    described = json.dumps({"facts": text, "checksum": checksum(tensors, text)})
    save_tensors(session.output / KEPT, tensors, {METADATA: described})  # one entry: several have no fixed order


def go_on(session: Session, data: Path) -> None:
    """Let a new session be where the training that its run goes on from ended.

    Raises:
        InputError: there is no such state, it is damaged, or of a training that cannot be gone on with like this.
    """
    run, (best, path) = session.run, begins_with(session.run)
    facts, tensors = _read(path)
    before, progress = _checked(path, facts)
    refused, noted = differences(before, run)
    if refused:
        raise InputError(f"{path}: {run.name} goes on with another training than it is of: {'; '.join(refused)}")
    if facts["data"] != data_digest(data):
        raise InputError(
            f"{path}: {data} is another since; without train.go_on its weights alone are what one starts with"
        )
    refuse_unlike(path, below(tensors, "model."), session.model)
    inner = getattr(session.optimizer, "optimizer", session.optimizer)
    try:
        on_device = {name: tensor.to(session.fabric.device) for name, tensor in tensors.items()}
        put_back(on_device, session.model, inner, session.average)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from None
    _say(session, before, progress, noted)
    session.progress = replace(progress, before=progress.step)
    if session.fabric.global_rank == 0:
        _take_files(session, best)


def _say(session: Session, before: Run, progress: Progress, noted: list[str]) -> None:
    run = session.run
    end = ending(run.train, progress)
    if end is not None:
        text = f"{run.name} goes on from epoch {progress.epoch} of {before.name}, and would end there: {end[1]}"
        raise InputError(
            f"train.go_on: {text}; expected more train.epochs, counted from the beginning, or other limits"
        )
    if session.fabric.global_rank == 0:
        print(f"{run.name}: going on from {before.name} after epoch {progress.epoch}", file=sys.stderr)
        for text in noted:
            print(f"note: {run.name}: {text}", file=sys.stderr)


def _take_files(session: Session, best: Path) -> None:
    """The best weights so far, as this run's, and the checkpoints so far, as they are."""
    known = load_model(best)
    save_model(session.output / BEST, known.model.state_dict(), session.run, session.info, known.facts)
    checkpoints = best.parent / "checkpoints"
    with storage.writing(session.output):
        if checkpoints.is_dir():
            shutil.copytree(checkpoints, session.output / "checkpoints", dirs_exist_ok=True)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with storage.opened(path, "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        described = json.loads(metadata[METADATA])
        if described["checksum"] != checksum(tensors, described["facts"]):
            raise ValueError("its checksum is another")
        facts: dict[str, Any] = json.loads(described["facts"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from None
    return facts, tensors


def _checked(path: Path, facts: dict[str, Any]) -> tuple[Run, Progress]:
    try:
        return Run.model_validate(facts["run"]), Progress(**facts["progress"])
    except (KeyError, TypeError, ValidationError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: damaged, or no state to go on from ({shortened(error)}); train its run again")
