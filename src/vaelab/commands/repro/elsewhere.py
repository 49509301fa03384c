"""A run in a copy of the project, on this machine or another: what it needs travels, its outputs go to DVC's cache.

The copy has what git tracks, as it is now. The stages of the run find in the cache what was prepared, and leave there
what they make; `dvc repro` in the project then restores it from there, and has nothing to train.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from configobj import ConfigObj  # comes with DVC

from vaelab import artifacts, storage
from vaelab.commands.compare.experiments import dvc_beside, git
from vaelab.commands.repro import notes
from vaelab.commands.repro.lanes import Ended, followed, started
from vaelab.errors import END_WITH_PARENT, InputError

SAME = ("vaelab", "torch", "numpy", "dvc")  # packages of which all machines must have the same version
NOBODY = ("-c", "user.name=vaelab", "-c", "user.email=vaelab@localhost")  # of a commit that nobody sees
LOCAL_CONFIG = Path(".dvc/config.local")
# a process that dies with the one that began it; stages do the same where the environment asks for it
TIED = (sys.executable, "-c", "import os, sys; from vaelab.errors import end_with_parent; end_with_parent(); "
        "os.execv(sys.argv[1], sys.argv[1:])")  # fmt: skip


class Project(NamedTuple):
    """What a copy of a project is made of."""

    files: bytes  # of what git tracks, a tar archive
    local_config: str  # of DVC, which git does not have
    cache: str  # DVC's cache folder, which all machines reach
    scratch: str  # folder of resume states, which all machines reach
    stages: tuple[str, ...]  # of each run
    versions: tuple[tuple[str, str], ...]


def packed(stages: Sequence[str]) -> Project:
    """Return the project in this folder, tracked files as they are now, changes that are not committed among them.

    Args:
        stages: names of the stages of each run.

    Raises:
        InputError: this is no git repository with a commit.
    """
    if git(Path(), "rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise InputError(f"{Path.cwd()}: expected a git repository with a commit, whose files the runs are given")
    git(Path(), "update-index", "-q", "--refresh")  # stash fails where a file was written again as it was
    changed = git(Path(), *NOBODY, "stash", "create") or ""
    files = subprocess.run(["git", "archive", changed.strip() or "HEAD"], capture_output=True, check=True).stdout
    config = LOCAL_CONFIG.read_text(encoding="utf-8") if LOCAL_CONFIG.is_file() else ""
    cache = subprocess.run([dvc_beside(), "cache", "dir"], capture_output=True, encoding="utf-8", check=True).stdout
    with storage.writing(artifacts.SCRATCH):
        artifacts.SCRATCH.mkdir(exist_ok=True)
    return Project(files, config, cache.strip(), str(artifacts.SCRATCH.absolute()), tuple(stages), versions())


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions here of what must be the same everywhere."""
    return (("Python", sys.version.split()[0]), *((package, version(package)) for package in SAME))


def check_versions(expected: Mapping[str, str], node: str) -> None:
    """Raise an InputError where this machine has other versions than the one that asks."""
    here = dict(versions())
    if other := [f"{name} {here[name]}, expected {expected[name]}" for name in here if here[name] != expected[name]]:
        raise InputError(f"node {node}: {'; '.join(other)}: results would differ; install the same there")


def run_in_copy(
    run: str, project: Project, threads: int, begins: Callable[[str], None], heard: Callable[[str], object]
) -> Ended:
    """Do the stages of a run in a copy of the project, which is removed afterwards.

    Args:
        run: name of a run.
        project: that it belongs to.
        threads: of each of its processes, unless the environment says otherwise.
        begins: told each stage.
        heard: told each line that DVC and the stages print.
    """
    with tempfile.TemporaryDirectory(prefix="vaelab-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _unpack(project, folder)
        notes.reduce(folder, run, project.stages)
        environment = {"OMP_NUM_THREADS": str(threads), **os.environ, END_WITH_PARENT: "1"}
        words = ["repro", *(f"{stage}@{run}" for stage in project.stages)]
        with started(words, folder, environment, TIED) as process:
            ended = followed(run, process, begins, heard)
        notes.keep(folder, run, project.stages)
        return ended


def _unpack(project: Project, folder: Path) -> None:
    with tarfile.open(fileobj=BytesIO(project.files)) as archive:
        archive.extractall(folder, filter="data")
    _configure(folder, project.local_config, project.cache)
    (folder / artifacts.SCRATCH).symlink_to(project.scratch)
    for path in folder.glob("data/raw/**/*.dvc"):
        _dvc(folder, "checkout", "-q", str(path.relative_to(folder)))


def _configure(folder: Path, local_config: str, cache: str) -> None:
    """Write what `dvc config --local` and `dvc cache dir` would, without starting DVC."""
    config = ConfigObj(local_config.splitlines())
    config.setdefault("core", {})["no_scm"] = "true"
    config.setdefault("cache", {})["dir"] = cache
    (folder / LOCAL_CONFIG).write_bytes("\n".join(config.write()).encode() + b"\n")


def _dvc(folder: Path, *words: str) -> None:
    command = [dvc_beside(), *words]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if done.returncode:
        raise InputError(f"dvc {' '.join(words)}: {done.stdout.strip()[-400:]}")
