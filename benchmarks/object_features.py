"""What features of an ImageNet network gain over pixels on objects, of scores and of the VAE; borders and layers.

    python benchmarks/object_features.py --folder F

Runs the pipeline's own stages in a folder on the sets of object_pictures.py, and goes on where an earlier call stopped.
Specimens are never split. Each score stands alone, treated as preset object_local asks (mean of the highest 4 cells,
log-z, percentile 95 of val); `combined` is the preset's own sum. Seconds are CPU seconds of train and evaluate.
Results: benchmarks/results/object_features.json and .md.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import pandas as pd
import yaml
from by_strip import carried_out
from object_pictures import write_objects
from realdata import stage
from tabulate import tabulate

RESULT = ROOT / "benchmarks" / "results" / "object_features.json"
MEASURES = ("roc_auc", "average_precision", "f1_max", "recall", "fpr_normal")
TREATED = {"aggregation": "top_k", "top_k": 4, "relative": "none", "percentile_by": "patches"}


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="of the pictures, the splits and the training")
    parser.add_argument("--sets", nargs="+", default=["coins", "washers"])
    parser.add_argument("--folder", type=Path, required=True, help="where the stages run; kept")
    options = parser.parse_args()
    folder = options.folder.resolve()
    rows: list[dict[str, Any]] = []
    for name, run in write_params(folder, options).items():
        seconds = carried_out(folder, name, run["data"])
        table = pd.read_csv(folder / "data" / "thresholds" / name / "scores.csv").set_index("score")
        kind, data = name.split("__")[0], run["data"].rstrip("0123456789_")
        for score in table.index:
            values = {key: round(float(table.loc[score, key]), 4) for key in MEASURES}
            rows.append({"data": data, "model": kind, "score": score, "run": name, **values, **seconds})
        save(rows)


def write_params(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Write pictures and params.yaml of all runs, and return them, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    datasets: dict[str, Any] = {}
    runs: dict[str, dict[str, Any]] = {}
    for name in options.sets:
        for seed in range(options.seeds):
            data = f"{name}_{seed}"
            if not (folder / "raw" / data).exists():
                write_objects(folder / "raw" / data, name, seed)
            datasets[data] = {"source": "folder_masks", "path": str(folder / "raw" / data), "colour": "gray",
                              "size": 256, "reduce": 1, "group_by": "specimen([0-9]+)", "seed": seed}  # fmt: skip
            own = {"data": data, "train": {"seed": seed}}
            runs[f"object_local__{data}"] = {**own, "preset": "object_local"}
            runs[f"untrained__{data}"] = {
                **own,
                "preset": "object_local",
                "train": {"epochs": 1, "learning_rate": 1e-12},
            }
            pixels = {"model": {"per_group": False}, "evaluate": {"scores": ["mixture", "mahalanobis", "residual"]}}
            runs[f"fabric_local__{data}"] = {**own, **pixels, "preset": "fabric_local", "threshold": TREATED}
    params |= {"datasets": datasets, "suites": {}, "runs": runs}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    return runs


def save(rows: list[dict[str, Any]]) -> None:
    """Write all rows, and a table of their means over seeds."""
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    keys = (*MEASURES, "train", "evaluate")
    lines = [
        [*names, len(part), *(f"{part[key].mean():.3f} ± {part[key].std(ddof=0):.3f}" for key in keys)]
        for names, part in pd.DataFrame(rows).groupby(["data", "model", "score"], sort=False)
    ]
    text = tabulate(lines, ["data", "model", "score", "runs", *keys], "github", disable_numparse=True)
    RESULT.with_suffix(".md").write_text(text + "\n")


if __name__ == "__main__":
    main()
