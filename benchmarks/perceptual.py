"""What the perceptual term on the packaged ImageNet network does to sharpness at equal nats, on portraits of 64 × 64.

    VAELAB_REALDATA=folder python benchmarks/perceptual.py --folder F

Preset sharp_map with the KL held at RATE nats, and the same with the term at three weights, 2 seeds each.
The last 150 training portraits are val, where a weight would be chosen; the given val is test. CPU seconds of train.
Results: benchmarks/results/perceptual.json and .md.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import numpy as np
import pandas as pd
import yaml
from by_strip import carried_out
from realdata import stage
from tabulate import tabulate

RESULT = ROOT / "benchmarks" / "results" / "perceptual.json"
WEIGHTS, SEEDS, RATE = (0.0, 1.0, 10.0), (0, 1), 1000.0
HELD = 150  # portraits, the last ones of train, that are val
MEASURES = ("psnr", "ssim", "sharpness_ratio", "spectrum_error_high", "perceptual", "rate")


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the stages run; kept")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--trained", type=int, default=1150, help="portraits of train, the first ones")
    options = parser.parse_args()
    folder = options.folder.resolve()
    runs = write_params(folder, Path(os.environ["VAELAB_REALDATA"]) / "faces_congress", options)
    rows: list[dict[str, Any]] = []
    for name, weight in runs.items():
        seconds = carried_out(folder, name, "faces")["train"]
        metrics = json.loads((folder / "metrics" / "evaluate" / f"{name}.json").read_text())
        for phase in ("val", "test"):
            values = {key: metrics[phase].get(key) for key in MEASURES}
            rows.append({"weight": weight, "phase": phase, "run": name, **values, "train": seconds})
        save(rows)


def write_params(folder: Path, portraits: Path, options: argparse.Namespace) -> dict[str, float]:
    """Write the three splits and params.yaml, and return the weight of the term in each run."""
    folder.mkdir(parents=True, exist_ok=True)
    train = np.load(portraits / "train.npy")
    splits = {
        "train": train[: min(options.trained, len(train) - HELD)],
        "val": train[-HELD:],
        "test": np.load(portraits / "val.npy"),
    }
    dataset: dict[str, Any] = {"source": "npy"}
    for phase, images in splits.items():
        np.save(folder / f"{phase}.npy", images)
        dataset[phase] = str(folder / f"{phase}.npy")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    runs, weights = {}, {}
    for seed in SEEDS:
        for weight in WEIGHTS:
            name = f"weight_{weight:g}_seed_{seed}".replace(".", "")
            loss = {"terms": {"perceptual": weight}, "perceptual_network": "efficientnet_lite0"}
            loss |= {"beta": 1e-3, "capacity": RATE}
            train_options = {"epochs": options.epochs, "checkpoint_every": options.epochs, "seed": seed}
            runs[name] = {"data": "faces", "preset": "sharp_map", "loss": loss, "train": train_options,
                          "evaluate": {"importance_samples": 0, "z_samples": 1, "samples": 50}}  # fmt: skip
            weights[name] = weight
    params |= {"datasets": {"faces": dataset}, "suites": {}, "runs": runs}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    return weights


def save(rows: list[dict[str, Any]]) -> None:
    """Write all rows, and a table of their means over seeds."""
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    lines = [
        [*names, len(part), *(f"{part[key].mean():.3f} ± {part[key].std(ddof=0):.3f}" for key in (*MEASURES, "train"))]
        for names, part in pd.DataFrame(rows).groupby(["phase", "weight"], sort=False)
    ]
    head = ["split", "weight", "runs", *MEASURES, "CPU s"]
    RESULT.with_suffix(".md").write_text(tabulate(lines, head, "github", disable_numparse=True) + "\n")


if __name__ == "__main__":
    main()
