"""Follows trainings: what they have written since the last look becomes events.

It reads what lies on the disk and nothing else: no training knows of it. The step of every event is the epoch, its wall
time that of the file it comes from.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab import artifacts, storage
from vaelab.commands.tensorboard.events import EventLog
from vaelab.commands.tensorboard.hparams import ended, session
from vaelab.commands.tensorboard.pictures import SAMPLES, checkpoints, pictures
from vaelab.commands.tensorboard.places import HISTORY, Place, places
from vaelab.commands.tensorboard.scalars import PHASES, read_history, scalars
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError

LOGS = artifacts.SCRATCH / "tensorboard"
PICTURES = "samples/"


class Followed:
    """One training and its events: scalars of each phase, and beside them pictures and hyperparameters."""

    def __init__(self, folder: Path) -> None:
        self.phases = {phase: EventLog(folder / phase) for phase in PHASES}
        self.own = EventLog(folder)
        self.look: tuple[Path, int, int] | None = None  # at what the last look was: it need not be read again

    def update(self, place: Place) -> None:
        """Write what is new of a training; where it is another one than before, its events replace those."""
        status = (place.folder / HISTORY).stat()
        look = (place.folder, status.st_mtime_ns, status.st_size)
        if look == self.look:
            return
        rows = read_history(place.folder / HISTORY)
        wanted = {phase: {epoch: scalars(row) for epoch, row in rows[phase].items()} for phase in PHASES}
        if self.look is None and any(log.is_another(wanted[phase]) for phase, log in self.phases.items()):
            for log in (self.own, *self.phases.values()):  # TensorBoard keeps the hyperparameters that it saw first
                log.forget()
        changed = [log.follow(wanted[phase], status.st_mtime) for phase, log in self.phases.items()]
        epochs = sorted({*rows["train"], *rows["val"]})
        self._purge([step for step in changed if step is not None], max(epochs, default=0) + 1, status.st_mtime)
        self._add_others(place, epochs, status.st_mtime)
        self.look = look

    def _purge(self, changed: Sequence[int], end: int, seconds: float) -> None:
        """Take away pictures that are of another training, or of epochs that this one has not reached."""
        first = min(changed, default=end)
        self.own.purge(first if first > 1 else 0, seconds)

    def _add_others(self, place: Place, epochs: Sequence[int], seconds: float) -> None:
        described = _description(place)
        if described is None:
            return
        there = {tag for values in self.own.written.values() for tag in values}
        opened, closed = session(place, described["run"]), ended(place.folder.parent.name == "models")
        if not there.intersection(opened):
            self.own.add(0, opened, seconds)
        drawn = {step for step, values in self.own.written.items() if any(tag.startswith(PICTURES) for tag in values)}
        info = DataInfo.from_dict(described["info"])
        for checkpoint in checkpoints(place, [epoch for epoch in epochs if epoch not in drawn]):
            self.own.add(checkpoint.epoch, pictures(checkpoint, info), checkpoint.seconds)
        if place.folder.parent.name in ("models", "failed") and not there.intersection(closed):
            self.own.add(max(epochs, default=0), closed, seconds)


class Follower:
    """All trainings of a project that are asked for, and those of its experiments."""

    def __init__(self, root: Path = Path(), runs: Sequence[str] = ()) -> None:
        self.root, self.runs = root, runs
        self.followed: dict[str, Followed] = {}

    def update(self) -> list[str]:
        """Look at every training once; return the names of those that are there."""
        names = []
        for place in places(self.root):
            if self.runs and place.run not in self.runs:
                continue
            names.append(place.name)
            if place.name not in self.followed:
                self.followed[place.name] = Followed(self.root / LOGS / place.name)
            try:
                self.followed[place.name].update(place)
            except (FileNotFoundError, InputError):
                if (place.folder / HISTORY).exists():  # else it was published meanwhile: the next look finds it
                    raise
        return names


def _description(place: Place) -> dict[str, Any] | None:
    """What the model files of a training say of its run and data; None where it has none yet."""
    models = (
        path for path in sorted(place.folder.glob("checkpoints/*.safetensors")) if not str(path).endswith(SAMPLES)
    )
    for path in (*models, place.folder / "model.safetensors"):
        if path.is_file():
            with storage.opened(path, "numpy") as file:
                found: dict[str, Any] = json.loads(file.metadata()["vaelab"])
                return found
    return None
