"""A run in a copy of the project, on this machine or another: what it needs travels, its outputs go to DVC's cache.

The copy has what git tracks, as it is now. The stages of the run find in the cache what was prepared, and leave there
what they make; `dvc repro` in the project then restores it from there, and has nothing to train. Where the machines do
not share a cache, DVC's default remote is in its place.
"""

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory, gettempdir
from typing import NamedTuple

from configobj import ConfigObj  # comes with DVC

from vaelab import artifacts, storage
from vaelab.commands.compare.experiments import dvc_beside, git
from vaelab.commands.repro import copies, notes
from vaelab.commands.repro.ended import LAST
from vaelab.commands.repro.lanes import Start, environment, started
from vaelab.commands.repro.machines import UnfitError, versions
from vaelab.commands.repro.order import addresses
from vaelab.commands.tars import extract
from vaelab.errors import END_WITH_PARENT, InputError
from vaelab.params.reading import read_yaml

LOCAL_CONFIG = Path(".dvc/config.local")
# a process that dies with the one that began it; stages do the same where the environment asks for it
TIED = (sys.executable, "-m", "vaelab.commands.repro.tied")


class Project(NamedTuple):
    """What a copy of a project is made of."""

    files: bytes  # of what git tracks, a tar archive
    params: str  # text of params.yaml, where it is another one
    local_config: str  # of DVC, which git does not have
    cache: str  # DVC's cache folder, which all machines reach
    scratch: str  # folder of resume states, which all machines reach
    stages: tuple[str, ...]  # of each run
    versions: tuple[tuple[str, str], ...]
    remote: bool  # machines share no folder, but DVC's default remote


def packed(stages: Sequence[str], params: str = "", remote: bool = False) -> Project:
    """Return the project in this folder, tracked files as they are now, changes that are not committed among them.

    Args:
        stages: names of the stages of each run.
        params: takes the place of what params.yaml says.
        remote: machines share no folder, but DVC's default remote.

    Raises:
        InputError: this is no git repository with a commit, or git cannot read what it tracks.
    """
    asked = subprocess.run(["git", "rev-parse", "--verify", "HEAD"], capture_output=True, encoding="utf-8")
    if asked.returncode:
        expected = "expected a git repository with a commit, whose files the runs are given"
        raise InputError(f"{Path.cwd()}: {expected}; git says: {' '.join(asked.stderr.split())}")
    files = subprocess.run(["git", "archive", tracked_now()], capture_output=True, check=True).stdout
    config = LOCAL_CONFIG.read_text(encoding="utf-8") if LOCAL_CONFIG.is_file() else ""
    cache = subprocess.run([dvc_beside(), "cache", "dir"], capture_output=True, encoding="utf-8", check=True).stdout
    with storage.writing(artifacts.SCRATCH):
        artifacts.SCRATCH.mkdir(exist_ok=True)
        Path(cache.strip()).mkdir(parents=True, exist_ok=True)
    scratch = str(artifacts.SCRATCH.absolute())
    return Project(files, params, config, cache.strip(), scratch, tuple(stages), versions(), remote)


def tracked_now() -> str:
    """Return git's tree of all that it tracks in this folder's repository, as it is now; its own index stays as it is.

    `git stash create` fails in the middle of a merge, and where a file is noted by `git add -N`.

    Raises:
        InputError: git cannot read a file.
    """
    with TemporaryDirectory() as folder:
        own = os.environ | {"GIT_INDEX_FILE": f"{folder}/index"}
        with suppress(FileNotFoundError):
            copyfile((git(Path(), "rev-parse", "--git-path", "index") or "").strip(), own["GIT_INDEX_FILE"])
        for words in ("add", "-u"), ("write-tree",):
            done = subprocess.run(["git", *words], env=own, capture_output=True, encoding="utf-8", errors="replace")
            if done.returncode:
                raise InputError(f"git {words[0]}: {done.stderr.strip()[-LAST:]}")
    return done.stdout.strip()


@contextmanager
def copy_of(project: Project) -> Iterator[Path]:
    """Yield a folder with a copy of a project, which is removed afterwards.

    Raises:
        UnfitError: there is no room for it here, or DVC does not find here what the project needs.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(copies.folder())
            _unpack(project, folder)
        except OSError as error:
            raise UnfitError(
                f"{gettempdir()}: the project cannot be copied there: {error.strerror or error}"
            ) from error
        yield folder


@contextmanager
def in_copy(run: str, project: Project, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Yield the DVC process that does the stages of a run in a copy of the project.

    Args:
        run: name of a run.
        project: that it belongs to.
        environment: what is set for its processes, beside what is set here.

    Raises:
        UnfitError: as `copy_of`.
    """
    with copy_of(project) as folder:
        notes.reduce(folder, run, project.stages)
        names = addresses(read_yaml(folder / artifacts.PARAMS), project.stages, run)
        words = ["repro", *(["--pull"] if project.remote else []), *names]
        with started(words, folder, {**os.environ, **environment, END_WITH_PARENT: "1"}, TIED) as process:
            try:
                yield process
            except BaseException:
                process.terminate()  # else it would be waited for
                raise
        notes.keep(folder, run, names)
        if project.remote:
            push(folder, names)


def in_copies(project: Project, jobs: int) -> Start:
    """Return what starts the stages of a run, one of `jobs` at a time on this machine, in a copy of the project."""
    given = environment(jobs)
    return lambda run: in_copy(run, project, given)


def push(folder: Path, stages: Sequence[str]) -> None:
    """Push what stages have made in a project to DVC's default remote.

    Raises:
        UnfitError: the remote does not take it.
    """
    command = [*TIED, sys.executable, "-m", "vaelab.commands.repro.push", *stages]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if done.returncode:
        raise UnfitError(done.stdout.strip()[-LAST:])


def _unpack(project: Project, folder: Path) -> None:
    with tarfile.open(fileobj=BytesIO(project.files)) as archive:
        extract(archive, folder)
    if project.params:
        (folder / artifacts.PARAMS).write_text(project.params, encoding="utf-8")
    _configure(folder, project.local_config, str(folder / ".dvc/cache") if project.remote else project.cache)
    if not project.remote:
        (folder / artifacts.SCRATCH).symlink_to(project.scratch)
    for path in folder.glob("data/raw/**/*.dvc"):
        _fetch(folder, path.relative_to(folder), project)


def _configure(folder: Path, local_config: str, cache: str) -> None:
    """Write what `dvc config --local` and `dvc cache dir` would, without starting DVC."""
    config = ConfigObj(local_config.splitlines())
    config.setdefault("core", {})["no_scm"] = "true"
    config.setdefault("cache", {})["dir"] = cache
    (folder / LOCAL_CONFIG).write_bytes("\n".join(config.write()).encode() + b"\n")


def _fetch(folder: Path, noted: Path, project: Project) -> None:
    """Bring raw data into a copy of the project, of which git has a .dvc file."""
    done = subprocess.run(
        [dvc_beside(), "pull" if project.remote else "checkout", str(noted)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        place = "DVC's default remote" if project.remote else f"DVC's cache {project.cache}"
        command = f"dvc push {noted}" if project.remote else f"dvc add {noted.with_suffix('')}"
        said = " ".join(done.stdout[-LAST:].split())
        raise UnfitError(
            f"{place}: expected {noted.with_suffix('')} there; `{command}` puts it there; DVC says: {said}"
        )
