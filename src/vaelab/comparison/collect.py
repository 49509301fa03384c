"""What the stages saved about the active runs."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaelab import artifacts
from vaelab.data.prepared import final_phase
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
        """Metrics of the phase that is reported."""
        return self.metrics[self.phase]

    @property
    def phase(self) -> str:
        """The phase that is reported: test, or val where there is no test."""
        return final_phase(self.metrics)


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


class Examples(NamedTuple):
    """The same examples under each run of one data set; n examples, S side of the canvas."""

    phase: str  # their split
    ids: np.ndarray  # in that split [n]
    original: np.ndarray  # [n, S, S]
    reconstructions: dict[str, np.ndarray]  # by run [n, S, S]
    accuracies: dict[str, np.ndarray]  # by run [n]


def same_examples(results: list[Result], count: int, seed: int) -> Examples:
    """Return a seeded choice of `count` examples of the phase that is reported."""
    phase = results[0].phase
    folders = {result.run.name: artifacts.scores(result.run.name) for result in results}
    arrays = {name: artifacts.read_tensors(folder / "arrays.safetensors")[0] for name, folder in folders.items()}
    original = next(iter(arrays.values()))[f"{phase}_x"]
    size = min(count, len(original))
    ids = np.sort(np.random.default_rng(seed).choice(len(original), size, replace=False))
    accuracies = {}
    for name, folder in folders.items():
        table = pd.read_csv(folder / "examples.csv", usecols=["phase", "accuracy"])
        accuracies[name] = table[table["phase"] == phase]["accuracy"].to_numpy()[ids]
    chosen = {name: array[f"{phase}_reconstruction"][ids] for name, array in arrays.items()}
    return Examples(phase, ids, original[ids], chosen, accuracies)


def by_data(results: list[Result]) -> dict[str, list[Result]]:
    """Return the results of each data set: runs on different data are never ranked against each other."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.run.data, []).append(result)
    return groups
