"""Follows trainings: what they have written since the last look becomes events.

It reads what lies on the disk and nothing else: no training knows of it. The step of every event is the epoch, its wall
time that of the file it comes from.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts, storage
from vaelab.commands.console import tell
from vaelab.commands.tensorboard.events import EventLog
from vaelab.commands.tensorboard.hparams import ended, session
from vaelab.commands.tensorboard.pictures import ALL, SAMPLES, Checkpoint, checkpoints, pairs, together
from vaelab.commands.tensorboard.places import HISTORY, Place, places
from vaelab.commands.tensorboard.reading import Files, Stamp, stamp
from vaelab.commands.tensorboard.scalars import PHASES, read_history
from vaelab.data.format.info import DataInfo

LOGS = artifacts.SCRATCH / "tensorboard"
PICTURES = "samples/"


class Followed:
    """One training and its events: scalars of each phase, and beside them pictures and hyperparameters."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.phases = {phase: EventLog(folder / phase) for phase in PHASES}
        self.own = EventLog(folder)
        self.files = Files(say)
        self.look: tuple[Path, Stamp] | None = None  # at what the last look was: it need not be read again

    def update(self, place: Place) -> None:
        """Write what is new of a training; where it is another one than before, its events replace those."""
        history = place.folder / HISTORY
        now = stamp(history)
        if now is None or ((place.folder, now) == self.look and not self.files.have_changed()):
            return
        wanted = self.files.read(history, read_history)
        if wanted is None:
            return
        first, self.look, seconds = self.look is None, (place.folder, now), now.seconds
        if first and any(log.is_another(wanted[phase]) for phase, log in self.phases.items()):
            for log in (self.own, *self.phases.values()):  # TensorBoard keeps the hyperparameters that it saw first
                log.forget()
        changed = [log.follow(wanted[phase], seconds) for phase, log in self.phases.items()]
        epochs = sorted({*wanted["train"], *wanted["val"]})
        self._purge([step for step in changed if step is not None], max(epochs, default=0) + 1, seconds)
        self._add_others(place, epochs, seconds)

    def _purge(self, changed: Sequence[int], end: int, seconds: float) -> None:
        """Take away pictures that are of another training, or of epochs that this one has not reached."""
        first = min(changed, default=end)
        self.own.purge(first if first > 1 else 0, seconds)

    def _add_others(self, place: Place, epochs: Sequence[int], seconds: float) -> None:
        described = self._described(place)
        if described is None:
            return
        there = {tag for values in self.own.written.values() for tag in values}
        if not there.intersection(described.session):
            self.own.add(0, described.session, seconds)
        for checkpoint in checkpoints(place, epochs):
            written = stamp(checkpoint.samples)
            drawn = self._pictures(checkpoint, described.info)
            if drawn and written:
                self.own.add(checkpoint.epoch, drawn, written.seconds)
        closed = ended(place.folder.parent.name == "models")
        if place.folder.parent.name in ("models", "failed") and not there.intersection(closed):
            self.own.add(max(epochs, default=0), closed, seconds)

    def _pictures(self, checkpoint: Checkpoint, info: DataInfo) -> dict[str, Any]:
        """The pictures of a checkpoint that are not there yet."""
        there = self.own.written.get(checkpoint.epoch, {})
        found: dict[str, Any] = {}
        if not any(tag.startswith(PICTURES) for tag in there):
            found |= self.files.read(checkpoint.samples, lambda path: pairs(path, info)) or {}
        if ALL not in there:
            found |= self.files.read(checkpoint.drawn, together) or {}
        return found

    def _described(self, place: Place) -> "Described | None":
        """What the first model file of a training that can be read says of its run and data."""
        models = sorted(place.folder.glob("checkpoints/*.safetensors"))
        for path in (*models, place.folder / "model.safetensors"):
            if not path.name.endswith(SAMPLES) and (found := self.files.read(path, lambda file: _read(file, place))):
                return found
        return None


class Described(NamedTuple):
    """What a model file says of a training."""

    session: dict[str, Any]  # hyperparameters: Summary.Value by tag
    info: DataInfo


def _read(path: Path, place: Place) -> Described:
    with storage.opened(path, "numpy") as file:
        found = json.loads(file.metadata()["vaelab"])
    return Described(session(place, found["run"]), DataInfo.from_dict(found["info"]))


class Follower:
    """All trainings of a project that are asked for, and those of its experiments.

    Args:
        root: of the project.
        runs: names; none: all.
        say: takes a line about a file that cannot be read: what else there is is followed.
    """

    def __init__(self, root: Path = Path(), runs: Sequence[str] = (), say: Callable[[str], None] = tell) -> None:
        self.root, self.runs, self.say = root, runs, say
        self.followed: dict[str, Followed] = {}

    def update(self) -> list[str]:
        """Look at every training once; return the names of those that are there."""
        names = []
        for place in places(self.root):
            if self.runs and place.run not in self.runs:
                continue
            names.append(place.name)
            if place.name not in self.followed:
                self.followed[place.name] = Followed(self.root / LOGS / place.name, self.say)
            self.followed[place.name].update(place)
        return names
