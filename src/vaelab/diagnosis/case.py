"""All saved numbers of a run, read once. What is not there is unknown, and no error."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaelab import artifacts, storage
from vaelab.data.format.info import final_phase
from vaelab.diagnosis import saved
from vaelab.params.schema import Run

if TYPE_CHECKING:  # it reads cases
    from vaelab.diagnosis.sign import Reading

Row = Mapping[str, str]  # of a table, as it was written
# what the files have to hold, where they are there
TABLES = {"aggregations": ("aggregation",), "scores": ("score",), "differences": ("against", "measure")}
EVALUATION = {"*": dict, "val.floors": dict, "test.floors": dict, "run.latent_dim": int, "run.selected_by": str}
AGGREGATE = ("aggregate_mean", "aggregate_std")  # columns of dimensions.csv
DUPLICATES = {f"near_duplicates.{name}": dict for name in ("images", "exact", "near", "alike")}
META = {
    "groups": list, "group_counts": dict, "group_counts.*": dict, "group_counts.*.*": int,
    "statistics": dict, "statistics.*": dict, "statistics.*.*": dict, "statistics.*.*.*": float,
    "near_duplicates": dict, **DUPLICATES, **{f"{name}.*": int for name in DUPLICATES},
}  # fmt: skip


class Case(NamedTuple):
    """One run and what was saved of it; every part may be empty."""

    run: Run
    metrics: Mapping[str, Any] = {}  # metrics/evaluate/<run>.json: by phase, and `run`
    history: Sequence[Row] = ()  # history.csv: one row per epoch and phase
    training: Mapping[str, Any] = {}  # metrics/training/<run>.json: why it stopped
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
    absent: frozenset[str] = frozenset()  # files that were not there
    seconds: float | None = None  # of an epoch; unknown to stages, whose outputs would differ each time: see `timed`

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
        while rest and isinstance(place, Mapping):
            whole = ".".join(rest)  # of a group whose name has a dot
            place, rest = (place[whole], []) if whole in place else (place.get(rest[0]), rest[1:])
        if rest:
            return None
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
    failure = saved.record(failed / "nonfinite.json")
    data = saved.record(artifacts.prepared(run.data) / "meta.json", META)
    trained = failed if failure else models if (models / "history.csv").is_file() else scores
    evaluated = {} if failure else saved.record(artifacts.evaluation(run.name), EVALUATION)
    summary, tables = ({}, {}) if failure else _threshold(run.name)
    places = (trained / "history.csv", artifacts.evaluation(run.name), artifacts.prepared(run.data) / "meta.json",
              scores / "dimensions.csv", scores / "arrays.safetensors",
              artifacts.thresholds(run.name) / "summary.json")  # fmt: skip
    examples = saved.table(scores / "examples.csv", ("phase", "group"), ("group",)) if evaluated else ()
    return Case(
        run,
        evaluated,
        saved.table(trained / "history.csv", ("epoch", "phase"), ("*",)),
        saved.record(failed / "training.json" if failure else artifacts.training(run.name)),
        failure,
        summary,
        tables,
        saved.table(scores / "dimensions.csv", ("phase",), AGGREGATE) if evaluated else (),
        data.get("group_counts") or _counted(examples, data),
        _clusters(examples, data),
        data,
        _eigenvalues(scores / "arrays.safetensors") if evaluated else np.empty(0),
        absent=frozenset(str(path) for path in places if not path.is_file()),
    )


def timed(case: Case) -> Case:
    """Return a case with what an epoch of its last training here took, where that is known."""
    failed = artifacts.failed(case.run.name) / "training.json"
    found = saved.record(failed if case.failure else artifacts.seconds(case.run.name), {"seconds_per_epoch": float})
    return case._replace(seconds=found.get("seconds_per_epoch"))


def _threshold(run: str) -> tuple[dict[str, Any], dict[str, Sequence[Row]]]:
    """The summary of stage threshold with its settings, and its tables; nothing of data without a score."""
    folder = artifacts.thresholds(run)
    summary = saved.record(folder / "summary.json", {"calibration_ks_p_by_score": dict})
    if not summary.get("scored"):
        return {}, {}
    settings = saved.record(folder / "settings.json", {"scores": list, "aggregation": str})
    tables = {name: saved.table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    tables["percentiles"] = saved.table(artifacts.threshold_plots(run) / "percentiles.csv", ("percentile", "f1"))
    return summary | {"settings": settings}, tables


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
