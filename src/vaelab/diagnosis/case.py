"""All saved numbers of a run, read once. What is not there is unknown, and no error."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaelab import artifacts, storage
from vaelab.data.format.info import final_phase
from vaelab.params.schema import Run

if TYPE_CHECKING:  # it reads cases
    from vaelab.diagnosis.sign import Reading

Row = Mapping[str, str]  # of a table, as it was written
TABLES = ("aggregations", "scores", "differences", "examples")  # of data/thresholds/<run>


class Case(NamedTuple):
    """One run and what was saved of it; every part may be empty."""

    run: Run
    metrics: Mapping[str, Any] = {}  # metrics/evaluate/<run>.json: by phase, and `run`
    history: Sequence[Row] = ()  # history.csv: one row per epoch and phase
    training: Mapping[str, Any] = {}  # metrics/training/<run>.json: why it stopped, seconds
    failure: Mapping[str, Any] = {}  # nonfinite.json of a training that had to stop
    threshold: Mapping[str, Any] = {}  # summary of stage threshold, and its `settings`
    tables: Mapping[str, Sequence[Row]] = {}  # of stage threshold, and `percentiles`, its sweep
    dimensions: Sequence[Row] = ()  # dimensions.csv: one row per phase and latent dimension
    groups: Mapping[str, Mapping[str, int]] = {}  # examples by phase and group
    clusters: Mapping[str, Mapping[str, frozenset[str]]] = {}  # what examples share (page, strip, photo), likewise
    data: Mapping[str, Any] = {}  # meta.json of the prepared data
    eigenvalues: np.ndarray = np.empty(0)  # of the training data's covariance, falling
    beside: Mapping[str, "Reading"] = {}  # signs that a comparison reads, by name
    changes: Mapping[str, Mapping[str, Any]] = {}  # of options that the other runs suggest, by sign

    @property
    def kind(self) -> str:
        """Kind of data."""
        return self.run.kind

    @property
    def phase(self) -> str:
        """The phase that is reported: test, or val where there is no test."""
        return final_phase(self.metrics)

    def number(self, path: str) -> float | None:
        """Return a saved number by its path, such as run.rate_star, final.floors.pca.psnr or threshold.recall.

        `final` stands for the phase that is reported. None where it was not measured or is not finite.
        """
        first, *rest = path.split(".")
        place: Any = self.threshold if first == "threshold" else self.metrics.get(self._phase(first))
        for name in rest:
            place = place.get(name) if isinstance(place, Mapping) else None
        known = isinstance(place, int | float) and not isinstance(place, bool) and isfinite(place)
        return float(place) if known else None

    def source(self, path: str) -> str:
        """Return where a number of that path was read: file, and path in it."""
        first, _, rest = path.partition(".")
        if first == "threshold":
            return f"{artifacts.thresholds(self.run.name)}/summary.json: {rest}"
        return f"{artifacts.evaluation(self.run.name)}: {self._phase(first)}.{rest}"

    def curve(self, phase: str, column: str) -> list[tuple[int, float]]:
        """Return the epochs with the finite values of a column of the history, in order."""
        rows = [(row["epoch"], row.get(column, "")) for row in self.history if row["phase"] == phase]
        found = [(int(epoch), float(value)) for epoch, value in rows if value not in ("", None)]
        return [(epoch, value) for epoch, value in found if isfinite(value)]

    def _phase(self, name: str) -> str:
        return self.phase if name == "final" else name


def read_case(run: Run) -> Case:
    """Return what the stages have saved of a run until now.

    Raises:
        InputError: a file is there and damaged.
    """
    models, scores, failed = artifacts.models(run.name), artifacts.scores(run.name), artifacts.failed(run.name)
    thresholds, failure = artifacts.thresholds(run.name), _json(failed / "nonfinite.json")
    trained = failed if failure else models if (models / "history.csv").is_file() else scores
    evaluated = {} if failure else _json(artifacts.evaluation(run.name))
    summary = {} if failure else _json(thresholds / "summary.json")
    tables = {name: _table(thresholds / f"{name}.csv") for name in TABLES} if summary.get("scored") else {}
    if tables:
        tables["percentiles"] = _table(artifacts.threshold_plots(run.name) / "percentiles.csv")
        summary["settings"] = _json(thresholds / "settings.json")
    data = _json(artifacts.prepared(run.data) / "meta.json")
    examples = _table(scores / "examples.csv") if evaluated else ()
    return Case(
        run,
        evaluated,
        _table(trained / "history.csv"),
        _json(failed / "training.json" if failure else artifacts.training(run.name)),
        failure,
        summary if tables else {},
        tables,
        _table(scores / "dimensions.csv") if evaluated else (),
        data.get("group_counts") or _counted(examples, data),
        _clusters(examples, data),
        data,
        _eigenvalues(scores / "arrays.safetensors") if evaluated else np.empty(0),
    )


def _json(path: Path) -> dict[str, Any]:
    return storage.read_json(path) if path.is_file() else {}


def _table(path: Path) -> Sequence[Row]:
    if not path.is_file():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _counted(examples: Sequence[Row], data: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Examples by phase and group of the table of examples, where meta.json does not say."""
    names, found = data.get("groups", ()), dict[str, dict[str, int]]()
    for (phase, group), count in Counter((row["phase"], int(row["group"])) for row in examples).items():
        if group < len(names):
            found.setdefault(phase, {})[names[group]] = count
    return found


def _clusters(examples: Sequence[Row], data: Mapping[str, Any]) -> dict[str, dict[str, frozenset[str]]]:
    """Clusters by phase and group."""
    names, found = data.get("groups", ()), dict[str, dict[str, set[str]]]()
    for phase, group, cluster in {(row["phase"], int(row["group"]), row.get("cluster", "")) for row in examples}:
        if group < len(names) and cluster:
            found.setdefault(phase, {}).setdefault(names[group], set()).add(cluster)
    return {phase: {name: frozenset(some) for name, some in groups.items()} for phase, groups in found.items()}


def _eigenvalues(path: Path) -> np.ndarray:
    if not path.is_file():
        return np.empty(0)
    with storage.opened(path, "numpy") as file:
        has: bool = "eigenvalues" in file.keys()  # noqa: SIM118
        return np.asarray(file.get_tensor("eigenvalues"), np.float64) if has else np.empty(0)
