"""Defects in real fabrics: the presets of suite `fabric` on AITEX, over splits and seeds, beside controls.

    VAELAB_REALDATA=folder python benchmarks/fabrics.py  # fabric_local, 3 splits × 3 seeds, and controls
    VAELAB_REALDATA=folder python benchmarks/fabrics.py --splits 1 --seeds 1 --presets fabric_naive fabric_skip

Runs the pipeline's own stages in a folder of its own (`--folder` keeps it, and goes on where an earlier call stopped):
prepare, train, evaluate, threshold. Each score is measured twice: raw (the maximum of its map), and treated as the
preset asks. Controls: the floors that every run measures, at half resolution; the PCA at full resolution; fabric_local
without training. Result: benchmarks/results/fabrics.json.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import pandas as pd
import yaml
from realdata import stage

from vaelab.anomaly.threshold import threshold_run
from vaelab.params.threshold import Threshold

RESULT = ROOT / "benchmarks" / "results" / "fabrics.json"
FABRICS = ["00", "03"]  # of which the subset has every strip
LOCAL = "fabric_local"
LONG = {"epochs": 54}  # as many steps as chosen on planted defects
UNTRAINED = {"epochs": 1, "learning_rate": 1e-12}
SHOWN = (
    "roc_auc", "average_precision", "f1_max", "precision", "recall", "f1", "fpr_normal", "fpr_clean", "pixel_roc_auc",
    "aupro",
)  # fmt: skip


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--presets", nargs="*", default=[LOCAL], help="of suite fabric")
    parser.add_argument("--folder", type=Path, help="where the stages run; kept")
    options = parser.parse_args()
    if "VAELAB_REALDATA" not in os.environ:
        sys.exit("VAELAB_REALDATA: not set; expected the folder of the real data")
    data = Path(os.environ["VAELAB_REALDATA"]).resolve() / "aitex_subset"
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="vaelab-fabrics-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    runs = write_params(folder, data, options.splits, options.seeds, options.presets)
    rows = [row for name in runs for row in measured(folder, name, runs[name])]
    save(rows)
    if options.folder is None:
        shutil.rmtree(folder)


def write_params(folder: Path, data: Path, splits: int, seeds: int, presets: list[str]) -> dict[str, dict[str, Any]]:
    """Write params.yaml of all runs and return them, by name."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    source = {"source": "aitex", "path": str(data), "fabrics": FABRICS}
    half = {f"half_{n}": {**source, "train_stride": 64, "seed": n} for n in range(splits)}
    full = {f"full_{n}": {**source, "size": 256, "reduce": 1, "seed": n} for n in range(splits)}
    runs: dict[str, dict[str, Any]] = {}
    for n in range(splits):
        for preset in presets:
            more = LONG if preset == LOCAL else {}
            for seed in range(seeds):
                entry = {"data": f"half_{n}", "preset": preset, "train": {**more, "seed": seed}}
                runs[f"{preset}_split_{n}_seed_{seed}"] = entry
        if LOCAL in presets:
            runs[f"untrained_split_{n}"] = {"data": f"half_{n}", "preset": LOCAL, "train": UNTRAINED}
            small = {"model": {"width": 4, "depth": 5, "latent_dim": 2}, "train": UNTRAINED | {"batch_size": 32}}
            scores = {"evaluate": {"scores": ["residual"], "samples": 2}, "threshold": {"scores": ["pca_mahalanobis"]}}
            runs[f"full_resolution_split_{n}"] = {"data": f"full_{n}", **small, **scores}
    params |= {"datasets": {**half, **full}, "suites": {}, "runs": runs}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    return runs


def measured(folder: Path, name: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a run's score and its floors reach; what is there already is not done again."""
    if not (folder / "data" / "prepared" / run["data"] / "meta.json").exists():
        stage(folder, "prepare", run["data"])
    seconds = folder / f"{name}.json"
    if not seconds.exists():
        times = {}
        for step in ("train", "evaluate"):
            start = time.perf_counter()
            stage(folder, step, name)
            times[step] = round(time.perf_counter() - start, 1)
        seconds.write_text(json.dumps(times))
    facts = {"run": name, "data": run["data"], **json.loads(seconds.read_text())}
    rows = []
    for treatment in ("raw", "preset"):  # the latter last, since it stays
        if treatment == "raw":
            with contextlib.chdir(folder):
                threshold_run(name, run["data"], Threshold(scores=("residual",), bootstrap=0))
        else:
            stage(folder, "threshold", name)
        table = pd.read_csv(folder / "data" / "thresholds" / name / "scores.csv").set_index("score")
        for score, row in table.iterrows():
            values = {key: round(float(row[key]), 4) for key in SHOWN}
            rows.append({**facts, "score": score, "treatment": treatment, **values})
    return rows


def save(rows: list[dict[str, Any]]) -> None:
    """Write all rows, those of runs of an earlier call among them, and print means over splits and seeds."""
    made = {row["run"] for row in rows}
    before = json.loads(RESULT.read_text())["runs"] if RESULT.exists() else []
    rows = [row for row in before if row["run"] not in made] + rows
    means: dict[str, dict[str, Any]] = {}
    for name, members in grouped(rows).items():
        means[name] = {"runs": len(members)}
        for key in SHOWN:
            values = [row[key] for row in members]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            means[name][key] = f"{statistics.fmean(values):.3f} ± {spread:.3f}"
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"means": means, "runs": rows}, indent=1) + "\n")
    print(pd.DataFrame(means).T[["runs", *SHOWN]].to_string())
    print(f"written to {RESULT.relative_to(ROOT)}")


def grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each score of each kind of run, over splits and seeds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(f"{row['run'].split('_split_')[0]}: {row['score']}, {row['treatment']}", []).append(row)
    return found


if __name__ == "__main__":
    main()
