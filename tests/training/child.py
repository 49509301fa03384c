"""A training in a process of its own, that tests start and kill: python child.py DATA OUTPUT [WHEN]."""

import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).resolve().parents[1])]

from helpers import tiny_run
from safetensors.torch import save_file

from vaelab.errors import exit_on_input_error
from vaelab.models import files
from vaelab.training import loop, session


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(calls: int, function):
    """Return `function`, that dies instead of its call number `calls`."""
    count = 0

    def wrapped(*arguments, **options):
        nonlocal count
        count += 1
        if count == calls and function is save_file:
            Path(arguments[1]).write_bytes(b"half a fi")
        return die() if count == calls else function(*arguments, **options)

    return wrapped


def main() -> None:
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    when = sys.argv[3] if len(sys.argv) > 3 else ""
    patience = {"patience": 1} if when == "with_patience" else {}
    norm = "group" if when == "with_group_norm" else "batch"
    run = tiny_run(train={"epochs": 4, "batch_size": 8, **patience}, model={"norm": norm})
    draw = lambda snapshot, info: None  # noqa: E731
    if when == "before_the_first_state":
        loop.add_up = after(2, loop.add_up)
    if when == "in_an_epoch_with_a_saved_step":
        loop.SAVE_SECONDS = 0.0
        loop.add_up = after(13, loop.add_up)
    if when == "between_checkpoint_and_state":
        draw = after(5, draw)
    if when == "while_a_checkpoint_is_written":
        files.save_file = after(6, files.save_file)
    if when == "while_results_are_published":
        session.shutil.rmtree = after(1, session.shutil.rmtree)
    if when == "slowly":
        import time

        loop.add_up = lambda *arguments, inner=loop.add_up: (time.sleep(0.05), inner(*arguments))
    loop.fit(run, data, output, draw)


if __name__ == "__main__":
    exit_on_input_error(main)
