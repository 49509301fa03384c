"""git and DVC as `vaelab init` calls them."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vaelab.errors import InputError

NOBODY = ("-c", "user.name=vaelab init", "-c", "user.email=init@localhost")


def check_tools() -> None:
    """Raise an InputError where git is missing."""
    if shutil.which("git") is None:
        raise InputError("git: no such command; vaelab keeps projects in git: install it first")


def other_python() -> str:
    """Return the `python` that stages would be run by, where it is not this one; else nothing."""
    found = shutil.which("python")
    if found and os.path.samefile(os.path.dirname(found), os.path.dirname(sys.executable)):
        return ""
    return found or "none"


def repository(folder: Path) -> Path | None:
    """Return the root of the git repository that a folder is in; None where it is in none."""
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    done = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=place, capture_output=True, text=True)
    return Path(done.stdout.rstrip("\n")) if done.returncode == 0 else None


def make_repository(folder: Path) -> None:
    """Make a git repository of a folder that is none. Raises InputError where git refuses."""
    if not (folder / ".git").exists():
        _call(["git", "init", "--quiet"], folder)


def cache_outside(folder: Path) -> Path | None:
    """Return a place for DVC's cache where the folder's path has other characters than ASCII; None where it has not.

    DVC writes the path of the cache into each queued experiment, and can write ASCII alone there.
    """
    path = folder.resolve().as_posix()
    if path.isascii():
        return None
    places = (os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "/var/tmp", tempfile.gettempdir())
    name = hashlib.sha256(path.encode()).hexdigest()[:12]
    found = (Path(place).absolute() / "vaelab" / "dvc" / name for place in places)
    return next((place for place in found if place.as_posix().isascii()), None)


def track(folder: Path, data: Sequence[str]) -> None:
    """Give data to DVC: each gets a file .dvc beside it. Raises InputError where DVC refuses."""
    if data:
        _call([sys.executable, "-m", "dvc", "add", *data], folder)


def commit(folder: Path, files: Sequence[str], message: str) -> str:
    """Commit files; return a note where git knows no author.

    Raises:
        InputError: git refuses.
    """
    known = subprocess.run(["git", "var", "GIT_AUTHOR_IDENT"], cwd=folder, capture_output=True).returncode == 0
    author = () if known else NOBODY
    try:
        _call(["git", "add", "--", *files], folder)
        _call(["git", *author, "commit", "--quiet", "--message", message, "--", *files], folder)
    except BaseException:  # as a hook that refuses: what was staged by others stays so
        subprocess.run(["git", "reset", "--quiet", "--", *files], cwd=folder, capture_output=True)
        raise
    if known:
        return ""
    needed = "`git config --global user.name NAME` and user.email, which DVC's experiments need too"
    return f"git knows no author here, the commit has none of yours: {needed}"


def _call(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        name = "dvc add" if "dvc" in command else f"git {'commit' if 'commit' in command else command[1]}"
        if "No space left" in said:
            raise InputError(f"{name} in {folder}: the disk is full: free some space and run the same command again")
        raise InputError(f"{name} in {folder}: {said or f'exit code {done.returncode}'}")
