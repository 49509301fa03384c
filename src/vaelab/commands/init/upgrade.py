"""What `vaelab upgrade` does: the pipeline and vaelab.lock of the installed package, in a project that is there."""

from pathlib import Path

from vaelab import __version__, artifacts, storage
from vaelab.commands.init.lock import Lock, changed_stages, digest_of, installed, read_lock, written_lock
from vaelab.commands.init.pipeline import LOCK, pipeline_files
from vaelab.errors import InputError


def upgrade(folder: Path = Path()) -> str:
    """Write the pipeline and the lock anew; return what that means. Files that the user has changed stay.

    Raises:
        InputError: this is no project that `vaelab init` has made.
    """
    lock, damaged = _lock(folder)
    if lock is None and not damaged and (folder / "src/vaelab").is_dir():
        raise InputError(f"{LOCK}: none here: stages of this clone depend on src/, and need no upgrade")
    if lock is None and not damaged and not (folder / artifacts.PARAMS).is_file():
        raise InputError(f"{LOCK}: none here, and no {artifacts.PARAMS}: `vaelab init` makes a project")
    known = {} if lock is None else lock.files
    stages = [*installed()] if lock is None else changed_stages(lock)
    files, said = pipeline_files(), list[str]()
    for name, text in files.items():
        path = folder / name
        now = _digest(path)
        if now == digest_of(text):
            continue
        if now is not None and now != known.get(name):
            storage.write_text(folder / f"{name}.new", text)
            said.append(f"{name} was changed here, and stays; what vaelab brings is {name}.new")
            continue
        storage.write_text(path, text)
        said.append(f"{name}: written")
    written = written_lock(files)
    if not said and lock is not None and written == (folder / LOCK).read_text(encoding="utf-8"):
        return f"{LOCK}: of vaelab {__version__}, which is installed; nothing to do"
    storage.write_text(folder / LOCK, written)
    again = f"stages that run again with other code: {', '.join(stages)}" if stages else "no stage has other code"
    before = f"{LOCK}: {lock.version if lock else 'damaged' if damaged else 'none'} to {__version__}; {again}"
    return "\n".join([before, *said, f"next: git add -A && git commit -m 'vaelab {__version__}', then dvc repro"])


def _lock(folder: Path) -> tuple[Lock | None, bool]:
    """The lock, and whether it is damaged: then nothing tells what the user has changed, and what differs stays."""
    try:
        return read_lock(folder), False
    except InputError:
        return None, True


def _digest(path: Path) -> str | None:
    """Digest of a file of the project; None where there is none."""
    with storage.writing(path):
        return digest_of(path.read_bytes().decode("utf-8", "replace")) if path.is_file() else None
