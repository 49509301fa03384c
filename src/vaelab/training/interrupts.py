"""Ctrl-C and SIGTERM while a run trains: they wait for the end of the step, where its state can be saved."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vaelab.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
WAIT = "\ninterrupted: ending where the training can go on from; once more to end at once\n"


class AtOnce(Interrupted):
    """A second signal, which has hit anywhere: what there is may be half done, and is not saved."""


class Interrupts:
    """A context in which the first such signal waits until `check`; a second one raises where it hits.

    Args:
        said: whether this process tells the user.
    """

    def __init__(self, said: bool = True) -> None:
        self.said = said
        self.waiting: int | None = None  # the signal that came
        self.at_once = False

    def __enter__(self) -> "Interrupts":
        main = threading.current_thread() is threading.main_thread()  # no other gets signals, or may ask for them
        self.before = {number: signal.signal(number, self._take) for number in SIGNALS} if main else {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.at_once:
            raise Interrupted(number)
        if self.waiting is not None:
            raise AtOnce(number, "run the same command again to go on from the last state that was saved")
        self.waiting = number
        if self.said:
            os.write(2, WAIT.encode())  # print may be what was interrupted

    def check(self) -> None:
        """Raise Interrupted where a signal has come."""
        if self.waiting is not None:
            raise Interrupted(self.waiting)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let a signal raise Interrupted at once, in what changes nothing that is saved."""
        self.check()
        self.at_once = True
        try:
            yield
        finally:
            self.at_once = False
