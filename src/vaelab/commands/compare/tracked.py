"""What a run finds of the data that is queued or sent elsewhere: it runs in a copy of what git and DVC track."""

from collections.abc import Iterator
from pathlib import Path

from vaelab.commands.compare.experiments import git
from vaelab.params.problems import Problem
from vaelab.params.resolve import Resolved

PATHS = ("path", "train", "val", "test", "vocabulary")  # options of data sets that name a file or folder
WEIGHTS = ".safetensors"  # what train.start_from ends with where it names no run


def untracked(resolved: Resolved) -> list[Problem]:
    """Return the files and folders of data, and of weights, that are there and that such a run does not find."""
    runs = resolved.runs.values()
    named = [
        (f"datasets.{name}.{option}", getattr(resolved.datasets[name], option, None))
        for name in sorted({run.data for run in runs}) for option in PATHS
    ]  # fmt: skip
    files = {run.name: run.train.start_from for run in runs if str(run.train.start_from).endswith(WEIGHTS)}
    named += [(f"runs.{name}.train.start_from", path) for name, path in files.items()]
    return [problem for place, value in named if isinstance(value, str) for problem in _of_path(place, Path(value))]


def _of_path(place: str, path: Path) -> Iterator[Problem]:
    if not path.is_absolute() and path.exists() and not _is_tracked(path):
        text = f"neither git nor DVC tracks {path}, and a run in a copy of the project has only what they do"
        remedy = f"`dvc add {path} && git add {path}.dvc` first, or run without --queue, --on and -j"
        yield Problem(place, f"{text}: {remedy}")


def _is_tracked(path: Path) -> bool:
    if any(_listed(f"{part}.dvc") for part in (path, *path.parents) if part != Path()):
        return True
    return _listed(str(path)) and not git(Path(), "ls-files", "--others", "--", str(path))


def _listed(path: str) -> bool:
    return bool(git(Path(), "ls-files", "--", path))
