"""What the runs of a suite reach on grids, over several seeds, beside baselines of the same size.

    python benchmarks/grids.py [--suite grids] [--runs RUN ...] [--seeds 0 1 2] [--folder FOLDER]

Each run of the suite (params.yaml) is prepared, trained and evaluated as the stages do it, in FOLDER, one thread. The
table has means over seeds of the phase that is asked for, with the standard deviation where there are seeds, and CPU
seconds of training. What is there already is not run again. Result: benchmarks/results/grids.json.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
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
SECONDS = "CPU s"
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


def row(name: str, values: list[dict[str, float]]) -> str:
    """Return a line of the table: mean ± standard deviation over seeds."""
    cells = []
    for title in (*COLUMNS, SECONDS):
        numbers = np.array([one[title] for one in values if title in one])
        cells.append(_text(numbers) if len(numbers) else "")
    return f"| {name} | {' | '.join(cells)} |"


def _text(numbers: np.ndarray) -> str:
    nats = numbers.max() > 2
    spread = f" ± {numbers.std(ddof=1):.{1 if nats else 3}f}" if len(numbers) > 1 else ""
    return f"{numbers.mean():.1f}{spread}" if nats else f"{numbers.mean():.3f}{spread}".replace("0.", ".")


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="grids")
    parser.add_argument("--runs", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--phase", default="test", choices=("val", "test"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "vaelab-grids")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    os.chdir(folder)
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, run in runs_of(options.suite, options.seeds, folder):
        if options.runs is None or name in options.runs:
            found.setdefault(name, []).append(measured(run, folder))
    print(f"| {options.phase} | {' | '.join((*COLUMNS, SECONDS))} |\n|{'---|' * (len(COLUMNS) + 2)}")
    for name, of_seeds in found.items():
        values = [columns(one["metrics"][options.phase]) | {SECONDS: one["seconds"]} for one in of_seeds]
        print(row(name, values))
        floors = of_seeds[0]["metrics"][options.phase]["floors"]
        results[f"{name}, {options.phase}"] = {
            "seeds": {one["run"]["train"]["seed"]: own for one, own in zip(of_seeds, values, strict=True)},
            "baselines": {method: columns(reached) for method, reached in floors.items()},
        }
    of_sizes = {name: of_seeds[0]["metrics"][options.phase]["floors"] for name, of_seeds in found.items()}
    for method, reached in {f"{m}, as of {name}": r for name, own in of_sizes.items() for m, r in own.items()}.items():
        print(row(method, [columns(reached)]))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
