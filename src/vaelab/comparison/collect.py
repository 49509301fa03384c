"""What the stages saved about the active runs."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaelab import artifacts
from vaelab.data.prepared import final_phase
from vaelab.errors import InputError
from vaelab.evaluation.metric_names import CAPTIONS
from vaelab.params.blocks import HISTORY
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
    """The same examples under each run of one data set; n examples."""

    phase: str  # their split
    ids: np.ndarray  # in that split [n]
    original: np.ndarray  # grids [n, S, S], images [n, C, S, S]
    reconstructions: dict[str, np.ndarray]  # by run, like original
    scores: dict[str, np.ndarray]  # by run: accuracy of grids, PSNR of images [n]


def same_examples(results: list[Result], count: int, seed: int) -> Examples:
    """Return a seeded choice of `count` examples of the phase that is reported."""
    phase, score = results[0].phase, CAPTIONS[results[0].run.kind][0]
    folders = {result.run.name: artifacts.scores(result.run.name) for result in results}
    chosen: dict[str, np.ndarray] = {}
    original = ids = np.empty(0)
    for name, folder in folders.items():
        with artifacts.opened(folder / "arrays.safetensors", "numpy") as file:
            saved = file.get_tensor(f"{phase}_ids")
            ids = np.sort(np.random.default_rng(seed).choice(len(saved), min(count, len(saved)), replace=False))
            original, chosen[name] = (file.get_tensor(f"{phase}_{what}")[ids] for what in ("x", "reconstruction"))
            ids = saved[ids]
    scores = {}
    for name, folder in folders.items():
        table = pd.read_csv(folder / "examples.csv", usecols=["phase", score])
        scores[name] = table[table["phase"] == phase][score].to_numpy()[ids]
    return Examples(phase, ids, original, chosen, scores)


def curves_table(results: list[Result]) -> pd.DataFrame:
    """Return the val rows of all histories; every kind's metrics have their column, so that plots find them."""
    history = pd.concat([result.history for result in results], ignore_index=True)
    val = history[history["phase"] == "val"].drop(columns=["phase"])
    names = dict.fromkeys(name for kind in HISTORY.values() for name in kind)
    return val.reindex(columns=list(dict.fromkeys([*val.columns, *names])))


def by_data(results: list[Result]) -> dict[str, list[Result]]:
    """Return the results of each data set: runs on different data are never ranked against each other."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.run.data, []).append(result)
    return groups
