"""What stages leave of each run and data set: the stamp that compare depends on, and what stays when they are gone."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from vaelab import artifacts, storage
from vaelab.errors import InputError
from vaelab.params.datasets import Dataset, PreparedFrom
from vaelab.params.schema import NAME, Run, Start

OF_RUN: tuple[Callable[[str], Path], ...] = (
    artifacts.resolved, artifacts.models, artifacts.training, artifacts.seconds, artifacts.failed, artifacts.scores,
    artifacts.thresholds, artifacts.compared,
    artifacts.evaluation, artifacts.headline, artifacts.summary, artifacts.threshold_metrics, artifacts.plots,
    artifacts.threshold_plots, artifacts.diagnosis, artifacts.health, artifacts.treatments,
)  # fmt: skip
OF_DATA = artifacts.dataset, artifacts.prepared


def write_run(run: Run) -> None:
    """Write a resolved run to its place."""
    storage.write_yaml(artifacts.resolved(run.name), run.model_dump())


def write_dataset(name: str, settings: Dataset | None) -> None:
    """Write a resolved data set to its place; None where no active run uses it, so that it is not prepared."""
    storage.write_yaml(artifacts.dataset(name), PreparedFrom(settings=settings).model_dump(mode="json"))


def write_start(name: str, start: Start) -> None:
    """Write a data set with a run to start from to the place of a resolved data set."""
    storage.write_yaml(artifacts.dataset(name), start.model_dump())


def write_note(name: str, start: Start) -> None:
    """Write, in the place of a prepared data set, the digests of what a run begins with that names this start."""
    data, models = artifacts.prepared(start.data) / "meta.json", artifacts.models(start.run)
    paths = (data, models / "model.safetensors", models / "state.safetensors")
    digests = {path.as_posix(): _digest(path) for path in paths if path.is_file()}
    storage.write_json(artifacts.prepared(name) / "start.json", {**start.model_dump(), "digests": digests})


def write_stamp(run: str, data: str) -> None:
    """Write the digests of all that compare reads of a run; of the data, which may be large, of meta.json alone.

    Compare depends on the stamps and not on the folders of all runs: what is left of a run that is gone is in no fresh
    clone, and would make compare stale there.
    """
    folders = artifacts.scores(run), artifacts.thresholds(run), artifacts.threshold_plots(run)
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files += [artifacts.evaluation(run), artifacts.prepared(data) / "meta.json"]
    storage.write_json(artifacts.compared(run), {path.as_posix(): _digest(path) for path in files})


def left_over(place: Callable[[str], Path], names: Iterable[str]) -> list[Path]:
    """Return what lies where outputs do and belongs to none of these runs, or data sets, sorted.

    What no run or data set can have made is left out: other names, and what a .dvc file tracks.

    Args:
        place: path of the output of a run, or data set.
        names: those that are not gone.
    """
    kept, pattern = {place(name) for name in names}, place("*")
    found = sorted(path for path in pattern.parent.glob(pattern.name) if path not in kept and _is_name(path))
    return [path for path in found if path.is_dir() != bool(pattern.suffix)]


def _is_name(path: Path) -> bool:
    name = path.name.removesuffix(path.suffix) if path.is_file() else path.name
    return re.fullmatch(NAME, name) is not None and not path.with_name(f"{path.name}.dvc").exists()


def forget(place: Callable[[str], Path], names: Iterable[str]) -> None:
    """Remove every file beside the outputs of these runs: what compare would read there, and no run has."""
    kept, pattern = {place(name) for name in names}, place("*")
    for path in pattern.parent.glob(pattern.name):  # those of a killed write too, whose names begin with a point
        if path not in kept and path.is_file():
            path.unlink()


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def remove(path: Path) -> None:
    """Remove a file, a folder, or a link, and not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
