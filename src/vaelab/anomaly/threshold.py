"""Stage threshold: from saved score maps to a threshold, its measures, tables and curves. Needs no network.

data/thresholds/<run>/: `examples` and `flagged` (patches), `scores` (every saved score alone, and what they make
together), `groups`, `defects`, `differences` (of that against every score alone), `aggregations` (what it reaches under
each), `summary.json` and the `settings.json` that it was found with. plots/threshold/<run>/: `roc`, `pr`, `histogram`
and `percentiles`. All are always there; what does not apply has no rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab import artifacts
from vaelab.anomaly.measures import RANKING
from vaelab.anomaly.patch_table import PLACE
from vaelab.anomaly.report import COUNTS, MEASURED, Row
from vaelab.anomaly.score_files import Scored, read_phases
from vaelab.anomaly.threshold_results import Names, Outcome, find
from vaelab.data.format.prepared import read_meta, split_files
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

TABLES = {  # columns where there are no rows
    "examples": PLACE,
    "flagged": PLACE,
    "scores": ("score", *MEASURED),
    "groups": ("group", "val_normals", "group_threshold", *COUNTS, *MEASURED),
    "defects": ("defect", *COUNTS, *MEASURED),
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
NO_SCORES = Outcome({"scored": False}, {}, {})


def threshold_run(run: str, data: str, settings: Threshold) -> None:
    """Write the threshold of a run and what it is worth; of a run without score maps, that it has none.

    Args:
        run: its name.
        data: name of its data set.
        settings: how scores become a threshold.

    Raises:
        InputError: a file or an option is wrong; nothing is written then.
    """
    phases, outcome = read_phases(artifacts.scores(run)), NO_SCORES
    if phases:
        folder = artifacts.prepared(data)
        outcome = find(phases, _names(folder, phases), split_files(folder, "defects"), settings)
    for name, columns in TABLES.items():
        _write_table(artifacts.thresholds(run) / f"{name}.csv", outcome.tables.get(name, []), columns)
    for name, columns in PLOTS.items():
        _write_table(artifacts.threshold_plots(run) / f"{name}.csv", outcome.plots.get(name, []), columns)
    artifacts.write_json(artifacts.thresholds(run) / "settings.json", settings.model_dump(mode="json"))
    artifacts.write_json(artifacts.thresholds(run) / "summary.json", outcome.metrics)
    headline = {name: outcome.metrics[name] for name in HEADLINE if name in outcome.metrics}
    artifacts.write_json(artifacts.threshold_metrics(run), headline)


def _names(folder: Path, phases: Mapping[str, Scored]) -> Names:
    """Names of groups, strips and defects, checked against the numbers that occur."""
    meta = {"strip_names": _numbers(phases), "defect_names": ["none"], **read_meta(folder)}
    found = []
    for field, key in (("group", "groups"), ("strip", "strip_names"), ("defect", "defect_names")):
        names = meta.get(key)
        if not isinstance(names, list):
            raise InputError(f"{folder / 'meta.json'}: has no {key}; prepare the data again")
        for scored in phases.values():
            numbers = getattr(scored, field)
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names):
                text = f"{field} {numbers.min()} to {numbers.max()}, and {folder / 'meta.json'} has {len(names)} {key}"
                raise InputError(f"{scored.path}: {text}; score the data again")
        found.append(names)
    return Names(*found)


def _numbers(phases: Mapping[str, Scored]) -> list[str]:
    """Names of strips for data that name none: every image is its own."""
    return [str(number) for number in range(1 + max(int(scored.strip.max(initial=0)) for scored in phases.values()))]


def _write_table(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    if rows:
        artifacts.write_csv(path, rows)
    else:
        artifacts.write_text(path, ",".join(columns) + "\n")
