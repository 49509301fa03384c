"""What the stages saved about the active runs."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaelab import artifacts
from vaelab.errors import InputError
from vaelab.params.resolve import read_run
from vaelab.params.schema import Run


class Result(NamedTuple):
    """One run and what was measured of it."""

    run: Run
    metrics: dict[str, dict[str, Any]]  # by phase, and `run`
    history: pd.DataFrame  # one row per epoch and phase, with the column `run`

    @property
    def final(self) -> dict[str, Any]:
        """Metrics of the test split, or of the training split where there is no test."""
        return self.metrics.get("test", self.metrics["train"])

    def of(self, phase: str) -> dict[str, Any]:
        """Metrics of a phase; of the training split where the data have no such split."""
        return self.metrics.get(phase, self.metrics["train"])


def collect() -> list[Result]:
    """Return the active runs in the order of params.yaml's file names.

    Raises:
        InputError: there is none, or one of them was not evaluated yet.
    """
    results = [_read(path) for path in sorted(artifacts.RUNS.glob("*.yaml"))]
    if not results:
        raise InputError(f"{artifacts.RUNS}: no resolved run; `dvc repro` makes them")
    return results


def _read(path: Path) -> Result:
    run = read_run(path)
    metrics = artifacts.read_json(artifacts.evaluation(run.name))
    history = pd.read_csv(artifacts.scores(run.name) / "history.csv").assign(run=run.name)
    return Result(run, metrics, history)


def same_examples(results: list[Result], count: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return a choice of test examples of one data set: index [n], originals [n, S, S] and each run's reconstructions."""
    phase = "test" if "test" in results[0].metrics else "train"
    arrays = [artifacts.read_tensors(artifacts.scores(r.run.name) / "arrays.safetensors")[0] for r in results]
    original = arrays[0][f"{phase}_x"]
    size = min(count, len(original))
    index = np.sort(np.random.default_rng(seed).choice(len(original), size, replace=False))
    return index, original[index], [a[f"{phase}_reconstruction"][index] for a in arrays]


def by_data(results: list[Result]) -> dict[str, list[Result]]:
    """Return the results of each data set: runs on different data are never ranked against each other."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.run.data, []).append(result)
    return groups
