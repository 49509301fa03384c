"""DVC experiments: composed, started as `dvc exp run` and followed to their end."""

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from vaelab import artifacts, storage
from vaelab.commands.compare import processes
from vaelab.commands.compare.progress import CHAIN, Progress
from vaelab.commands.console import note
from vaelab.errors import InputError

LOCKED = re.compile(r"Unable to acquire lock|is busy, it is being blocked")
DAMAGED = re.compile(r"RWLock-file '(.+?)'. JSON structure is corrupted")
FAILED = re.compile(r"^ERROR: failed to reproduce(?: stages:)?((?:(?:,| and)? '[^']+')+)", re.MULTILINE)
SHOW = r"dvc exp show --only-changed --drop '.*/.*|params.yaml$'"


class StageError(RuntimeError):
    """A stage failed: the message says which, and what to do."""


class Experiment(NamedTuple):
    """What `dvc exp run` is to run."""

    overrides: tuple[str, ...]
    name: str | None = None
    queue: bool = False
    temp: bool = False  # in a folder of its own: the workspace stays as it is
    targets: tuple[str, ...] = ()  # stages; none: all
    stages: int = 0  # that it has, where that is known
    pull: bool = False  # what was made elsewhere is in DVC's default remote

    @property
    def arguments(self) -> list[str]:
        """The command without the place of DVC; -k: one run that fails does not keep the others from running."""
        named = ["-n", self.name] if self.name else []
        changes = [word for override in self.overrides for word in ("-S", override)]
        where = "--queue" if self.queue else "--temp" if self.temp else "-k"
        return ["dvc", "exp", "run", where, *(["--pull"] if self.pull else []), *named, *changes, *self.targets]


def command_line(experiment: Experiment) -> str:
    """Return the command as a user would type it."""
    return shlex.join(experiment.arguments)


def check_project(folder: Path, name: str | None = None) -> None:
    """Raise an InputError where DVC cannot run an experiment, or where there is one of this name already."""
    dvc_beside()
    if not (folder / ".dvc").is_dir():
        raise InputError(f"{folder.resolve()}: no DVC project here; run from the project's root, or `dvc init` first")
    if git(folder, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise InputError(f"{folder.resolve()}: experiments belong to a commit, and git has none here; commit first")
    if name and any(known == name for known in experiments(folder, of_head=True)):
        raise InputError(
            f"an experiment is named {name} already; choose another name, or `dvc exp remove {name}` first"
        )


def dvc_beside() -> str:
    """Return the path of the DVC of this Python. Raises InputError when it is missing."""
    path = Path(sys.executable).with_name("dvc")
    if not path.is_file():
        raise InputError(f"{path}: no such file; vaelab needs the DVC of its own environment: pip install dvc")
    return str(path)


def experiments(folder: Path, of_head: bool = False) -> dict[str, str]:
    """Return the commits of the experiments by name: of all, or of those that started from HEAD."""
    head = (git(folder, "rev-parse", "HEAD") or "").strip()
    place = f"refs/exps/{head[:2]}/{head[2:]}" if of_head else "refs/exps"
    listed = git(folder, "for-each-ref", "--format=%(refname) %(objectname)", place) or ""
    found = (line.split() for line in listed.splitlines())
    return {ref.split("/")[4]: commit for ref, commit in found if re.fullmatch(r"refs/exps/\w\w/\w{38}/[^/]+", ref)}


def keep_params(folder: Path) -> Path | None:
    """Copy params.yaml into the scratch folder where git does not have it as it is; DVC writes the runs into it.

    Returns:
        The copy's path from `folder`; None where git has the file.
    """
    if not git(folder, "status", "--porcelain", "--", str(artifacts.PARAMS)):
        return None
    text = (folder / artifacts.PARAMS).read_text(encoding="utf-8")
    kept = artifacts.SCRATCH / f"params-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}.yaml"
    storage.write_text(folder / kept, text)
    note(f"note: {artifacts.PARAMS} has changes that git does not have; {kept} is a copy")
    return kept


def start(experiment: Experiment, folder: Path) -> list[str]:
    """Run an experiment in a project, or queue it; return the names of the experiments that came of it.

    Raises:
        StageError: a stage failed.
        InputError: DVC could not begin.
        KeyboardInterrupt: on Ctrl-C, when DVC has ended.
    """
    before, total = experiments(folder), len(CHAIN) if experiment.targets else experiment.stages
    progress = Progress(total, note) if total and not experiment.queue else None
    words = [dvc_beside(), *experiment.arguments[1:]]
    code, said = processes.run(words, folder, progress.heard if progress else None)
    if code:
        raise _failure(processes.COLOUR.sub("", said).replace("\r", ""))
    return [name for name, commit in experiments(folder).items() if before.get(name) != commit]


def _failure(said: str) -> Exception:
    """What to tell the user, beside what DVC has said on stderr."""
    if found := DAMAGED.search(said):
        remedy = f"delete {found[1]}, then run the same command again"
        return InputError(f"a DVC command was killed while it wrote its lock file; if none is running now, {remedy}")
    if LOCKED.search(said):
        return InputError("another DVC command is at work here: when it has ended run the same command again")
    again = "after the repair run the same command again"
    failed = [name for names in FAILED.findall(said) for name in re.findall(r"'([^']+)'", names)]
    if not failed:
        return StageError(f"DVC ended with an error, for the reason above: {again}")
    named = ", ".join(dict.fromkeys(failed))
    return StageError(f"failed: {named}, for the reason above. The rest is done and kept: {again}")


def git(folder: Path, *words: str) -> str | None:
    """Return what git says, or None where it fails or is missing."""
    try:
        done = subprocess.run(("git", *words), cwd=folder, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
