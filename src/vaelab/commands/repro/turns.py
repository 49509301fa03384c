"""Runs in turn: one that starts from another one waits until that is trained."""

from collections.abc import Mapping, Sequence

from vaelab import storage
from vaelab.commands.repro.ended import Ended


class Turns:
    """Hands out runs, each when the training that it starts from is done.

    Args:
        runs: in their order.
        before: the run that each one starts from; one that is not among `runs` is done.
    """

    def __init__(self, runs: Sequence[str], before: Mapping[str, str]) -> None:
        self.count = len(runs)
        self._before, self._waiting, self._undone = before, list(runs), {*runs}

    def ready(self) -> list[str]:
        """Return the runs that can begin now and have not been returned before."""
        found = [run for run in self._waiting if self._before.get(run) not in self._undone]
        self._waiting = [run for run in self._waiting if run not in found]
        return found

    def after(self, one: Ended) -> list[Ended]:
        """Take in how a run ended; return this, and those that cannot begin because its training has failed."""
        if not one.code or one.stage not in ("", "train", "start"):
            self._undone.discard(one.run)
            return [one]
        blocked = [run for run in self._waiting if self._before.get(run) == one.run]
        self._waiting = [run for run in self._waiting if run not in blocked]
        return [one, *(other for run in blocked for other in self.after(_blocked(run, one.run)))]


def _blocked(run: str, before: str) -> Ended:
    ended = Ended(run, 1, "", 0.0)
    storage.write_text(ended.log, f"{run} starts from {before}, which has failed\n")
    return ended
