"""What a run finds of the data that is queued or sent elsewhere: it runs in a copy of what git and DVC track."""

from collections.abc import Iterator
from pathlib import Path

from vaelab.commands.compare.experiments import git
from vaelab.params.datasets import Dataset
from vaelab.params.problems import Problem
from vaelab.params.resolve import Resolved

PATHS = ("path", "train", "val", "test", "vocabulary")  # options of data sets that name a file or folder


def untracked(resolved: Resolved) -> list[Problem]:
    """Return the files and folders of the runs' data sets that are there and that such a run does not find."""
    used = {run.data for run in resolved.runs.values()}
    return [problem for name in sorted(used) for problem in _of_data(name, resolved.datasets[name])]


def _of_data(name: str, settings: Dataset | None) -> Iterator[Problem]:
    for option in PATHS:
        value = getattr(settings, option, None)
        path = Path(value) if isinstance(value, str) else None
        if path is not None and not path.is_absolute() and path.exists() and not _is_tracked(path):
            text = f"neither git nor DVC tracks {path}, and a run in a copy of the project has only what they do"
            remedy = f"`dvc add {path} && git add {path}.dvc` first, or run without --queue, --on and -j"
            yield Problem(f"datasets.{name}.{option}", f"{text}: {remedy}")


def _is_tracked(path: Path) -> bool:
    if any(_listed(f"{part}.dvc") for part in (path, *path.parents) if part != Path()):
        return True
    return _listed(str(path)) and not git(Path(), "ls-files", "--others", "--", str(path))


def _listed(path: str) -> bool:
    return bool(git(Path(), "ls-files", "--", path))
