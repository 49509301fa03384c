"""The results that are there: of the workspace, and of the DVC experiments, whose files a later one has replaced."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from vaelab import artifacts
from vaelab.commands.compare.experiments import experiments, git
from vaelab.commands.console import note
from vaelab.comparison.collect import Result, collect_folder
from vaelab.errors import InputError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # dvc.lock is long
SLOW = 1.0  # seconds after which the bar is shown


def existing(folder: Path | None = None) -> list[Result]:
    """Return the runs that were measured, without training: see `collect_folder` for names that stand twice.

    Args:
        folder: of summaries; by default those of the workspace (metrics/summary) and, from DVC's cache, those of the
            experiments that `dvc exp list` lists, each run under its own name, or with the experiment's in front.

    Raises:
        InputError: there are none.
    """
    if folder is not None:
        return collect_folder(folder)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for path in artifacts.SUMMARIES.glob("*.json"):
            shutil.copyfile(path, place / path.name)
        found = experiments(Path(), of_head=True).items()
        for experiment, commit in tqdm(found, "experiments", delay=SLOW, leave=False, unit="experiment", disable=None):
            for run, stored in _summaries(commit):
                (place / experiment).mkdir(exist_ok=True)
                shutil.copyfile(stored, place / experiment / f"{run}.json")
        if not any(place.iterdir()):
            raise InputError(
                f"no results: {artifacts.SUMMARIES} is empty, and DVC keeps no experiment; `dvc repro` trains"
            )
        return collect_folder(place, lambda text: note(f"note: {text.replace(f'{place}/', '')}"))


def _summaries(commit: str) -> Iterator[tuple[str, Path]]:
    """The active runs of an experiment, each with its summary in DVC's cache, where it is there."""
    listed = git(Path(), "ls-tree", "--name-only", commit, f"{artifacts.RUNS}/") or ""
    runs = {Path(line).stem for line in listed.splitlines() if line.endswith(".yaml")}
    lock = yaml.load(git(Path(), "show", f"{commit}:dvc.lock") or "{}", LOADER)
    cache = _cache()
    for stage in (lock.get("stages") or {}).values():
        for out in stage.get("outs") or []:
            path, digest = Path(out["path"]), out.get("md5", "")
            stored = cache / digest[:2] / digest[2:]
            if path.parent == artifacts.SUMMARIES and path.stem in runs and stored.is_file():
                yield path.stem, stored


def _cache() -> Path:
    from dvc.config import Config

    return Path(Config(".dvc")["cache"].get("dir", ".dvc/cache")) / "files" / "md5"
