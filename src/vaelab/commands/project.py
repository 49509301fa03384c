"""Where the project is: commands read and write paths below its root."""

from pathlib import Path

from vaelab import artifacts
from vaelab.errors import InputError

ROOT = (artifacts.PARAMS, Path("dvc.yaml"))  # what a project's root has


def check_root() -> None:
    """Raise an InputError that names the root where this folder is inside of a project, and not its root."""
    here = Path.cwd()
    if not all(path.is_file() for path in ROOT):
        for folder in here.parents:
            if all((folder / path).is_file() for path in ROOT):
                raise InputError(f"{here.relative_to(folder)}/ is a folder of the project {folder}: cd there first")


def need_project() -> None:
    """Raise an InputError where this folder has nothing of a project."""
    check_root()
    if not any(path.is_file() for path in ROOT):
        missing = " and ".join(map(str, ROOT))
        raise InputError(f"{Path.cwd()}: no project here ({missing} are missing): cd to the folder that has them")
