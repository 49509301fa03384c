"""Page Defects: normals and defects by their score, a threshold to drag, what it is worth, and what it misses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vaelab import artifacts
from vaelab.anomaly.patch_measures import AT_THRESHOLD
from vaelab.comparison.score_choice import compared_with_baselines
from vaelab.dashboard import all_runs, cut, missing, patches, project, reading, score_maps, threshold_chart
from vaelab.dashboard.cut import Scored, Worth
from vaelab.dashboard.numbers import printed, title
from vaelab.errors import InputError

NEEDED = ("phase", "id", "strip", "group", "label", "defect", "combined")  # columns
MOST_NAMES, A_ROW = 12, 3
TITLES = {
    "precision": "Precision", "recall": "Recall", "f1": "F1",
    "fpr_normal": "False alarms, normals", "fpr_clean": "False alarms, clean",
}  # fmt: skip


def page(run: str) -> None:
    """Show what a threshold of a run's anomaly scores is worth."""
    folder = artifacts.thresholds(run)
    if not (folder / "summary.json").is_file():
        missing.say("threshold", run)
        return
    summary = reading.record(folder / "summary.json")
    if not summary.get("scored"):
        st.info(
            f"Run **{run}** has no anomaly scores: its data have no defects, or `evaluate.scores` names none. "
            f"{_with_scores()}"
        )
        return
    table, settings = reading.table(folder / "examples.csv", *NEEDED), reading.record(folder / "settings.json")
    columns = list(table.columns)
    scores = columns[columns.index("combined") :]
    score = str(st.selectbox("Score", scores, format_func=lambda n: _named(n, settings), key=f"score_{run}"))
    found = cut.scored(table, score)
    if found.left_out:
        st.warning(
            f"{found.left_out:,} patches are left out: their score is no finite number in {folder}/examples.csv."
        )
    if not len(found.scores):
        st.info("No patch of test or of defects has this score: there is nothing to measure.")
        return
    own = _of_stage(folder / "scores.csv", score)
    _headline(found, own, run)
    threshold = threshold_chart.choose(
        f"{run}_{score}", cut.pools(found), float(own["threshold"]), score_maps.label(run, score, "patch")
    )
    now = cut.worth(found, threshold)
    _numbers(found, now, own)
    threshold_chart.params(run, score, found, threshold, settings)
    missing.in_words(patches.show)(run, score, found, now)


def _of_stage(path: Path, score: str) -> Mapping[Any, Any]:
    """What stage threshold found of a score."""
    listed = reading.table(path, "score", "threshold", *AT_THRESHOLD, "average_precision", "roc_auc")
    rows = listed[listed["score"] == score].to_dict("records")
    if not rows or not np.isfinite(rows[0]["threshold"]):
        raise InputError(f"{path}: has no threshold of {score}; delete it, and `dvc repro` makes it")
    return rows[0]


def _with_scores() -> str:
    others = all_runs.scored()
    more = f" and {len(others) - MOST_NAMES} more" * (len(others) > MOST_NAMES)
    return f"Runs that have: {', '.join(others[:MOST_NAMES])}{more}." if others else ""


def _named(name: str, settings: dict[str, object]) -> str:
    used = settings.get("scores") or []
    return f"combined: what the threshold is of ({', '.join(used)})" if name == "combined" else title(name)  # type: ignore[arg-type]


def _headline(found: Scored, own: Mapping[Any, Any], run: str) -> None:
    """How well the score tells defects, whatever the threshold, beside its best baseline."""
    if not found.patches.label.any():
        st.subheader("No label is known: only the share of flagged normals can be measured")
        return
    said = f"Average precision {own['average_precision']:.3f}, ROC AUC {own['roc_auc']:.3f}"
    st.subheader(f"{said}; chance {found.patches.label.mean():.3f} and 0.5")
    result = project.result(run)
    if result is not None and result.threshold is not None:
        for text in compared_with_baselines(result.threshold):
            st.markdown(f"Of the run's own combined score: {text}.")


def _numbers(found: Scored, now: Worth, own: Mapping[Any, Any]) -> None:
    """What the threshold is worth, and how that differs from the one that stage threshold found."""
    shown = [name for name in AT_THRESHOLD if not np.isnan(now.measures[name])]
    defects = int(found.patches.label.sum())
    cells = [cell for _ in range(-(-(len(shown) + 1) // A_ROW)) for cell in st.columns(A_ROW)]
    for cell, name in zip(cells, shown, strict=False):
        value, change = now.measures[name], now.measures[name] - float(own[name])
        lower = name.startswith("fpr")
        cell.metric(
            TITLES[name], _flagged(value, found, name) if lower else f"{value:.3f}",
            f"{change:+.3f}" if abs(change) > 5e-4 else None, delta_color="inverse" if lower else "normal",
        )  # fmt: skip
    cells[len(shown)].metric("Missed defects", f"{len(now.missed):,} of {defects:,}")
    st.caption(f"Changes are against the threshold that stage threshold found, {printed('', float(own['threshold']))}.")


def _flagged(share: float, found: Scored, name: str) -> str:
    """How many are flagged of the normals of test, or of the clean patches of defective strips."""
    label, normal = found.patches.label, found.patches.normal
    count = int((~label & (normal if name == "fpr_normal" else ~normal)).sum())
    return f"{round(share * count):,} of {count:,} ({share:.1%})"
