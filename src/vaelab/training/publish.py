"""A finished training to its place, by one rename, so that a process that is killed anywhere leaves all or nothing.

In the scratch folder `output/` grows with checkpoints. Once training is complete it is renamed to `finished/`, which
only needs to be put in its place; the state is then renamed to `done`, so that nothing resumes from it, and goes with
the scratch folder. What was in that place before goes last.
"""

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from vaelab import storage
from vaelab.errors import InputError
from vaelab.training.state import read_state

OUTPUT, FINISHED = "output", "finished"  # folders in the scratch folder
STATE, DONE = "state.safetensors", "done.safetensors"  # and files


def check_complete(scratch: Path, names: Iterable[str]) -> None:
    """Raise an InputError where a file of a training that is in progress, or done, is gone."""
    missing = [name for name in names if not (scratch / OUTPUT / name).is_file()]
    if missing:
        raise InputError(
            f"{scratch / OUTPUT / missing[0]}: is missing, and {scratch / STATE} counts on it; put it back, or train "
            f"anew after: rm -r {scratch}"
        )


def finish(scratch: Path, names: Iterable[str]) -> None:
    """Note that all of a training is there: from now on it only has to be published.

    Raises:
        InputError: a file is missing, or the disk cannot be written.
    """
    check_complete(scratch, names)
    with storage.writing(scratch):
        for left in (scratch / OUTPUT).rglob(".*.part*"):  # of a killed write
            left.unlink()
        os.rename(scratch / OUTPUT, scratch / FINISHED)


def is_trained(scratch: Path, output: Path) -> bool:
    """Return whether training is complete, and was killed before all of `publish` was done."""
    if (scratch / FINISHED).exists() or not (scratch / DONE).exists():
        return (scratch / FINISHED).exists()
    progress, _ = read_state(scratch / DONE)
    return all((output / name).is_file() for name in progress.files)


def publish(scratch: Path, output: Path, failed: Path) -> None:
    """Put a finished training in its place; then drop the scratch folder, and what an earlier training left.

    Args:
        scratch: folder of a training that `is_trained`.
        output: where that goes.
        failed: what was known of an earlier training of the run that had to stop.

    Raises:
        InputError: the disk is full, or cannot be written; the same command, run again, goes on from there.
    """
    new, old = (output.with_name(f".{output.name}.{what}") for what in ("new", "old"))
    with storage.writing(output):
        if (scratch / STATE).exists():
            os.rename(scratch / STATE, scratch / DONE)
        if (scratch / FINISHED).exists():
            remove(new)
            if os.path.lexists(output):
                remove(old)
                os.rename(output, old)
            output.parent.mkdir(parents=True, exist_ok=True)
            _move(scratch / FINISHED, output, new)
        for path in (scratch, failed, old):
            remove(path)


def _move(folder: Path, place: Path, copy: Path) -> None:
    """Rename a folder; where that cannot cross to another disk, copy it first and rename the copy."""
    try:
        os.rename(folder, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(folder, copy)
        os.rename(copy, place)
        os.rename(folder, folder.with_name("published"))  # before it is half removed


def remove(path: Path) -> None:
    """Remove a file, a folder or a link, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
