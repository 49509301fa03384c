"""Event files of one folder: what stands in them, and what is added to it.

A folder has a file for each process that wrote to it, numbered; nothing is ever changed in one but that it grows. A
START with a step takes away, for all readers, what was written before from that step on: so that a restart, or another
training, leaves nothing twice.
"""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from vaelab import storage

NAME = "events.out.tfevents."
OURS = f"{NAME}{'[0-9]' * 10}"  # another program that writes events has other names
VERSION = "brain.Event:2"
Values = Mapping[str, Any]  # by tag, each a Summary.Value


class EventLog:
    """The events of one folder, which TensorBoard shows as a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: dict[int, dict[str, bytes]] = {}  # digests, by step and tag
        files = sorted(folder.glob(OURS))
        self.number = int(files[-1].name.removeprefix(NAME)) + 1 if files else 0  # of the next file
        for path in files:
            for event in LegacyEventFileLoader(str(path)).Load():  # which ends before a record that a kill cut off
                self._note(event)
        self.path: Path | None = None  # of the file of this process

    def is_another(self, wanted: Mapping[int, Values]) -> bool:
        """Return whether something was written of a step that is wanted otherwise now."""
        return any(step in self.written and _digests(values) != self.written[step] for step, values in wanted.items())

    def forget(self) -> None:
        """Remove all that was written: for readers that begin later, since those of now keep what they have seen."""
        self.path, self.written = None, {}
        for path in self.folder.glob(OURS):
            path.unlink()

    def follow(self, wanted: Mapping[int, Values], seconds: float) -> int | None:
        """Write what is wanted by step and not there; what is there and not wanted is taken away.

        Returns:
            The first step that was there otherwise, or is not wanted any more; None where something was only added.
        """
        steps = sorted({*wanted, *self.written})
        new = next((step for step in steps if _digests(wanted.get(step, {})) != self.written.get(step, {})), None)
        if new is None:
            return None
        changed = new if any(step >= new for step in self.written) else None
        if changed is not None:
            self.purge(changed, seconds)
        for step in steps:
            if step >= new and step in wanted:
                self.add(step, wanted[step], seconds)
        return changed

    def add(self, step: int, values: Values, seconds: float) -> None:
        """Write values at a step; wall time in seconds."""
        self._write(Event(step=step, wall_time=seconds, summary=Summary(value=values.values())))

    def purge(self, step: int, seconds: float) -> None:
        """Take away what was written from a step on."""
        if any(there >= step for there in self.written):
            start = SessionLog(status=SessionLog.START)
            self._write(Event(step=step, wall_time=seconds, session_log=start))

    def _write(self, event: Any) -> None:
        opening = []
        if self.path is None:  # the first START of a folder says nothing; so does this one, after all that is there
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path, self.number = self.folder / f"{NAME}{self.number:010d}", self.number + 1
            after, start = max(self.written, default=-1) + 1, SessionLog(status=SessionLog.START)
            opening = [Event(file_version=VERSION), Event(step=after, session_log=start)]
        with storage.writing(self.path), self.path.open("ab") as stream:
            records = RecordWriter(stream)
            for each in (*opening, event):
                each.wall_time = event.wall_time
                records.write(each.SerializeToString(deterministic=True))
                self._note(each)

    def _note(self, event: Any) -> None:
        """Take in what an event says, as its readers do."""
        if event.session_log.status == SessionLog.START:
            self.written = {step: values for step, values in self.written.items() if step < event.step}
        if event.summary.value:
            there = self.written.setdefault(event.step, {})
            there |= _digests({value.tag: value for value in event.summary.value})


def _digests(values: Values) -> dict[str, bytes]:
    """Digests of values: pictures are large."""
    return {tag: blake2b(value.SerializeToString(deterministic=True)).digest() for tag, value in values.items()}
