"""A project as files, put into place whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vaelab import artifacts
from vaelab.commands.init.lock import written_lock
from vaelab.commands.init.packaged import text_of
from vaelab.commands.init.pipeline import LOCK, pipeline_files
from vaelab.commands.init.tools import cache_outside, repository
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError
from vaelab.storage import writing

CONFIG = "[core]\n    analytics = false\n    check_update = false\n"
KEPT = ("data/raw/.gitkeep", "metrics/treatments/.gitkeep")  # folders that stages depend on
README, OTHER_README, IGNORED = "README.md", "VAELAB.md", ".gitignore"
LOCAL = ".dvc/config.local"  # of this machine alone: not in git
STAGING = ".vaelab-init-"


def project_files(params: str, readme: str, folder: Path) -> dict[str, str]:
    """Return the files of a new project in a folder by path, without data; a README there stays, .gitignore grows."""
    pipeline, ignored, cache = pipeline_files(), text_of(IGNORED), cache_outside(folder)
    if (folder / IGNORED).is_file():
        own = (folder / IGNORED).read_text(encoding="utf-8", errors="surrogateescape")
        ignored = f"{own.rstrip()}\n\n{ignored}"
    return {
        str(artifacts.PARAMS): params,
        OTHER_README if (folder / README).exists() else README: readme,
        **pipeline,
        LOCK: written_lock(pipeline),
        IGNORED: ignored,
        ".dvcignore": text_of(".dvcignore"),
        ".dvc/config": CONFIG,
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        **({LOCAL: f"[cache]\n    dir = {cache}\n"} if cache else {}),
        **{name: "" for name in KEPT if not (folder / name).exists()},
    }


def check_place(folder: Path) -> None:
    """Raise an InputError where a project cannot be put into a folder without touching what is there."""
    shown = printable(folder.as_posix())
    _check_way(folder, shown)
    names = ("params.yaml", "dvc.yaml", "dvc.lock", "stages", ".dvc", ".dvcignore", LOCK)
    if taken := [name for name in names if (folder / name).exists()]:
        raise InputError(f"{shown} has {', '.join(taken)} already, which stay as they are: `vaelab init NEW_FOLDER`")
    around = repository(folder)
    if around is not None and around.resolve() != folder.resolve():
        text = f"{shown} is inside of the git repository {around}"
        raise InputError(f"{text}; a project is a repository of its own: name a folder outside of it")


def _check_way(folder: Path, shown: str) -> None:
    try:
        folder.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{shown}: no folder can be there: {error.strerror}") from None
    if not folder.is_dir():
        what = "a link to nothing" if folder.is_symlink() and not folder.exists() else "a file"
        raise InputError(f"{shown}: {what}; expected a folder, new or without a project")


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside the future project, or in it where it is there, which vanishes in the end."""
    place = folder if folder.is_dir() else next(parent for parent in folder.parents if parent.is_dir())
    with writing(place):
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=place))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write(staging: Path, files: Mapping[str, str]) -> None:
    """Write files of a project, which are small."""
    for name, text in files.items():
        with writing(staging / name):
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).write_text(text, encoding="utf-8", errors="surrogateescape")


@contextmanager
def put(staging: Path, folder: Path) -> Iterator[Path]:
    """Yield where a block is to finish what is staged, so that the folder has all of it in the end, or nothing.

    A new folder is the staged one, renamed after the block: killed at any moment, nothing is there that is not whole.

    Raises:
        InputError: a file or folder is in the way, which stays as it is.
    """
    if folder.exists():
        with _moved(staging, folder):
            yield folder
        return
    yield staging
    new = next((parent for parent in (*reversed(folder.parents), folder) if not parent.exists()), folder)
    try:
        with writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            staging.chmod(0o777 & ~_umask())  # a temporary folder is for its owner alone
            os.rename(staging, folder)
    except BaseException:
        if new != folder:
            shutil.rmtree(new, ignore_errors=True)
        raise


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


@contextmanager
def _moved(staging: Path, folder: Path) -> Iterator[None]:
    """Move what is staged into a folder that is there; take all away again where the block fails."""
    had_git, moved, items = (folder / ".git").exists(), list[Path](), list(_entries(staging, folder))
    before = (folder / IGNORED).read_bytes() if (folder / IGNORED).is_file() else None
    grows = () if before is None else (Path(IGNORED),)
    if taken := [str(item) for item in items if item not in grows and os.path.lexists(folder / item)]:
        raise InputError(f"{printable(folder.as_posix())} has {', '.join(taken)} already: `vaelab init NEW_FOLDER`")
    try:
        for item in items:
            with writing(folder / item):
                os.replace(staging / item, folder / item)
            moved.append(folder / item)
        yield
    except BaseException:
        for path in [*moved, *([] if had_git else [folder / ".git"])]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if before is not None and folder / IGNORED in moved:
            (folder / IGNORED).write_bytes(before)
        raise


def _entries(staging: Path, folder: Path, below: Path = Path()) -> Iterator[Path]:
    """What is to be moved: whole folders where the project has none of that name, else what they hold."""
    for item in sorted((staging / below).iterdir()):
        path = below / item.name
        if item.is_dir() and (folder / path).is_dir():
            yield from _entries(staging, folder, path)
        else:
            yield path
