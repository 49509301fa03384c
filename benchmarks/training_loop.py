"""Time of our training loop against a bare PyTorch loop on the same network, alternating in one process.

The bare loop is what a careful user writes: data in memory, fused AdamW, channels_last, the same objective in plain
torch, and nothing else: no history, no check for NaN, no checkpoint, no progress bar. Result: benchmarks/results/.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab import artifacts
from vaelab.data.batches import DeviceSplit, load_split
from vaelab.data.prepared import DataInfo, read_info
from vaelab.data.sources import prepare
from vaelab.models.build import build
from vaelab.models.vae import VAE
from vaelab.params.blocks import Model
from vaelab.params.datasets import Dataset
from vaelab.params.loss import Loss, Terms
from vaelab.params.resolve import read_params, resolve
from vaelab.params.schema import Run
from vaelab.training import loop

RESULT = ROOT / "benchmarks" / "results" / "training_loop.json"


def grid_loss(model: VAE, x: Tensor, noise: Tensor, run: Run, info: DataInfo) -> Tensor:
    """Return focal loss, extent and KL of a batch of grids, in plain torch."""
    x, classes = x.long(), len(info.classes)
    mean, log_var, _, logits, extent, _ = model(x, noise)
    nats = F.cross_entropy(logits, x, ignore_index=classes, reduction="none")
    focal = ((1 - torch.exp(-nats)) ** run.loss.gamma * nats).flatten(1).sum(1)
    valid = x != classes
    size = torch.stack([valid.any(2).sum(1), valid.any(1).sum(1)], 1) - 1
    sizes = F.cross_entropy(extent.flatten(0, 1), size.flatten(), reduction="none").view_as(size).sum(1)
    return (focal + sizes + 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)).mean()


def image_loss(model: VAE, x: Tensor, noise: Tensor, run: Run, info: DataInfo) -> Tensor:
    """Return squared error and KL of a batch of images, in plain torch."""
    x = x.contiguous(memory_format=torch.channels_last).float() / 255
    mean, log_var, _, reconstruction, _, _ = model(x, noise)
    kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
    return F.mse_loss(reconstruction, x) + run.loss.beta * kl.mean()


LOSSES = {"grid": grid_loss, "image": image_loss}


def bare_loop(run: Run, data: Path, steps: int) -> float:
    """Return seconds for `steps` steps of a plain loop."""
    info = read_info(data)
    split = load_split(data, "train", info, torch.device("cpu"))
    x_all = split.stored(torch.arange(len(split)))
    model = build(run.model, info, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), run.train.learning_rate, weight_decay=0.0, fused=True)
    batch, order, loss_of = run.train.batch_size, torch.randperm(len(x_all)), LOSSES[info.kind]
    start = time.perf_counter()
    for step in range(steps):
        x = x_all[order[step * batch : (step + 1) * batch]]
        loss = loss_of(model, x, torch.randn(len(x), model.latent_dim), run, info)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def our_loop(run: Run, data: Path, steps: int) -> float:
    """Return seconds for `steps` steps of vaelab's loop, without validation and checkpoints."""
    session = loop.start(run, data, lambda snapshot, info: None)
    assert session.steps >= steps, "more steps than an epoch has"
    index, train = torch.arange(steps * session.batch_size), session.train
    session.train = DeviceSplit([train.stored(index)], train.group[index], train.device, train.kind)
    bar = loop.tqdm(total=steps, disable=True)
    start = time.perf_counter()
    loop.train_epoch(session, bar)
    return time.perf_counter() - start


def main() -> None:
    """Alternate the two loops and write the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    params = read_params(ROOT / artifacts.PARAMS)
    grids = resolve(ROOT / artifacts.PARAMS).runs["option_a"]
    images = grids.model_copy(update={
        "name": "images", "kind": "image", "model": Model(width=16), "loss": Loss(terms=Terms(mse=1), reduction="mean"),
    })  # fmt: skip
    images = images.model_copy(update={"train": grids.train.model_copy(update={"batch_size": 32, "metric": "psnr"})})
    photos = params.datasets["photos"].model_copy(update={"crops": 2000})
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # so that no resume state of a real training is found
        kinds = {"grids": (grids, params.datasets["grids"]), "images": (images, photos)}
        result = {
            "what": "seconds of our training loop / a bare PyTorch loop, same network, loss and size of batches",
            **{name: measure(run, settings, Path(folder) / name, options) for name, (run, settings) in kinds.items()},
            "steps_per_measurement": options.steps,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "machine": platform.machine(),
        }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    medians = ", ".join(f"{name} {result[name]['median_ratio']}" for name in kinds)
    print(f"median ratio: {medians} (target 1.05); written to {RESULT.relative_to(ROOT)}")


def measure(run: Run, settings: Dataset, data: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Alternate the two loops on one kind of data and return the ratios."""
    prepare(settings, data)
    bare_loop(run, data, 3), our_loop(run, data, 3)  # warm up
    pairs = []
    for number in range(options.pairs):
        order = (bare_loop, our_loop) if number % 2 == 0 else (our_loop, bare_loop)
        seconds = {function.__name__: function(run, data, options.steps) for function in order}
        pairs.append((seconds["bare_loop"], seconds["our_loop"]))
        print(f"{data.name}, pair {number + 1}: bare {pairs[-1][0]:.2f} s, ours {pairs[-1][1]:.2f} s", flush=True)
    ratios = sorted(ours / bare for bare, ours in pairs)
    return {
        "median_ratio": round(statistics.median(ratios), 4),
        "ratios": [round(ratio, 4) for ratio in ratios],
        "examples_per_second": round(options.steps * run.train.batch_size / statistics.median(o for _, o in pairs), 1),
        "batch_size": run.train.batch_size,
    }


if __name__ == "__main__":
    main()
