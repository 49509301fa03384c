"""Trainings of one process, or one of several that share each batch: python share.py DATA OUTPUT RUN ...."""

import os
import sys
import time
from pathlib import Path

import lightning_fabric.fabric

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).resolve().parents[1])]

from helpers import tiny_run

from vaelab.errors import exit_on_input_error
from vaelab.training import gradients, loop

KINDS = ("grid", "image", "tags")
FOUR_STEPS = {"epochs": 1, "batch_size": 5, "checkpoint_samples": 1}  # of 20 examples; 5 are 3 + 2, or 2 + 2 + 1
RUNS = {kind: tiny_run(kind=kind, train=FOUR_STEPS) for kind in KINDS}  # batch norm; the optimal σ of images
for name, loss in {  # where a process's own mean is on the other side of the limit
    "free_bits": {"free_bits": 0.02},
    "capacity": {"capacity": 0.3},
    "more_free_bits": {"free_bits": 0.3},
    "more_capacity": {"capacity": 1.3},
    "total_correlation": {"terms": {"total_correlation": 2.0}},
    "mmd": {"terms": {"mmd": 50.0}},
}.items():
    # where free bits hold a dimension, batch norm would leave the bias of its mean a gradient of rounding errors alone
    norm = {"norm": "layer"} if "more" in name else {}
    RUNS |= {f"{kind}_{name}": tiny_run(kind=kind, model=norm, loss=loss, train=FOUR_STEPS) for kind in KINDS}
OF_IMAGES = {
    "laplace": {"loss": {"terms": {"gaussian": 0.0, "laplace": 1.0}, "centre_weight": 3.0}},
    "mixed": {"loss": {"terms": {"mse": 1.0, "ssim": 9.0, "edge": 1.0}, "reduction": "mean"}},
    "restless": {
        "model": {"conditional": True, "init": "pca", "output": "linear", "residual_blocks": 1},
        "train": {"ema": 0.9, "flip": True, "input_noise": 0.1, "decay": "cosine", "clip_norm": 50.0},
    },
    "per_group": {
        "model": {"name": "local", "latent": "map", "latent_channels": 2, "hidden": (8,), "per_group": True},
        "train": {"shift": True},
    },
}
for name, blocks in OF_IMAGES.items():
    RUNS[f"image_{name}"] = tiny_run(kind="image", **{**blocks, "train": FOUR_STEPS | blocks.get("train", {})})
RUNS["grid_map"] = tiny_run(
    model={"latent": "map", "latent_channels": 3, "norm": "layer", "init": "pca", "palette": "ranked"},
    train=FOUR_STEPS | {"crop": True, "flip": True, "linear_rate": 1.0, "decay": "cosine", "clip_norm": 50.0},
)
RUNS["tags_parts"] = tiny_run(kind="tags", model={"norm": "layer"}, train=FOUR_STEPS | {"accumulate": 2})
SLOWLY = {"epochs": 6, "batch_size": 5, "checkpoint_samples": 1}
RUNS |= {
    "tags_one_by_one": tiny_run(kind="tags", train=FOUR_STEPS | {"batch_size": 1}),
    "image_broken": tiny_run(
        "image_broken", kind="image", model={"norm": "none"}, loss={"sigma": 0.2}, train=FOUR_STEPS
    ),
    "tags_slowly": tiny_run("tags_slowly", kind="tags", train=SLOWLY),
}


def break_one_example(shape, seed, step, right=gradients.latent_noise):
    """The latent noise of a batch, of which one example's is infinite in step 2."""
    noise = right(shape, seed, step)
    if step == 2:
        noise[1] = float("inf")
    return noise


def wait(*arguments, right=loop.add_up):
    Path(f"pid_{os.environ['RANK']}").write_text(str(os.getpid()))
    time.sleep(0.05)
    right(*arguments)


def main() -> None:
    data, output = (Path(word).absolute() for word in sys.argv[1:3])
    os.makedirs(output, exist_ok=True)
    os.chdir(output)
    lightning_fabric.fabric._load_external_callbacks = lambda group: []  # looks through all packages each time
    gradients.latent_noise = break_one_example if sys.argv[3:] == ["image_broken"] else gradients.latent_noise
    loop.add_up = wait if sys.argv[3:] == ["tags_slowly"] else loop.add_up
    for name in sys.argv[3:]:
        loop.fit(RUNS[name], data / name.split("_")[0], Path(name), lambda snapshot, info: None)


if __name__ == "__main__":
    exit_on_input_error(main)
