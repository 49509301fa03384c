"""Stage threshold: from saved score maps to a threshold, its measures, tables and curves. Needs no network.

Three steps: `fit` learns from the normals of val, `score` applies that to each phase, `measure` says what it is worth.

data/thresholds/<run>/: `examples` and `flagged` (patches), `scores` (the combined score, and every saved one alone),
`groups`, `defects`, `differences` (of the combined score from every other), `aggregations` (what it reaches under
each), `summary.json` and the `settings.json` that it was found with. plots/threshold/<run>/: `roc`, `pr`, `histogram`
and `percentiles`. All are always there; what does not apply has no rows.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vaelab import artifacts, storage
from vaelab.anomaly.fit import check_normals, fit
from vaelab.anomaly.measure import ThresholdResults, measure
from vaelab.anomaly.patch_measures import RANKING
from vaelab.anomaly.preprocessing import preprocess
from vaelab.anomaly.score import score
from vaelab.anomaly.score_files import ScoreFile, read_phases
from vaelab.anomaly.select import selected
from vaelab.anomaly.tables import COUNT_COLUMNS, MEASURE_COLUMNS, PATCH_COLUMNS, Names, Row
from vaelab.data.format.prepared import read_meta, split_files
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

TABLES = {  # columns where there are no rows
    "examples": PATCH_COLUMNS,
    "flagged": PATCH_COLUMNS,
    "scores": ("score", *MEASURE_COLUMNS),
    "groups": ("group", "val_normals", "group_threshold", *COUNT_COLUMNS, *MEASURE_COLUMNS),
    "defects": ("defect", *COUNT_COLUMNS, *MEASURE_COLUMNS),
    "differences": ("against", "measure", "difference", "low", "high"),
    "aggregations": ("aggregation", *RANKING),
}
PLOTS = {
    "roc": ("score", "fpr", "tpr"),
    "pr": ("score", "recall", "precision"),
    "histogram": ("pool", "score", "count", "share", "threshold"),
    "percentiles": (
        "percentile", "threshold", "precision", "recall", "f1", "fpr_normal", "fpr_clean", "fpr_nominal",
    ),
}  # fmt: skip
HEADLINE = (  # what `dvc metrics show` lists
    "average_precision", "roc_auc", "f1_max", "threshold", "precision", "recall", "f1", "fpr_normal", "fpr_clean",
    "aupro",
)  # fmt: skip
NO_SCORES = ThresholdResults({"scored": False}, {}, {})


def threshold_run(run: str, data: str, settings: Threshold) -> None:
    """Write the threshold of a run and what it is worth; of a run without score maps, that it has none.

    Args:
        run: its name.
        data: name of its data set.
        settings: how scores become a threshold.

    Raises:
        InputError: a file or an option is wrong; nothing is written then.
    """
    files = read_phases(artifacts.scores(run))
    results, used = _results(files, artifacts.prepared(data), settings) if files else (NO_SCORES, settings)
    _write(run, results, used)


def _results(files: Mapping[str, ScoreFile], folder: Path, settings: Threshold) -> tuple[ThresholdResults, Threshold]:
    """What the scores are worth, and the settings that were used: with `select`, those that were chosen."""
    names = _names(folder, files)
    phases = {name: preprocess(file, settings) for name, file in files.items()}
    if settings.relative == "strip":
        _say_single_patches(files)
    check_normals(files, names.groups, settings)
    chosen, facts = selected(phases)
    fitted = fit(chosen["val"], chosen.get("val_defects"))
    scored = {name: score(phase, fitted.patches) for name, phase in chosen.items()}
    found = measure(scored, fitted, names, split_files(folder, "defects"))
    return found._replace(metrics={**found.metrics, **facts}), chosen["val"].settings


def _say_single_patches(files: Mapping[str, ScoreFile]) -> None:
    """Warn where a strip is one patch, so that its median is that of its own defect."""
    for phase, file in files.items():
        patches = np.unique(file.strip, return_counts=True)[1]
        single = int((patches == 1).sum())
        if single:
            text = f"{single} of {len(patches)} strips of {phase} are one patch, whose median is its own"
            remedy = "a defect that fills it is not seen; set threshold.relative: none"
            print(f"warning: threshold.relative: strip: {text}: {remedy}", file=sys.stderr)


def _names(folder: Path, files: Mapping[str, ScoreFile]) -> Names:
    """Names of groups, strips and defects, checked against the numbers that occur."""
    meta = {"strip_names": _numbers(files), "defect_names": ["none"], **read_meta(folder)}
    found = []
    for field, key in (("group", "groups"), ("strip", "strip_names"), ("defect", "defect_names")):
        names = meta.get(key)
        if not isinstance(names, list):
            raise InputError(f"{folder / 'meta.json'}: has no {key}; prepare the data again")
        for file in files.values():
            numbers = getattr(file, field)
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names):
                text = f"{field} {numbers.min()} to {numbers.max()}, and {folder / 'meta.json'} has {len(names)} {key}"
                raise InputError(f"{file.path}: {text}; score the data again")
        found.append(names)
    return Names(*found)


def _numbers(files: Mapping[str, ScoreFile]) -> list[str]:
    """Names of strips for data that name none: every image is its own."""
    return [str(number) for number in range(1 + max(int(file.strip.max(initial=0)) for file in files.values()))]


def _write(run: str, results: ThresholdResults, settings: Threshold) -> None:
    for name, columns in TABLES.items():
        _write_table(artifacts.thresholds(run) / f"{name}.csv", results.tables.get(name, []), columns)
    for name, columns in PLOTS.items():
        _write_table(artifacts.threshold_plots(run) / f"{name}.csv", results.plots.get(name, []), columns)
    storage.write_json(artifacts.thresholds(run) / "settings.json", settings.model_dump(mode="json"))
    storage.write_json(artifacts.thresholds(run) / "summary.json", results.metrics)
    headline = {name: results.metrics[name] for name in HEADLINE if name in results.metrics}
    storage.write_json(artifacts.threshold_metrics(run), headline)


def _write_table(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    if rows:
        storage.write_csv(path, rows)
    else:
        storage.write_text(path, ",".join(columns) + "\n")
