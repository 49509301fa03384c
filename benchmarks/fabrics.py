"""Defects in real fabrics: the presets of suite `fabric` on AITEX, over splits and seeds, beside controls.

    VAELAB_REALDATA=folder python benchmarks/fabrics.py  # fabric_local, 3 splits × 3 seeds, and controls
    VAELAB_REALDATA=folder python benchmarks/fabrics.py --splits 8 --seeds 1 --folder F  # five splits more, one seed
    VAELAB_REALDATA=folder python benchmarks/fabrics.py --splits 1 --seeds 1 --presets fabric_naive fabric_skip

Runs the pipeline's own stages in a folder of its own (`--folder` keeps it, and goes on where an earlier call stopped):
prepare, train, evaluate, threshold. Each score is measured twice: raw (the maximum of its map), and treated as the
preset asks; thresholds are corrected by strip, but for one row of the table. Controls: the baselines that every run
measures, at half resolution; the PCA at full resolution; fabric_local without training. Differences to controls are
paired by strip. Speed is of one batch of val patches, on as many threads as OMP_NUM_THREADS says, network and PCA in
turn. Results: benchmarks/results/fabrics.json and .md.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import pandas as pd
import torch
import yaml
from realdata import stage
from tabulate import tabulate

from vaelab import artifacts
from vaelab.anomaly.threshold import threshold_run
from vaelab.comparison.paired import paired_differences
from vaelab.data.format.batches import load_split
from vaelab.data.format.prepared import read_info
from vaelab.evaluation.scores.baselines import Baselines
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.models.files import load_model
from vaelab.params.resolve import read_run
from vaelab.params.threshold import Threshold

RESULT = ROOT / "benchmarks" / "results" / "fabrics.json"
FABRICS = ["00", "03"]  # of which the subset has every strip
LOCAL = "fabric_local"
LONG = {"epochs": 54}  # 2700 steps, in place of the preset's 1000
BY_STRIPS: dict[str, Any] = {"percentile_by": "strips"}
UNTRAINED = {"epochs": 1, "learning_rate": 1e-12}
SHOWN = (
    "roc_auc", "average_precision", "f1_max", "precision", "recall", "f1", "fpr_normal", "fpr_clean", "pixel_roc_auc",
    "aupro",
)  # fmt: skip
COLUMNS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "f1_max": "F1, best threshold",
    "fpr_normal": "flagged: held-out normals",
    "fpr_clean": "flagged: clean patches of defective strips",
    "aupro": "AUPRO",
}
PRESETS = ("naive", "skip", "hybrid", "ssim", "kl_anneal", "conditional", "denoise")
ROWS = {  # of the table: kind of run, score, treatment
    "**`fabric_local`: Mahalanobis distance**": (LOCAL, "combined", "preset"),
    "the same, threshold not corrected": (LOCAL, "combined", "uncorrected"),
    "its mixture, treated alike": (LOCAL, "mixture", "preset"),
    "its latents by strip, treated alike": (LOCAL, "standardised", "preset"),
    "its residual, treated alike": (LOCAL, "residual", "preset"),
    "its Mahalanobis distance, raw": (LOCAL, "mahalanobis", "raw"),
    "not trained: mixture": ("untrained", "mixture", "preset"),
    "not trained: Mahalanobis distance, treated alike": ("untrained", "combined", "preset"),
    "not trained: Mahalanobis distance, raw": ("untrained", "mahalanobis", "raw"),
    "not trained: latents by strip, treated alike": ("untrained", "standardised", "preset"),
    "PCA by strip, half resolution, treated alike": ("untrained", "pca_standardised", "preset"),
    "PCA Mahalanobis, half resolution, treated alike": ("untrained", "pca_mahalanobis", "preset"),
    "PCA Mahalanobis, half resolution, raw": ("untrained", "pca_mahalanobis", "raw"),
    "PCA Mahalanobis, full resolution, raw": ("full_resolution", "pca_mahalanobis", "raw"),
    "PCA residual, half resolution, treated alike": ("untrained", "pca_residual", "preset"),
    "PCA residual, half resolution, raw": ("untrained", "pca_residual", "raw"),
    **{f"`fabric_{name}`": (f"fabric_{name}", "combined", "preset") for name in PRESETS},
}
REDUCE = 2  # source pixels to a side of a pixel, at half resolution
TIMED = 64  # patches
PASSES = 7


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
    with contextlib.chdir(folder):
        found = {"differences": differences(list(runs)), "speed": speeds(list(runs))}
    save(rows, found)
    if options.folder is None:
        shutil.rmtree(folder)


def write_params(folder: Path, data: Path, splits: int, seeds: int, presets: list[str]) -> dict[str, dict[str, Any]]:
    """Write params.yaml of all runs and return them, by name."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    source = {"source": "aitex", "path": str(data), "fabrics": FABRICS}
    half = {f"half_{n}": {**source, "reduce": REDUCE, "train_stride": 64, "seed": n} for n in range(splits)}
    full = {f"full_{n}": {**source, "size": 256, "reduce": 1, "seed": n} for n in range(splits)}
    runs: dict[str, dict[str, Any]] = {}
    for n in range(splits):
        for preset in presets:
            more = LONG if preset == LOCAL else {}
            for seed in range(seeds):
                train = {**more, "seed": seed}
                entry = {"data": f"half_{n}", "preset": preset, "train": train, "threshold": BY_STRIPS}
                runs[f"{preset}_split_{n}_seed_{seed}"] = entry
        if LOCAL in presets:
            runs[f"untrained_split_{n}"] = {"data": f"half_{n}", "preset": LOCAL, "train": UNTRAINED}
            small = {"model": {"width": 4, "depth": 5, "latent_dim": 2}, "train": UNTRAINED | {"batch_size": 32}}
            scores = {
                "evaluate": {"scores": ["residual"], "samples": 2},
                "threshold": {"scores": ["pca_mahalanobis"], **BY_STRIPS},
            }
            runs[f"full_resolution_split_{n}"] = {"data": f"full_{n}", **small, **scores}
    params |= {"datasets": {**half, **full}, "suites": {}, "runs": runs}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    return runs


def measured(folder: Path, name: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a run's score and its baselines reach; what is there already is not done again."""
    if not (folder / "data" / "prepared" / run["data"] / "meta.json").exists():
        stage(folder, "prepare", run["data"])
    done = {"train": folder / "models" / name / "model.safetensors",
            "evaluate": folder / "data" / "scores" / name / "anomaly-defects.safetensors"}  # fmt: skip
    seconds = folder / f"{name}.json"
    times = json.loads(seconds.read_text()) if seconds.exists() else {}
    for step, result in done.items():
        if not result.exists() or step not in times:
            start = time.perf_counter()
            stage(folder, step, name)
            times[step] = round(time.perf_counter() - start, 1)
            seconds.write_text(json.dumps(times))
    facts = {"run": name, "data": run["data"], **times}
    rows = []
    with contextlib.chdir(folder):
        preset = read_run(artifacts.resolved(name)).threshold
    treatments = {"raw": Threshold(scores=("residual",), **BY_STRIPS), "preset": preset}
    if name.startswith(LOCAL):
        treatments = {"uncorrected": preset.model_copy(update={"percentile_by": "patches"}), **treatments}
    for treatment, settings in treatments.items():  # that of the preset last, since it stays
        if treatment == "preset":
            stage(folder, "threshold", name)
        else:
            with contextlib.chdir(folder):
                threshold_run(name, run["data"], settings.model_copy(update={"bootstrap": 0}))
        table = pd.read_csv(folder / "data" / "thresholds" / name / "scores.csv").set_index("score")
        for score, row in table.iterrows():
            values = {key: round(float(row[key]), 4) for key in SHOWN}
            rows.append({**facts, "score": score, "treatment": treatment, **values})
    return rows


def differences(runs: list[str]) -> list[dict[str, Any]]:
    """Return how much higher each run's score is than that of each control, on the same patches."""
    found = []
    for run in runs:
        if not run.startswith(f"{LOCAL}_split_"):
            continue
        untrained, full = (f"{name}_split_{split_of(run)}" for name in ("untrained", "full_resolution"))
        for score in ("combined", "mixture", "standardised"):
            controls = {
                "PCA by strip, treated alike": (run, "pca_standardised"),
                "PCA Mahalanobis, treated alike": (run, "pca_mahalanobis"),
                "PCA Mahalanobis, full resolution, raw": (full, "combined"),
                "not trained, the same score": (untrained, score),
                "not trained, Mahalanobis": (untrained, "combined"),
            }
            for control, (other, its_score) in controls.items():
                for row in paired_differences(run, other, 1000, 0, score, its_score):
                    values = {key: round(float(row[key]), 4) for key in ("difference", "low", "high")}
                    facts = {"run": run, "score": score, "against": control, "measure": row["measure"]}
                    found.append({**facts, **values})
    return found


def split_of(run: str) -> str:
    """Return the number of the split that a run of fabric_local is on."""
    return run.removeprefix(f"{LOCAL}_split_").split("_")[0]


def speeds(runs: list[str]) -> list[dict[str, Any]]:
    """Return source pixels that are scored in a second, by network and PCA in turn, of each first seed's run."""
    found = []
    for name in runs:
        if not name.endswith("_seed_0"):
            continue
        run, device = read_run(artifacts.resolved(name)), torch.device("cpu")
        data = artifacts.prepared(run.data)
        info, model = read_info(data), load_model(artifacts.models(name) / "model.safetensors").model
        train = load_split(data, "train", info, device)
        batch = load_split(data, "val", info, device).take(torch.arange(TIMED))
        scorer, baselines = Scorer(model, run, train, 0), Baselines(train, REDUCE, 32)
        pixels = TIMED * (info.shape[-1] * REDUCE) ** 2
        times: dict[str, list[float]] = {"network": [], "pca": []}
        for _ in range(PASSES):
            for kind, score in (("network", scorer.maps), ("pca", baselines.of_pca)):
                start = time.perf_counter()
                with torch.no_grad():
                    score(batch)
                times[kind].append(time.perf_counter() - start)
        rates = {kind: round(pixels / statistics.median(each)) for kind, each in times.items()}
        found.append({"run": name, "scores": list(run.evaluate.scores), **rates})
    return found


def save(rows: list[dict[str, Any]], more: dict[str, list[dict[str, Any]]]) -> None:
    """Write all rows, those of runs of an earlier call among them, and the table of docs/anomaly.md."""
    before = json.loads(RESULT.read_text()) if RESULT.exists() else {}

    def merged(key: str, new: list[dict[str, Any]]) -> list[dict[str, Any]]:
        made = {row["run"] for row in new}
        return [row for row in before.get(key, []) if row["run"] not in made] + new

    found = {"runs": merged("runs", rows), **{key: merged(key, new) for key, new in more.items()}}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    table = tabulate(
        list(table_rows(found["runs"])), ["score", "runs", *COLUMNS.values()], "github", disable_numparse=True
    )
    RESULT.with_suffix(".md").write_text(table + "\n")
    print(table)
    for key, new in more.items():
        print(f"{key}:\n{pd.DataFrame(new).to_string()}")
    print(f"written to {RESULT.relative_to(ROOT)} and .md")


def table_rows(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield mean over splits of the mean over seeds, and the range over runs, of each score of the table."""
    for title, (kind, score, treatment) in ROWS.items():
        members = [
            row for row in rows if (kind_of(row["run"]), row["score"], row["treatment"]) == (kind, score, treatment)
        ]
        if members:
            yield [title, str(len(members)), *(spread([(row["data"], row[key]) for row in members]) for key in COLUMNS)]


def kind_of(run: str) -> str:
    """Return the preset, or the control, that a run is of."""
    return run.split("_split_")[0]


def spread(values: list[tuple[str, float]]) -> str:
    """Return the mean over splits of the mean over seeds, and the range, of values with their splits."""
    by_split: dict[str, list[float]] = {}
    for split, value in values:
        by_split.setdefault(split, []).append(value)
    mean = statistics.fmean(statistics.fmean(each) for each in by_split.values())
    low, high = (f"{of(value for _, value in values):.3f}".lstrip("0") for of in (min, max))
    return f"{mean:.3f}".lstrip("0") + (f" ({low} to {high})" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
