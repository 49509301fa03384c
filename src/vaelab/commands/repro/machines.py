"""What a machine must have before it works for another: the same packages, and what all are to reach."""

import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from vaelab.errors import InputError

SAME = ("vaelab", "torch", "numpy", "dvc")  # packages of which all machines must have the same version
FULL = "the disk is full", "No space left on device"  # how our stages and all others say so


class UnfitError(InputError):
    """Says why this machine cannot do what another one may."""


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions here of what must be the same everywhere."""
    return (("Python", sys.version.split()[0]), *((package, version(package)) for package in SAME))


def check_versions(expected: Mapping[str, str]) -> None:
    """Raise an UnfitError where this machine has other versions than the one that asks."""
    here = dict(versions())
    if other := [f"{name} {here[name]}, expected {expected[name]}" for name in here if here[name] != expected[name]]:
        raise UnfitError(f"{'; '.join(other)}: results would differ; install the same there")


def check_folders(cache: str) -> None:
    """Raise an UnfitError where DVC's cache, which all machines share, is not there; an empty one would be made."""
    if not Path(cache).is_dir():
        raise UnfitError(f"{cache}: no such folder; expected DVC's cache, which all machines are to reach")


def full_disk(text: str) -> str | None:
    """Return the line of a log that says that a disk is full, or None."""
    return next((line.strip() for line in text.splitlines() if any(words in line for words in FULL)), None)
