"""What the tasks of a cluster say: gathered in an actor, kept in a log for each run, told in a line."""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence

from vaelab import storage
from vaelab.commands.repro.ended import LOGS

LOOK = 0.5  # seconds between two looks at what tasks have said
BAR = re.compile(r"(\d+)%\|[^|]*\|[^\[]*\[[^,\]]*,[^,\]]*(?:, (.+))?\]")  # of tqdm: per cent, what stands behind


class Said:
    """What tasks have said and nobody has heard; an actor. To wait for an answer of it would free a task's CPU."""

    def __init__(self) -> None:
        self.held: list[tuple[str, str, str]] = []

    def say(self, run: str, what: str, text: str) -> None:
        """Keep what a task says."""
        self.held.append((run, what, text))

    def take(self) -> list[tuple[str, str, str]]:
        """Return what is held, and forget it."""
        taken, self.held = self.held, []
        return taken


class Board:
    """Keeps what each run has said in its log, and says in a line where it is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.nodes, self.stages = say, dict[str, str](), dict[str, str]()
        self.deaths = Counter[str]()  # of machines or processes, by run
        self._turns = dict[str, str]()  # how often each run was given to a node on purpose, as its last task has said
        with storage.writing(LOGS):
            LOGS.mkdir(parents=True, exist_ok=True)

    def hear(self, said: Sequence[tuple[str, str, str]]) -> None:
        """Take in what tasks have said since."""
        for run, what, text in said:
            if what == "node":
                self._moved(run, *text.split())
            elif what == "stage":
                self.stages[run] = text
                self.say(f"{run} on {self.nodes[run]}: {text}")
            else:
                self.write(run, text)
                if bars := BAR.findall(text):
                    share, values = bars[-1]
                    stage = self.stages.get(run, "")
                    self.say(f"{run} on {self.nodes[run]}: {stage} {share} %{values and ', '}{values}")

    def _moved(self, run: str, turn: str, node: str) -> None:
        before = self.nodes.get(run)
        died = self._turns.get(run) == turn  # nobody has given it away
        self.deaths[run] += died
        self._turns[run] = turn
        self.write(run, f"on {node}\n", begin=before is None)
        self.say(f"{run}: {before} has died; again on {node}" if died else f"{run}: begins on {node}")
        self.nodes[run] = node

    def write(self, run: str, text: str, begin: bool = False) -> None:
        """Put text into the log of a run."""
        path = LOGS / f"{run}.log"
        with storage.writing(path), open(path, "w" if begin else "a", encoding="utf-8") as log:
            log.write(text)


class Lines:
    """Collects lines and sends them together, twice a second at most."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send, self._held, self._sent = send, "", 0.0

    def hear(self, line: str) -> None:
        """Take in a line."""
        self._held += line
        if time.monotonic() - self._sent > LOOK:
            self.send()

    def send(self) -> None:
        """Send what is held."""
        if self._held:
            self._send(self._held)
        self._held, self._sent = "", time.monotonic()
