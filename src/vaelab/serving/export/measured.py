"""What a project has measured of a run, for its model card: a few numbers beside baselines, and its diagnosis."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts, storage
from vaelab.comparison.kinds import CHARTED
from vaelab.data.format.info import final_phase
from vaelab.metrics.nested import FLOORS
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, cost

FURTHER = ("rate", "active_units", "negative_elbo")
OF_DEFECTS = ("average_precision", "roc_auc", "f1_max")


class Row(NamedTuple):
    """One number, beside what the best trivial method reaches."""

    metric: str
    title: str
    value: float
    baseline: float | None
    method: str | None  # the best of them

    @property
    def is_behind(self) -> bool:
        """Whether that method does better."""
        own, other = cost(self.metric, self.value), cost(self.metric, self.baseline)
        return own is not None and other is not None and other < own


class Measured(NamedTuple):
    """What is known of a run."""

    data: Mapping[str, Any]  # meta.json; empty where it is not there
    phase: str
    rows: list[Row]
    defects: Mapping[str, Any]  # summary of stage threshold; empty without scores
    findings: list[str] | None  # of the diagnosis; None where there is none


def measured(project: Path | None, run: str, data: str, kind: str) -> Measured:
    """Return what a project has measured of a run; nothing where it has not."""
    if project is None:
        return Measured({}, "test", [], {}, None)
    values = _read(project / artifacts.evaluation(run))
    phase = final_phase(values)
    summary = _read(project / artifacts.thresholds(run) / "summary.json")
    rows = list(_rows(values.get(phase, {}), kind))
    if summary.get("labelled"):
        rows += _defect_rows(project / artifacts.thresholds(run) / "scores.csv", summary)
    diagnosis = _read(project / artifacts.diagnosis(run))
    findings = [str(finding["summary"]) for finding in diagnosis["findings"]] if "findings" in diagnosis else None
    meta = _read(project / artifacts.prepared(data) / "meta.json")
    return Measured(meta, phase, rows, summary if summary.get("scored") else {}, findings)


def _read(path: Path) -> dict[str, Any]:
    return storage.read_json(path) if path.is_file() else {}


def _rows(values: Mapping[str, Any], kind: str) -> list[Row]:
    found = []
    for name in (*CHARTED[kind], *FURTHER):
        if (value := _number(values.get(name))) is None:
            continue
        reached = {title: values.get(FLOORS, {}).get(method, {}).get(name) for method, title in BASELINES[kind].items()}
        found.append(_row(name, value, reached))
    return found


def _defect_rows(path: Path, summary: Mapping[str, Any]) -> list[Row]:
    scores: list[dict[str, str]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            scores = list(csv.DictReader(file))
    of = {row["score"]: row for row in scores}
    found = []
    for name in OF_DEFECTS:
        if (value := _number(summary.get(name))) is not None:
            reached = {title: of[method].get(name) for method, title in DEFECT_BASELINES.items() if method in of}
            found.append(_row(f"defect_{name}", value, reached))
    return found


def _row(name: str, value: float, reached: Mapping[str, Any]) -> Row:
    metric = METRICS[name]
    costs = {title: cost(name, _number(number)) for title, number in reached.items()}
    known = {title: number for title, number in costs.items() if number is not None}
    method = min(known, key=lambda title: known[title]) if known else None
    baseline = None if method is None else _number(reached[method])
    return Row(name, metric.title + (f", {metric.unit}" if metric.unit else ""), value, baseline, method)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
