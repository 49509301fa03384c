"""vaelab.lock: which version of the package a project was made with, and what each stage uses of it, as digests."""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import __version__
from vaelab.commands.init.packaged import LIBRARY
from vaelab.commands.init.pipeline import LOCK, sources
from vaelab.errors import InputError

HEADER = "# Written by `vaelab init` and `vaelab upgrade`; stages depend on it. Do not edit.\n"
DIGITS = 16
LEFT_OUT = ("__pycache__",)


class Lock(NamedTuple):
    """What is in the file."""

    version: str
    stages: Mapping[str, str]  # digests by stage
    files: Mapping[str, str]  # digests of what was written into the project, by path


def read_lock(folder: Path = Path()) -> Lock | None:
    """Return the lock of a project; None where it has none, as the repository of vaelab.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / LOCK
    if not path.is_file():
        return None
    from vaelab.params.reading import read_yaml

    content: dict[str, Any] = read_yaml(path)
    stages, files = content.get("stages"), content.get("files")
    if not isinstance(content.get("vaelab"), str) or not isinstance(stages, dict) or not isinstance(files, dict):
        raise InputError(f"{path}: damaged; expected vaelab, stages and files; `vaelab upgrade` writes it again")
    return Lock(content["vaelab"], stages, files)


def written_lock(files: Mapping[str, str]) -> str:
    """Return the text of the lock of the installed package.

    Args:
        files: texts of what was written into the project, by path.
    """
    lines = [f"vaelab: '{__version__}'", "stages:"]
    lines += [f"  {stage}: '{digest}'" for stage, digest in installed().items()]
    lines += ["files:", *(f"  {path}: '{digest_of(text)}'" for path, text in files.items())]
    return HEADER + "\n".join(lines) + "\n"


def digest_of(text: str) -> str:
    """Return the digest of a file that was written into the project."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


@cache
def installed() -> dict[str, str]:
    """Return the digest of what each stage uses of the installed package."""
    return {stage: _digest(paths) for stage, paths in sources().items()}


def changed_stages(lock: Lock) -> list[str]:
    """Return the stages for which the installed package has other code than the lock says."""
    return [stage for stage, digest in installed().items() if lock.stages.get(stage) != digest]


def differences(folder: Path = Path()) -> str:
    """Return what to say of another installed version than that of the lock; empty where it is the same."""
    lock = read_lock(folder)
    if lock is None:
        return f"{LOCK}: no such file here; `vaelab upgrade` writes it" if _needs_lock(folder) else ""
    stages = changed_stages(lock)
    if not stages:
        return "" if lock.version == __version__ else f"{_versions(lock)}; their stages are the same"
    named = "of all stages" if len(stages) == len(installed()) else f"of stages {', '.join(stages)}"
    return f"{_versions(lock)}, with other code {named}; {_remedy(lock)}"


def _needs_lock(folder: Path) -> bool:
    """Whether stages of a project depend on its lock, as those of the repository do not."""
    path = folder / "dvc.yaml"
    return path.is_file() and f"{LOCK}:" in path.read_text(encoding="utf-8", errors="replace")


def check_stage(stage: str) -> None:
    """Compare the installed package with the lock of this folder, before a stage does anything.

    The first stage, resolve, answers for all: no training is begun whose evaluation would be refused.

    Raises:
        InputError: the stage would run with other code than the lock says.
    """
    lock = read_lock()
    if lock is None:
        raise InputError(f"{LOCK}: no such file here; `vaelab upgrade` writes it")
    changed = changed_stages(lock)
    if stage in changed or (changed and stage == "resolve"):
        raise InputError(differences())
    if said := differences():
        print(f"note: {said}", file=sys.stderr)


def _versions(lock: Lock) -> str:
    if lock.version == __version__:
        return f"{LOCK}: version {lock.version}, and the installed one has been changed"
    return f"{LOCK}: version {lock.version}, and {__version__} is installed"


def _remedy(lock: Lock) -> str:
    back = f"`pip install vaelab=={lock.version}`" if lock.version != __version__ else "the package as it was"
    return f"`vaelab upgrade`, then `dvc repro`, takes the new code; {back} goes on with the old"


def _digest(paths: list[str]) -> str:
    """Digest of files and folders of the library, names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        place = LIBRARY.parent / path.removeprefix("src/")
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in found:
            if file.is_file() and not any(part in LEFT_OUT for part in file.parts) and file.suffix != ".pyc":
                content = file.read_bytes()
                digest.update(f"{file.relative_to(LIBRARY).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:DIGITS]
