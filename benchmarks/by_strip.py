"""What standardising latents by their own strip gains, for the VAE and for PCA alike, on two fabrics of AITEX.

    VAELAB_REALDATA=folder python benchmarks/by_strip.py --folder F  # 4 splits × 2 seeds of fabric_local, and untrained

Runs the pipeline's own stages in a folder, and goes on where an earlier call stopped. All scores are treated as preset
fabric_local asks (over the strip's median, mean of the highest 4 cells, log-z, threshold corrected by strip). Macro:
mean over fabrics of the average precision. Differences are paired by strip. Seconds are CPU seconds of the stages.
Results: benchmarks/results/by_strip.json and .md.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import pandas as pd
import yaml
from realdata import stage
from sklearn.metrics import average_precision_score
from tabulate import tabulate

from vaelab.comparison.paired import paired_differences

RESULT = ROOT / "benchmarks" / "results" / "by_strip.json"
SCORES = ("standardised", "mahalanobis", "residual", "pca_standardised", "pca_mahalanobis")
PAIRS = (
    ("standardised", "pca_standardised"), ("standardised", "pca_mahalanobis"), ("standardised", "mahalanobis"),
    ("pca_standardised", "pca_mahalanobis"),
)  # fmt: skip
MEASURES = ("roc_auc", "average_precision", "f1_max", "fpr_normal", "fpr_clean")


def main() -> None:
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=2, help="0: only the untrained model and PCA")
    parser.add_argument("--folder", type=Path, required=True, help="where the stages run; kept")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    runs = write_params(folder, Path(os.environ["VAELAB_REALDATA"]).resolve() / "aitex_subset", options)
    rows, differences = [], []
    for name, run in runs.items():
        seconds = carried_out(folder, name, run["data"])
        with contextlib.chdir(folder):
            rows += [{"run": name, **seconds, **row} for row in reached(name)]
            differences += [
                {"run": name, "score": one, "against": other, **row}
                for one, other in PAIRS
                for row in paired_differences(name, name, 1000, 0, one, other)
            ]
        save(rows, differences)


def write_params(folder: Path, data: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Write params.yaml of all runs, split by split, and return them, by name."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    source = {"source": "aitex", "path": str(data), "fabrics": ["00", "03"], "reduce": 2, "train_stride": 64}
    runs: dict[str, dict[str, Any]] = {}
    for n in range(options.splits):
        own = {"data": f"half_{n}", "preset": "fabric_local", "evaluate": {"scores": list(SCORES[:3])}}
        own["threshold"] = {"scores": ["standardised"]}
        runs[f"untrained_split_{n}"] = {**own, "train": {"epochs": 1, "learning_rate": 1e-12}}
        for seed in range(options.seeds):
            runs[f"trained_split_{n}_seed_{seed}"] = {**own, "train": {"seed": seed}}
    params |= {"datasets": {f"half_{n}": {**source, "seed": n} for n in range(options.splits)}}
    (folder / "params.yaml").write_text(yaml.safe_dump({**params, "suites": {}, "runs": runs}, sort_keys=False))
    stage(folder, "resolve")
    return runs


def carried_out(folder: Path, name: str, data: str) -> dict[str, float]:
    """Run the stages that are not done yet, and return the CPU seconds of train and evaluate."""
    if not (folder / "data" / "prepared" / data / "meta.json").exists():
        stage(folder, "prepare", data)
    file = folder / f"{name}.json"
    seconds: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
    for step in ("train", "evaluate"):
        if step not in seconds:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            stage(folder, step, name)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds[step] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)
            file.write_text(json.dumps(seconds))
    if any((folder / "data" / "scores" / name).glob("anomaly-*")):
        stage(folder, "threshold", name)
    return seconds


def reached(name: str) -> list[dict[str, Any]]:
    """Return what each score reaches: all patches together, and the mean over fabrics."""
    folder = Path("data") / "thresholds" / name
    table = pd.read_csv(folder / "scores.csv").set_index("score")
    examples = pd.read_csv(folder / "examples.csv")
    measured = examples[examples["phase"].isin(["test", "defects"])]
    rows = []
    for score in SCORES:
        column = "combined" if score not in measured else score
        of_groups = {
            f"{group:02d}": round(float(average_precision_score(part["label"], part[column])), 4)
            for group, part in measured.groupby("group")
        }
        values = {key: round(float(table.loc[score, key]), 4) for key in MEASURES}
        rows.append({"score": score, **values, "macro": statistics.fmean(of_groups.values()), "by_fabric": of_groups})
    return rows


def save(rows: list[dict[str, Any]], differences: list[dict[str, Any]]) -> None:
    """Write all rows, and tables of their means over runs with standard deviations."""
    RESULT.write_text(json.dumps({"runs": rows, "differences": differences}, indent=1) + "\n")
    frame = pd.DataFrame(rows).assign(kind=lambda table: table["run"].str.split("_").str[0])
    keys = [*MEASURES, "macro", "train", "evaluate"]
    lines = [
        [kind, score, len(part), *(f"{part[key].mean():.3f} ± {part[key].std(ddof=0):.3f}" for key in keys)]
        for (kind, score), part in frame.groupby(["kind", "score"], sort=False)
    ]
    gains = pd.DataFrame(differences).assign(kind=lambda table: table["run"].str.split("_").str[0])
    compared = [
        [
            *names,
            len(part),
            f"{part['difference'].mean():+.3f}",
            int((part["low"] > 0).sum()),
            int((part["high"] < 0).sum()),
        ]
        for names, part in gains.groupby(["kind", "score", "against", "measure"], sort=False)
    ]
    heads = (
        ["model", "score", "runs", *keys],
        ["model", "score", "against", "measure", "runs", "mean", "better", "worse"],
    )
    text = "\n\n".join(
        tabulate(lines_of, head, "github", disable_numparse=True)
        for lines_of, head in zip((lines, compared), heads, strict=True)
    )
    RESULT.with_suffix(".md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
