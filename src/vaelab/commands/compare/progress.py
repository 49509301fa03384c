"""How far DVC is, from what it says: stages that are done of all, and about how long the rest takes."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

STAGE = re.compile(r"(Running stage|Stage) '([^']+)'(?: is cached|:| didn't change)")
CHAIN = ("resolve", "prepare", "train", "evaluate", "threshold", "diagnose")  # what the diagnosis of one run needs


def stages_in_all(pipeline: Mapping[str, Any], counts: Mapping[str, int]) -> int:
    """Return how many stages dvc.yaml has, with so many `runs`, `datasets` and, where there are any, `starts`."""
    return sum(
        counts.get(stage["foreach"].strip("${}"), 0) if "foreach" in stage else 1
        for stage in pipeline["stages"].values()
    )


class Progress:
    """Listens to DVC and says, when a stage begins, how far it is.

    What is left is estimated from the stages of the same kind that have run: the mean of all, where none has.

    Args:
        total: stages in all.
        say: takes a line.
        clock: seconds.
    """

    def __init__(self, total: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self._say, self._clock, self.began = total, say, clock, clock()
        self.begun: dict[str, float] = {}  # when, of each stage that was named, in order; those that did not run too
        self.took: dict[str, float] = {}  # seconds of the stages that have run
        self._running: str | None = None
        self._line = ""

    def heard(self, text: str) -> None:
        """Take in what DVC has printed next."""
        *lines, self._line = (self._line + text).replace("\r", "\n").split("\n")
        for line in lines:
            if found := STAGE.match(line):
                self._end()
                self.begun.setdefault(found[2], self._clock())
                if found[1] == "Running stage":
                    self._running = found[2]
                    self._say(self.text())

    def text(self) -> str:
        """Return where it is, in a line."""
        passed = f"{minutes(self._clock() - self.began)} so far"
        left = self._left()
        about = "" if left is None else f", about {minutes(left)} left"
        return f"stage {len(self.begun)} of {max(self.total, len(self.begun))}: {passed}{about}"

    def _end(self) -> None:
        if self._running is not None:
            self.took[self._running] = self._clock() - self.begun[self._running]
            self._running = None

    def _left(self) -> float | None:
        """Seconds of this stage and of those that were not named yet, as if those were of the kinds that have run."""
        if not self.took:
            return None
        kinds: dict[str, list[float]] = {}
        for name, seconds in self.took.items():
            kinds.setdefault(name.partition("@")[0], []).append(seconds)
        mean = sum(self.took.values()) / len(self.took)
        now = kinds.get((self._running or "").partition("@")[0])
        return (sum(now) / len(now) if now else mean) + mean * max(0, self.total - len(self.begun))


def minutes(seconds: float) -> str:
    """Return a time as people say it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
