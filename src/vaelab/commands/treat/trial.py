"""A change of a run as a DVC experiment of its own, in a folder of its own; and what its stages have saved there."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from vaelab import artifacts
from vaelab.commands.compare.experiments import Experiment, StageError, experiments, start
from vaelab.commands.compare.overrides import resolved_overrides
from vaelab.diagnosis.case import Case, read_case, timed
from vaelab.errors import InputError
from vaelab.params.experiment import overrides
from vaelab.params.resolve import read_run


def digest(*parts: Any) -> str:
    """Return a short name of anything that JSON can hold."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=4).hexdigest()


def experiment_of(run: str, base: str, changes: Mapping[str, Any]) -> Experiment:
    """Return the experiment of a run under changes: its last stage is the diagnosis, and no other run is touched."""
    name = f"treat_{run}_{digest(base, changes)}"
    return Experiment(tuple(overrides(run, changes)), name, temp=True, targets=(f"diagnose@{run}",))


def outcome(run: str, experiment: Experiment) -> tuple[Case | None, str]:
    """Run an experiment, unless an earlier call did; return the run as it was saved there, or why there is none.

    Raises:
        InputError: DVC could not begin.
        KeyboardInterrupt: on Ctrl-C, when DVC has ended.
    """
    if experiment.name not in experiments(Path()):
        try:
            resolved_overrides(experiment.overrides)
        except InputError as error:
            return None, f"gives no valid run: {error}"
        try:
            start(experiment, Path())
        except StageError as error:
            return None, str(error).partition(",")[0]
    return case_of(run, experiments(Path())[str(experiment.name)]), ""


def case_of(run: str, commit: str) -> Case:
    """Return a run as an experiment has saved it."""
    from dvc.api import DVCFileSystem

    found: Any = DVCFileSystem(".", rev=commit)
    with tempfile.TemporaryDirectory() as name:
        resolved = artifacts.resolved(run)
        _fetch(found, resolved, Path(name))
        data = read_run(Path(name) / resolved).data
        for path in _files(run, data):
            _fetch(found, path, Path(name))
        with chdir(name):
            case = read_case(read_run(resolved))
    return case._replace(seconds=timed(case).seconds)


def _files(run: str, data: str) -> Iterator[Path]:
    """What a case is read from, files and folders."""
    yield artifacts.models(run) / "history.csv"
    yield from (artifacts.evaluation(run), artifacts.training(run), artifacts.prepared(data) / "meta.json")
    yield from (artifacts.scores(run), artifacts.thresholds(run), artifacts.threshold_plots(run))


def _fetch(found: Any, path: Path, folder: Path) -> None:
    """Copy a file or a folder of an experiment, where it has that."""
    if found.exists(str(path)):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        found.get(str(path), str(target), recursive=found.isdir(str(path)))
