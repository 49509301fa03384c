"""A training in a process of its own, that tests start and kill: python child.py DATA OUTPUT RUN [WHEN]."""

import os
import signal
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).resolve().parents[1])]

from helpers import tiny_run
from safetensors.torch import save_file

from vaelab.errors import exit_on_input_error
from vaelab.models import files
from vaelab.training import loop, publish

TRAIN = {"epochs": 4, "batch_size": 8}
RESTLESS = {  # everything that is random, or remembered between steps
    "model": {"dropout": 0.2, "conditional": True, "init": "pca", "output": "linear"},
    "train": TRAIN
    | {"ema": 0.9, "flip": True, "input_noise": 0.05, "warmup": 0.5, "decay": "cosine", "clip_norm": 50.0}
    | {"stop_when": {"kl": {"min": 0}}, "stop_epochs": 4},
}
TAGS = {
    "model": {"dropout": 0.2, "input_dropout": 0.2, "norm": "none"},
    "train": TRAIN | {"ema": 0.9, "clip_norm": 50.0},
}
# what processes share: no batch statistics, no σ of a batch, and neither dropout nor noise, which each draws for itself
SHARED = {
    "model": {"norm": "none", "conditional": True, "init": "pca", "output": "linear"},
    "loss": {"terms": {"gaussian": 1.0, "ssim": 9.0}, "sigma": 0.2},
    "train": TRAIN | {"ema": 0.9, "flip": True, "warmup": 0.5, "decay": "cosine", "clip_norm": 50.0},
}
RUNS = {
    "grid": tiny_run(train=TRAIN),
    "grid_with_patience": tiny_run(train=TRAIN | {"patience": 1}),
    "grid_with_group_norm": tiny_run(train=TRAIN, model={"norm": "group"}),
    "grid_map": tiny_run(
        model={"latent": "map", "latent_channels": 3, "norm": "none", "init": "pca", "palette": "ranked"},
        train=TRAIN | {"crop": True, "flip": True, "ema": 0.9, "warmup": 0.5, "decay": "cosine", "clip_norm": 50.0},
    ),
    "image": tiny_run(kind="image", **RESTLESS),
    "tags": tiny_run(kind="tags", **TAGS),
    "tags_without_dropout": tiny_run(kind="tags", model={"input_dropout": 0.2}, train=TRAIN),
    "image_to_share": tiny_run(kind="image", **SHARED),
}


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
    data, output, run = Path(sys.argv[1]), Path(sys.argv[2]), RUNS[sys.argv[3]]
    when = sys.argv[4] if len(sys.argv) > 4 else ""
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
        publish.shutil.rmtree = after(1, publish.shutil.rmtree)
    if when == "slowly":
        Path("pid").write_text(str(os.getpid()))
        loop.add_up = lambda *arguments, inner=loop.add_up: (time.sleep(0.05), inner(*arguments))
    loop.fit(run, data, output, draw)


if __name__ == "__main__":
    exit_on_input_error(main)
