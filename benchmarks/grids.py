"""What the runs of a suite reach on grids, over several seeds, beside baselines of the same size.

    python benchmarks/grids.py [--suite grids] [--runs RUN ...] [--seeds 0 1 2] [--folder FOLDER]
    python benchmarks/grids.py --print

Each run of the suite (params.yaml) is prepared, trained and evaluated as the stages do it, in FOLDER, one thread; what
is there already is not run again. Result: benchmarks/results/grids.json, from which the tables of docs/loss_options.md
are printed: means over seeds of the phase that is asked for, standard deviations where there are seeds, CPU seconds of
training.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import yaml

from vaelab.data.sources import prepare
from vaelab.evaluation.evaluate import evaluate
from vaelab.params.resolve import merge, read_params, resolve
from vaelab.params.schema import Run
from vaelab.training.loop import fit

RESULT = ROOT / "benchmarks" / "results" / "grids.json"
COLUMNS = {  # title to place in the metrics of a phase
    "accuracy": ("accuracy",), "foreground": ("foreground_accuracy",), "macro F1": ("macro_f1",),
    "blank": ("blank_share",), "exact": ("exact_match",), "exact, sampled z": ("sampled", "exact_match"),
    "accuracy, sampled z": ("sampled", "accuracy"), "accuracy, mean over grids": ("grid_accuracy",),
    "extent": ("extent_accuracy",), "rate": ("rate",), "distortion": ("distortion",), "nats in all": ("negative_elbo",),
}  # fmt: skip
SECONDS, BETA = "CPU s", "effective β"
TABLES = {  # of docs/loss_options.md, by suite: columns, and the runs whose baselines stand below
    "grids": (
        ("accuracy", "foreground", "macro F1", "blank", "exact", "exact, sampled z", "accuracy, mean over grids",
         "rate", "nats in all", SECONDS),
        ("grids", "grids_long", "grids_compact"),
    ),
    "loss_options": (
        ("accuracy", "foreground", "macro F1", "blank", "exact", "exact, sampled z", "rate", "distortion",
         "nats in all", BETA),
        (),
    ),
}  # fmt: skip
QUICK = {"z_samples": 4, "importance_samples": 0, "samples": 2, "prior": "normal"}  # no column is of samples


def runs_of(suite: str, seeds: list[int], folder: Path) -> Iterator[tuple[str, Run]]:
    """Yield the runs of a suite with each seed, resolved, by the name of their line."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, line in raw["suites"][suite].items():
        preset = line.get("preset", name if name in raw["presets"] else None)
        for seed in seeds:
            entry = merge(line, {"preset": preset, "train": {"seed": seed}, "evaluate": QUICK})
            (folder / "params.yaml").write_text(yaml.safe_dump(raw | {"runs": {f"{name}_{seed}": entry}}))
            yield name, resolve(folder / "params.yaml").runs[f"{name}_{seed}"]


def measured(run: Run, folder: Path) -> dict[str, Any]:
    """Return the metrics of a run, trained where it is not yet, and the CPU seconds that took."""
    data, output, found = folder / "data" / run.data, folder / "models" / run.name, folder / f"{run.name}.json"
    if found.exists() and json.loads(found.read_text())["run"] == run.model_dump(mode="json"):
        return dict(json.loads(found.read_text()))
    if not data.exists():
        prepare(read_params(ROOT / "params.yaml").datasets[run.data], data)
    before = time.process_time()
    fit(run, data, output, lambda snapshot, info: None)
    seconds = time.process_time() - before
    metrics = evaluate(run, output / "model.safetensors", data).metrics
    result = {"run": run.model_dump(mode="json"), "seconds": seconds, "metrics": metrics}
    found.write_text(json.dumps(result, default=float))
    return dict(json.loads(found.read_text()))


def columns(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the values of the columns that a method has."""
    found = {}
    for title, place in COLUMNS.items():
        value: Any = metrics
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            found[title] = float(value)
    return found


def table(suite: str, phase: str, results: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of a suite: its runs that were measured, and baselines of the same size."""
    titles, sizes = TABLES[suite]
    yield f"| {phase} | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for name in yaml.safe_load((ROOT / "params.yaml").read_text())["suites"][suite]:
        seeds = results.get(f"{name}, {phase}", {"seeds": {}})["seeds"]
        if seeds:
            yield row(f"`{name}`, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}", titles, list(seeds.values()))
    shown: list[Any] = []
    for name in sizes:
        for method, reached in results.get(f"{name}, {phase}", {"baselines": {}})["baselines"].items():
            if (method, reached) not in shown:  # some are of one size in several runs
                shown.append((method, reached))
                yield row(f"{method}, as of `{name}`", titles, [reached])


def row(name: str, titles: Sequence[str], values: list[dict[str, float]]) -> str:
    """Return a line of the table: mean ± standard deviation over seeds."""
    cells = []
    for title in titles:
        numbers = np.array([one[title] for one in values if title in one])
        cells.append(_text(numbers) if len(numbers) else "")
    return f"| {name} | {' | '.join(cells)} |"


def _text(numbers: np.ndarray) -> str:
    mean, spread = float(numbers.mean()), float(numbers.std(ddof=1)) if len(numbers) > 1 else None
    digits = 0 if mean >= 20 else 1 if mean > 2 else 3
    texts = [f"{value:.{digits}f}" for value in (mean, spread) if value is not None]
    return " ± ".join(text[1:] if text.startswith("0.") else text for text in texts)


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="grids", choices=tuple(TABLES))
    parser.add_argument("--runs", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--phase", default="test", choices=("val", "test"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "vaelab-grids")
    parser.add_argument("--print", action="store_true", help="only print the tables of what was measured")
    options = parser.parse_args()
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    if not options.print:
        results |= ran(options)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")
    for suite in TABLES if options.print else [options.suite]:
        print("\n".join(table(suite, options.phase, results)), end="\n\n")


def ran(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the runs that are asked for reach, and the baselines of their size."""
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    os.chdir(folder)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, run in runs_of(options.suite, options.seeds, folder):
        if options.runs is None or name in options.runs:
            found.setdefault(name, []).append(measured(run, folder))
    results = {}
    for name, of_seeds in found.items():
        parts = [
            (one, one["metrics"][options.phase], one["metrics"]["run"]["effective_beta_measured"]) for one in of_seeds
        ]
        results[f"{name}, {options.phase}"] = {
            "seeds": {
                str(one["run"]["train"]["seed"]): columns(metrics) | {BETA: beta, SECONDS: one["seconds"]}
                for one, metrics, beta in parts
            },
            "baselines": {method: columns(reached) for method, reached in parts[0][1]["floors"].items()},
        }
    return results


if __name__ == "__main__":
    main()
