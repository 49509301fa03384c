"""Trainings that meet something at one operation on files, and are started again: python operations.py DATA WHAT.

Python's audit hook counts the operations that change files: an undisturbed training says how many there are. At each of
them, in turn, another one is killed, told to end, or refused by the disk. Then it is started again.
"""

import errno
import gc
import io
import json
import os
import shutil
import signal
import sys
from contextlib import redirect_stderr
from pathlib import Path

import lightning_fabric.fabric

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).resolve().parents[1])]

from helpers import tiny_run

from vaelab import storage
from vaelab.errors import exit_on_input_error
from vaelab.models import files
from vaelab.training import loop

RUN = tiny_run(
    kind="tags",
    model={"hidden": [4]},
    train={"epochs": 2, "batch_size": 8, "metric": "distortion", "checkpoint_samples": 1},
)
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT
KILLS, SIGNALS, ERRORS = [signal.SIGKILL], [signal.SIGINT, signal.SIGTERM], [errno.ENOSPC, errno.EROFS]
WHATS = {  # what happens, at which share of the operations, and whether the output is on another disk
    "kill": (KILLS, 1, False),
    "killed_then_removed": (KILLS, 1, False),  # the output, as DVC does before it runs a stage again
    "kill_elsewhere": (KILLS, 2, True),
    "signal": (SIGNALS, 2, False),
    "error": (ERRORS, 1, False),
    "error_elsewhere": (ERRORS, 3, True),
}
OF_THE_END = ("killed_then_removed", "kill_elsewhere", "error_elsewhere")  # from where training is complete


class Operations:
    """Counts operations on files, and does something instead of one of them, or at it."""

    def __init__(self) -> None:
        self.count, self.at, self.what, self.complete = 0, -1, 0, 0
        self.elsewhere = False
        sys.addaudithook(self._hook)
        for module in (files, storage):  # safetensors writes without Python
            module.save_file = self._counted(module.save_file)

    def _hook(self, event, arguments):
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITE
        if event in CHANGES or opened:
            self._one()
        if event == "os.rename" and str(arguments[1]).endswith("finished"):
            self.complete = self.count
        crosses = event == "os.rename" and ".scratch" in str(arguments[0]) and ".scratch" not in str(arguments[1])
        if crosses and self.elsewhere:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def _counted(self, save):
        def counted(tensors, path, metadata):
            if self.count + 1 == self.at:
                Path(path).write_bytes(b"half a fi")  # an operation, which is counted
            else:
                self._one()
            save(tensors, path, metadata=metadata)

        return counted

    def _one(self):
        self.count += 1
        if self.count == self.at and self.what in ERRORS:
            raise OSError(self.what, os.strerror(self.what))
        if self.count == self.at:
            os.kill(os.getpid(), self.what)


def train(data):
    """Train as the stage does; return the exit code and what was said."""
    said = io.StringIO()
    with redirect_stderr(said):
        try:
            exit_on_input_error(lambda: loop.fit(RUN, data, Path("models"), lambda snapshot, info: None))
        except SystemExit as end:
            return end.code, said.getvalue()
    return 0, said.getvalue()


def in_a_fork(task):
    """Do something in a fork; return how that ended."""
    child = os.fork()
    if child == 0:
        task()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main():
    data, what, folder, operations = Path(sys.argv[1]).absolute(), sys.argv[2], Path.cwd(), Operations()
    happens, every, operations.elsewhere = WHATS[what]
    lightning_fabric.fabric._load_external_callbacks = lambda group: []  # looks through all packages each time
    scratch = loop.scratch_folder(RUN, data)  # reads all code each time
    loop.scratch_folder = lambda run, data: scratch

    def begin():
        os.chdir(folder)
        shutil.rmtree("work", ignore_errors=True)
        Path("work/models").mkdir(parents=True)
        Path("work/models/old.txt").write_text("an earlier training")
        os.chdir("work")
        operations.count = 0

    begin()
    train(data)
    count, expected, points = operations.count, contents(Path("models")), []
    gc.freeze()
    for at in range(operations.complete if what in OF_THE_END else 1, count + 1, every):
        begin()
        operations.at, operations.what = at, happens[at // every % len(happens)]
        code, said = (in_a_fork(lambda: train(data)), "") if happens == KILLS else train(data)
        operations.at = -1
        if what == "killed_then_removed":
            shutil.rmtree("models", ignore_errors=True)
        again, _ = train(data)
        same, left = contents(Path("models")) == expected, sorted(map(str, Path().rglob(".*")))
        ended = Path("metrics/training/tiny.json").is_file()
        points.append(
            {"ended": ended, "at": at, "code": code, "said": said, "again": again, "same": same, "left": left}
        )
    print(json.dumps({"count": count, "files": sorted(expected), "points": points}))


if __name__ == "__main__":
    main()
