"""Time of our training loop against a bare PyTorch loop on the same network, alternating in one process.

The bare loop is what a careful user writes: data in memory, fused AdamW, channels_last, the same objective in plain
torch, and nothing else: no history, no check for NaN, no checkpoint, no progress bar. Beside the seconds that pass are
the CPU seconds of all threads, in which other work on the machine counts less. Result: benchmarks/results/.
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
import yaml
from torch import Tensor
from torch.nn import functional as F

from vaelab import artifacts
from vaelab.data.format.batches import DeviceSplit, default_device, load_split
from vaelab.data.format.info import DataInfo
from vaelab.data.format.prepared import read_info
from vaelab.data.sources import prepare
from vaelab.models.build import build
from vaelab.models.vae import VAE
from vaelab.params.blocks import Model, Train
from vaelab.params.datasets import Dataset
from vaelab.params.loss import Loss, Terms
from vaelab.params.resolve import read_params, resolve
from vaelab.params.schema import Run
from vaelab.training import loop
from vaelab.training.gradients import forward_backward

RESULT = ROOT / "benchmarks" / "results" / "training_loop.json"
STEPS = {"grids": (40, 1), "images": (40, 1), "tags": (46, 4)}  # of a measurement: steps of an epoch, epochs
TARGETS = {"grids": 1.05, "images": 1.05, "tags": 1.05}
Seconds = tuple[float, float]  # that passed, and of the CPU


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


def tags_loss(model: VAE, x: Tensor, noise: Tensor, run: Run, info: DataInfo) -> Tensor:
    """Return binary cross-entropy and KL of a batch of tags, in plain torch."""
    x = x.float()
    mean, log_var, _, logits, _, _ = model(x, noise)
    nats = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    return (nats + 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)).mean()


LOSSES = {"grid": grid_loss, "image": image_loss, "tags": tags_loss}


def clock() -> Seconds:
    """Return the time when the device has done its work, and the time that the CPU has worked for this process."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    """Return the seconds since `start`."""
    now = clock()
    return now[0] - start[0], now[1] - start[1]


def bare_loop(run: Run, data: Path, steps: int, epochs: int) -> Seconds:
    """Return the seconds of `steps` steps in each of `epochs` epochs of a plain loop."""
    info, device = read_info(data), default_device()
    split = load_split(data, "train", info, device)
    x_all = split.stored(torch.arange(len(split)))
    model = build(run.model, info, seed=0).to(device).train()
    latent_dim, half = model.latent_dim, run.train.precision == "bf16-mixed"
    optimizer = torch.optim.AdamW(model.parameters(), run.train.learning_rate, weight_decay=0.0, fused=True)
    network = torch.compile(model) if run.train.compile else model
    batch, loss_of = run.train.batch_size, LOSSES[info.kind]
    with torch.autocast(device.type, torch.bfloat16, enabled=half):  # what is compiled and chosen at the first step
        loss_of(network, x_all[:batch], torch.randn(batch, latent_dim, device=device), run, info).backward()
    start = clock()
    for _ in range(epochs):
        order = torch.randperm(len(x_all), device=device)
        for step in range(steps):
            x = x_all[order[step * batch : (step + 1) * batch]]
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                loss = loss_of(network, x, torch.randn(len(x), latent_dim, device=device), run, info)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return since(start)


def our_loop(run: Run, data: Path, steps: int, epochs: int) -> Seconds:
    """Return the seconds of `steps` steps in each of `epochs` epochs of vaelab's loop, without validation and files."""
    fabric, interrupts = loop.make_fabric(run), loop.Interrupts()
    fabric.launch()
    scratch = loop.scratch_folder(run, data)
    session = loop.start(fabric, run, data, lambda snapshot, info: None, lambda history: (), scratch)
    assert session.steps >= steps, "more steps than an epoch has"
    index, train = torch.arange(steps * session.batch_size), session.train
    session.train = DeviceSplit([train.stored(index)], train.group[index], train.device, train.kind)
    bar = loop.tqdm(total=steps * epochs, disable=True)
    session.model.train()
    forward_backward(session, index[: session.batch_size])  # what is compiled and chosen at the first step
    start = clock()
    for _ in range(epochs):
        loop.train_epoch(session, bar, interrupts)
        session.progress.epoch, session.sums = session.progress.epoch + 1, {}
    return since(start)


def main() -> None:
    """Alternate the two loops and write the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--kinds", nargs="+", choices=list(STEPS), default=list(STEPS), help="default: all")
    options = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result["what"] = "time of our training loop / a bare PyTorch loop, same network, loss and size of batches"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # so that no resume state of a real training is found
        for name in options.kinds:
            run, settings = runs_of(Path(folder))[name]
            print(f"{name}: {run.name}")
            prepare(settings, Path(folder) / name)
            result[name] = measure(run, Path(folder) / name, options.pairs)
    write(RESULT, result)
    medians = (f"{name} {result[name]['median_ratio']} (target {TARGETS[name]})" for name in options.kinds)
    print(f"median ratio: {', '.join(medians)}; written to {RESULT.relative_to(ROOT)}")


def runs_of(folder: Path) -> dict[str, tuple[Run, Dataset]]:
    """Return the run of each kind of data, and the settings of its data set, made from the repository's params.yaml."""
    params = read_params(ROOT / artifacts.PARAMS)
    raw = yaml.safe_load((ROOT / artifacts.PARAMS).read_text())
    raw["runs"] = {"option_a": {"data": "grids"}, "vae_medium": {"data": "tags"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    runs = resolve(folder / "params.yaml").runs
    # the bare loop has no batches of like size
    grids = runs["option_a"].model_copy(update={"train": runs["option_a"].train.model_copy(update={"crop": False})})
    images = runs["option_a"].model_copy(update={
        "name": "images", "kind": "image", "model": Model(width=16), "loss": Loss(terms=Terms(mse=1), reduction="mean"),
    })  # fmt: skip
    images = images.model_copy(update={"train": Train(batch_size=32, metric="psnr")})
    return {
        "grids": (grids, params.datasets["grids"]),
        "images": (images, params.datasets["photos"].model_copy(update={"crops": 2000})),
        "tags": (runs["vae_medium"], params.datasets["tags"]),
    }


def measure(run: Run, data: Path, pairs: int, times: int = 1) -> dict[str, Any]:
    """Alternate the two loops on one kind of data and return the ratios; `times` as many epochs as on a CPU."""
    steps, epochs = STEPS[data.name]
    epochs *= times
    bare_loop(run, data, 3, 1), our_loop(run, data, 3, 1)  # warm up: the first compilation, the choice of kernels
    found: list[dict[str, Seconds]] = []
    for number in range(pairs):
        order = (bare_loop, our_loop) if number % 2 == 0 else (our_loop, bare_loop)
        found.append({function.__name__: function(run, data, steps, epochs) for function in order})
        bare, ours = found[-1]["bare_loop"], found[-1]["our_loop"]
        print(
            f"pair {number + 1}: bare {bare[0]:.2f} s, ours {ours[0]:.2f} s, ratio {ours[0] / bare[0]:.3f}", flush=True
        )
    examples = steps * epochs * run.train.batch_size
    return {
        **ratios([(pair["our_loop"], pair["bare_loop"]) for pair in found]),
        "examples_per_second": round(examples / statistics.median(pair["our_loop"][0] for pair in found), 1),
        "milliseconds_per_step": {
            name: round(1000 * statistics.median(pair[name][0] for pair in found) / (steps * epochs), 3)
            for name in ("bare_loop", "our_loop")
        },
        "batch_size": run.train.batch_size,
        "steps_per_measurement": steps * epochs,
        **machine(),
    }


def ratios(pairs: list[tuple[Seconds, Seconds]]) -> dict[str, Any]:
    """Return the ratios one / other of the pairs, sorted, and their medians: of seconds, and of CPU seconds."""
    passed, cpu = (sorted(one[i] / other[i] for one, other in pairs) for i in (0, 1))
    return {
        "median_ratio": round(statistics.median(passed), 4),
        "median_cpu_ratio": round(statistics.median(cpu), 4),
        "ratios": [round(ratio, 4) for ratio in passed],
        "cpu_ratios": [round(ratio, 4) for ratio in cpu],
    }


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    load = round(os.getloadavg()[0], 1)  # processes that wanted a CPU in the last minute, this one among them
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "machine": platform.machine(), "load": load}


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
