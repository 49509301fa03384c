"""The tables of a run that looks for defects, folded: what each percentile gives, and which defects are missed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vaelab import artifacts
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.comparison.cells import Style, table, text_table
from vaelab.comparison.collect import Result
from vaelab.comparison.parts import Fold, Part

MOST_MISSED = 60  # that are listed


def defect_tables(result: Result, style: Style) -> list[Part]:
    """Return the percentile sweep, and the defects that are not flagged, by strip."""
    return [*_folded(_sweep(result, style)), *_folded(_missed(result, style))]


def _folded(paragraphs: Iterator[str]) -> list[Part]:
    """The first as a title, and what follows below it."""
    title, *rest = [*paragraphs, ""]
    return [Fold(title, rest[:-1])] if rest[:-1] else [title] if title else []


def _sweep(result: Result, style: Style) -> Iterator[str]:
    """What each percentile of the normals of val would give."""
    rows = pd.read_csv(artifacts.threshold_plots(result.run.name) / "percentiles.csv")
    if rows.empty:
        return
    used = result.run.threshold
    asked = used.percentile if used.method == "percentile" else None
    names = {"precision": "precision", "recall": "recall", "f1": "F1", "fpr_normal": "normals flagged"}
    names |= {"fpr_clean": "intact patches flagged"} if rows["fpr_clean"].notna().any() else {}
    cells = [
        [f"{row['percentile']:g}{' (in use)' * (row['percentile'] == asked)}", *(_share(row[name]) for name in names)]
        for row in rows.to_dict("records")
    ]
    yield f"{result.run.name}, by the percentile of the normals of val that is the threshold (threshold.percentile)"
    yield table(cells, ["percentile", *names.values()], style)


def _missed(result: Result, style: Style) -> Iterator[str]:
    """The defects that are not flagged, by strip."""
    rows = pd.read_csv(artifacts.thresholds(result.run.name) / "examples.csv")
    normals = rows.loc[rows["phase"] == "val", COMBINED].to_numpy()
    labelled = rows[(rows["phase"] == "defects") & (rows["label"] == 1)]
    missed = labelled[labelled["flagged"] == 0].sort_values(["strip", "left", "top"])
    if missed.empty:
        yield f"{result.run.name} misses none of {len(labelled)} patches with a defect."
        return
    yield f"{result.run.name} misses {len(missed)} of {len(labelled)} patches with a defect"
    cells = [
        [str(row["strip"]), f"{row['left']} px", str(row["group"]), str(row["defect"]).replace("_", " "),
         f"{row[COMBINED]:.2f}", f"{np.mean(normals <= row[COMBINED]):.0%}"]
        for row in missed.head(MOST_MISSED).to_dict("records")
    ]  # fmt: skip
    heads = ["strip", "left", "group", "defect", "score", "normals of val below"]
    yield text_table(cells, heads, style)
    if len(missed) > MOST_MISSED:
        yield f"{len(missed) - MOST_MISSED} more are in {artifacts.thresholds(result.run.name) / 'examples.csv'}."


def _share(value: float) -> str:
    return "" if value != value else f"{value:.3f}"
