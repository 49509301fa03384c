"""Why a cause could not be looked for: it does not apply to the run, or numbers that it needs were not saved."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import Rule

FILES: dict[str, Callable[[Case], Path]] = {  # that parts of a case are read from
    "metrics": lambda case: artifacts.evaluation(case.run.name),
    "history": lambda case: artifacts.models(case.run.name) / "history.csv",
    "dimensions": lambda case: artifacts.scores(case.run.name) / "dimensions.csv",
    "eigenvalues": lambda case: artifacts.scores(case.run.name) / "arrays.safetensors",
    "threshold": lambda case: artifacts.thresholds(case.run.name) / "summary.json",
    "tables": lambda case: artifacts.thresholds(case.run.name) / "summary.json",
    "data": lambda case: artifacts.prepared(case.run.data) / "meta.json",
    "groups": lambda case: artifacts.prepared(case.run.data) / "meta.json",
}
# what these files hold of every run; whatever else is missing does not exist for its data or its model
MEASURED = {"distortion", "distortion_at_mean", "rate", "active_units", "ablations.shuffled_z.distortion"}  # by phase
MEASURED_OF = {
    "grid": {"foreground_accuracy", "floors.frequency.distortion"},
    "image": {"mse", "explained_variance", "resolved_cycles", "data_cycles", "floors.mean_image.distortion"},
    "tags": {"predicted_tags", "true_tags", "entropy", "real_entropy"},
}
RUN = {"run.effective_beta"}
HISTORY = {"train.loss", "train.learning_rate", "train.step", "train.gradient_norm", "train.loss_max", "val.loss"}
SCORED = {"percentile_used", "val_normals", "calibration_ks_p"}
LABELLED = {"recall", "f1", "roc_auc"}
STATISTICS = "statistics"  # of meta.json


class _Noting(Case):
    """A case that notes where what is asked of it is missing."""

    missed: list[str]

    def number(self, path: str) -> float | None:
        found = super().number(path)
        if found is None:
            self.missed.append(self.source(path))
        return found

    def curve(self, phase: str, column: str) -> list[tuple[int, float]]:
        found = super().curve(phase, column)
        if not found:
            self.missed.append(f"{FILES['history'](self)}: {phase}.{column}")
        return found

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in FILES and not len(found):
            self.missed.append(str(FILES[name](self)))
        if name == "data" and STATISTICS not in found:
            self.missed.append(f"{FILES[name](self)}: {STATISTICS}")
        return found


def lacking(rules: Iterable[Rule], case: Case) -> str:
    """Return the first file, or number in one, that rules need and that was not saved; empty where all were.

    Then what is unknown does not apply: to these data, this model or this objective. Of a training that broke off
    nothing more is to be saved.
    """
    noting = _Noting(*case)
    noting.missed = []
    for rule in () if case.failure else rules:
        for sign in rule.signs:
            sign(noting)
    places = (_is_missing(place, case) for place in noting.missed)
    return next((place for place in places if place), "")


def _is_missing(place: str, case: Case) -> str:
    """The place, or its file, where a stage that has run would have saved it; empty where there is no such number."""
    file, _, name = place.partition(": ")
    if file in case.absent:
        return file
    return place if name in _expected(file, case) else ""


def _expected(file: str, case: Case) -> set[str]:
    """What a file holds, where it is there."""
    if file == str(FILES["metrics"](case)):
        phases = case.metrics.keys() - {"run"}
        return RUN | {f"{phase}.{name}" for phase in phases for name in MEASURED | MEASURED_OF.get(case.kind, set())}
    if file == str(FILES["threshold"](case)):
        return (SCORED if case.threshold else set()) | (LABELLED if case.threshold.get("labelled") else set())
    return HISTORY if file == str(FILES["history"](case)) else {STATISTICS}
