"""A finished training to its place, by one rename, so that a process that is killed anywhere leaves all or nothing.

In the scratch folder `output/` grows with checkpoints. Once training is complete it is renamed to `finished/`, which
only needs to be put in its place; the state is then renamed to `done`, so that nothing resumes from it, and goes with
the scratch folder. What was in that place before goes last.
"""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaelab import storage
from vaelab.training.state import read_state
from vaelab.training.written import Written, check

OUTPUT, FINISHED = "output", "finished"  # folders in the scratch folder
STATE, DONE, FACTS = "state.safetensors", "done.safetensors", "training.json"  # and files
TIMES = ("seconds", "seconds_per_epoch")  # of the facts: they differ where all else is the same


def finish(scratch: Path, written: Written, facts: Mapping[str, Any]) -> None:
    """Note that all of a training is there: from now on it only has to be published.

    Raises:
        InputError: a file is missing or damaged, or the disk cannot be written.
    """
    with storage.writing(scratch):
        check(scratch / OUTPUT, scratch / STATE, written, to_be_published=True)
        for left in (scratch / OUTPUT).rglob(".*.part*"):  # of a killed write
            left.unlink()
        storage.write_json(scratch / FACTS, facts)
        os.rename(scratch / OUTPUT, scratch / FINISHED)


def is_trained(scratch: Path, output: Path) -> bool:
    """Return whether training is complete, and was killed before all of `publish` was done."""
    if (scratch / FINISHED).exists() or not (scratch / DONE).exists():
        return (scratch / FINISHED).exists()
    progress, _ = read_state(scratch / DONE)
    return all((output / name).is_file() for name in progress.files)


def publish(scratch: Path, output: Path, facts: Path, seconds: Path, failed: Path) -> None:
    """Put a finished training in its place; then drop the scratch folder, and what an earlier training left.

    Args:
        scratch: folder of a training that `is_trained`.
        output: where that goes.
        facts: where it is written why the training ended.
        seconds: where it is written what it took.
        failed: what was known of an earlier training of the run that had to stop.

    Raises:
        InputError: the disk is full, or cannot be written; the same command, run again, goes on from there.
    """
    new, old = (output.with_name(f".{output.name}.{what}") for what in ("new", "old"))
    with storage.writing(output):
        if (scratch / STATE).exists():
            os.rename(scratch / STATE, scratch / DONE)
        if (scratch / FACTS).exists():
            known = storage.read_json(scratch / FACTS)
            _put({name: known.pop(name) for name in TIMES}, seconds)
            _put(known, facts)
        if (scratch / FINISHED).exists():
            output.parent.mkdir(parents=True, exist_ok=True)
            remove(new)
            copied = _is_elsewhere(scratch, new)
            if copied:
                _copy(scratch / FINISHED, new)
            if os.path.lexists(output):
                remove(old)
                os.rename(output, old)
            os.rename(new if copied else scratch / FINISHED, output)
            if copied:
                os.rename(scratch / FINISHED, scratch / "published")  # before it is half removed
        for path in (scratch, failed, old):
            remove(path)


def _put(content: Mapping[str, Any], path: Path) -> None:
    """Write a file, and remove what a killed write of it has left."""
    for left in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
        left.unlink()
    storage.write_json(path, content)


def _is_elsewhere(scratch: Path, place: Path) -> bool:
    """Whether a file cannot be renamed from the scratch folder to a place, which is on another disk."""
    probe = scratch / "probe"
    probe.touch()
    try:
        os.rename(probe, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return True
    place.unlink()
    return False


def _copy(folder: Path, place: Path) -> None:
    """Copy a folder, or nothing of it."""
    try:
        shutil.copytree(folder, place)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def remove(path: Path) -> None:
    """Remove a file, a folder or a link, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
