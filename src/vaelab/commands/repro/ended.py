"""How the stages of a run ended, and what they have said."""

from pathlib import Path
from typing import NamedTuple

from vaelab import artifacts

LOGS = artifacts.SCRATCH / "logs"
LAST = 400  # characters of a log that say why it failed


class Ended(NamedTuple):
    """How the stages of a run ended."""

    run: str
    code: int
    stage: str  # the last one that began; empty where all were up to date
    seconds: float
    node: str = ""  # of a cluster, on which it ran
    unfit: str = ""  # why the node, or this machine, cannot do what another one may

    @property
    def log(self) -> Path:
        """What its stages have said."""
        return LOGS / f"{self.run}.log"

    def text(self) -> str:
        """Return how it ended, in a line."""
        where = f" on {self.node}" if self.node else ""
        if self.code == 0:
            done = f"done in {self.seconds:.0f} s" if self.stage else "was done before"
            return f"{self.run}: {done}{where}"
        see = f", see {self.log}" if self.log.is_file() and self.log.stat().st_size else ""
        return f"{self.run}: FAILED in {self.stage or 'its beginning'}{where}{see}"


def last_words(log: Path) -> str:
    """Return the end of a log, without the bars that were drawn in it."""
    lines = (line.rpartition("\r")[2] for line in log.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line.strip())[-LAST:]
