"""Where trainings lie: finished and running ones, of this folder and of the folders in which DVC runs experiments."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vaelab import artifacts

EXPERIMENTS = Path(".dvc/tmp/exps")  # of queued ones; those of `dvc exp run --temp` are below standalone/
HISTORY = "history.csv"


class Place(NamedTuple):
    """A training."""

    run: str
    root: Path  # of the project in which it is
    folder: Path  # with history.csv and checkpoints/
    experiment: str = ""  # its name, of a training in a folder of DVC's

    @property
    def name(self) -> str:
        """What it is called beside others."""
        return f"{self.run}@{self.experiment}" if self.experiment else self.run


def places(root: Path = Path()) -> list[Place]:
    """Return the trainings that can be seen from a project, by name.

    What an experiment has only checked out, so that it equals that of the project itself, is left out.
    """
    own = {run: Place(run, root, folder) for run, folder in _newest(root).items()}
    found = {place.name: place for place in own.values()}
    for folder, experiment in _experiments(root):
        for run, training in _newest(folder).items():
            if run not in own or not _same(own[run].folder, training):
                place = Place(run, folder, training, experiment)
                found[place.name] = place
    return [found[name] for name in sorted(found)]


def _newest(root: Path) -> dict[str, Path]:
    """The folder in which a run was last worked on: of several trainings the others are finished, or interrupted."""
    found: dict[str, tuple[int, Path]] = {}
    for run, folder in _folders(root):
        try:
            when = folder.stat().st_mtime_ns if (folder / HISTORY).is_file() else 0
        except FileNotFoundError:  # published meanwhile: the next look finds it
            continue
        if when > found.get(run, (0, folder))[0]:
            found[run] = when, folder
    return {run: folder for run, (_, folder) in found.items()}


def _folders(root: Path) -> Iterator[tuple[str, Path]]:
    for pattern in (artifacts.models("[!.]*"), artifacts.failed("[!.]*")):
        yield from ((folder.name, folder) for folder in root.glob(str(pattern)))
    for what in ("output", "finished"):
        for folder in root.glob(f"{artifacts.SCRATCH}/*-{'[0-9a-f]' * 16}/{what}"):
            yield folder.parent.name.rpartition("-")[0], folder


def _experiments(root: Path) -> Iterator[tuple[Path, str]]:
    """The folders in which DVC runs experiments, and what those are called."""
    names = {}
    for path in (root / EXPERIMENTS).glob("**/run/*/*.run"):
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            names[Path(info["root_dir"]).name] = info["name"]
        except (OSError, ValueError, KeyError, TypeError):  # it is being written: its folder has a name of its own
            continue
    for place in (root / EXPERIMENTS, root / EXPERIMENTS / "standalone"):
        for folder in place.glob("tmp*"):
            yield folder, names.get(folder.name) or folder.name


def _same(one: Path, other: Path) -> bool:
    try:
        return (one / HISTORY).read_bytes() == (other / HISTORY).read_bytes()
    except FileNotFoundError:
        return False
