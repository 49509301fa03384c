"""What a report says of runs whose data have defects: how well each finds them, by which score, and what is missed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from vaelab import artifacts
from vaelab.comparison.cells import Style
from vaelab.comparison.collect import Result
from vaelab.comparison.defect_lead import found_defects, never_found
from vaelab.comparison.defect_tables import defect_tables
from vaelab.comparison.paired import paired_differences
from vaelab.comparison.parts import Part, Picture
from vaelab.comparison.score_choice import compared_with_baselines, difference, scores_table, selected

OFF_NOMINAL = 0.02  # share of normals, by which false alarms may be off the nominal rate
FOUND, BY_KIND = "found_and_missed", "by_defect"
REPORT_PICTURES = {  # pictures that a report has, of those that stage compare draws
    FOUND: "Defects that are found, and that are missed",
    BY_KIND: "Which kinds of defects are found",
    "percentiles": "What the percentile does",
    "all_missed": "All missed defects, by strip",
    "histogram": "Scores of patches",
    "curves": "Defects, over all thresholds",
    "false_alarms": "The first false alarms",
    "strips": "Strips",
}
CURVES = {  # columns of each table of data that `dvc plots` shows, beside the run
    "roc": ("fpr", "tpr"),
    "pr": ("recall", "precision"),
    "percentiles": ("percentile", "precision", "recall", "f1", "fpr_normal", "fpr_clean"),
    "histogram": ("score", "share", "threshold"),
}
FEW_NORMALS = 30  # normals of val, below which the number is worth a word
MANY_CLEAN = 0.2  # share of intact patches of defective strips, above which their alarms are worth a word


def defects(results: Sequence[Result], style: Style = "markdown") -> list[Part]:
    """Return the paragraphs on the runs of one data set that were measured against labelled defects."""
    measured = [result for result in results if result.threshold and result.threshold["summary"]["labelled"]]
    if not measured:
        return []
    counts = _saved(measured[0])["summary"]
    patches = (
        f"{counts['defect_patches']} patches with a defect and {counts['clean_patches']} without on "
        f"{counts['defect_strips']} defective strips, {counts['test_normals']} patches of {counts['normal_strips']} "
        "normal strips. Thresholds are fitted to normals of val; intervals are 95 %, by strip."
    )
    lines = [f"- {result.run.name}: {text}." for result in measured for text in _sentences(result)]
    parts: list[Part] = [patches, "\n".join(lines), *_compared_with_the_best(measured)]
    for result in measured:
        parts += [*scores_table(result, style), *defect_tables(result, style)]
    return parts


def _saved(result: Result) -> Mapping[str, Any]:
    return result.threshold or {}


def _compared_with_the_best(measured: Sequence[Result]) -> Iterator[str]:
    """How much worse than the best one that nothing breaks the other runs are, on the same patches."""
    healthy = [result for result in measured if not result.broken]
    if len(measured) < 2 or not healthy:
        return
    best = max(healthy, key=lambda result: _saved(result)["summary"]["average_precision"])
    others = sorted(measured, key=lambda result: -_saved(result)["summary"]["average_precision"])
    others.remove(best)
    lines = []
    for other in others:
        settings = best.run.threshold
        rows = paired_differences(other.run.name, best.run.name, settings.bootstrap, settings.seed)
        row = next(row for row in rows if row["measure"] == "average_precision")
        collapsed = " (collapsed)" if other.broken else ""
        lines.append(f"- {other.run.name}{collapsed}: {difference(row)}.")
    among = ", of the runs that no finding breaks" if len(healthy) < len(measured) else ""
    yield f"Average precision against {best.run.name}, which has the highest{among}; paired by strip:"
    yield "\n".join(lines)


def _sentences(result: Result) -> Iterator[str]:
    found = _saved(result)
    total = found["summary"]
    low, high = (total.get(f"average_precision_{side}") for side in ("low", "high"))
    interval = "–" if low is None else f"{low:.2f} to {high:.2f}"
    precision, auc = (_number(total[name]) for name in ("average_precision", "roc_auc"))
    yield f"average precision {precision} ({interval}), ROC AUC {auc}, {_beside(total)}"
    yield from selected(total)
    yield from compared_with_baselines(found)
    yield from _false_alarms(result)


def _beside(total: Mapping[str, Any]) -> str:
    """What average precision and ROC AUC are read with."""
    chance = total["defect_patches"] / (total["defect_patches"] + total["clean_patches"] + total["test_normals"])
    best, recall = _number(total.get("f1_max")), _number(total.get("recall"))
    return f"F1 {best} at the best threshold, recall {recall} at its own (chance: average precision {chance:.3f})"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _false_alarms(result: Result) -> Iterator[str]:
    total, settings = _saved(result)["summary"], result.run.threshold
    normal, nominal, clean = total["fpr_normal"], total["fpr_nominal"], total["fpr_clean"]
    by_strips = settings.method == "percentile" and settings.percentile_by == "strips"
    if total["val_normals"] < FEW_NORMALS:
        yield f"the threshold rests on {total['val_normals']} normals of val"
    if settings.method == "percentile" and nominal * total["val_normals"] < 1:
        text = f"{total['val_normals']} normals of val say nothing of percentile {settings.percentile:g}"
        yield f"{text}: the threshold is about the largest of them"
    if by_strips and "fpr_left_out" not in total:
        yield "no group has a second strip in val, so that threshold.percentile_by: strips corrects nothing"
    elif by_strips and (alone := total["val_normals"] - total["val_normals_left_out"]):
        yield f"{alone} of {total['val_normals']} normals of val are of groups with one strip there: not corrected for"
    if total.get("fpr_left_out", 0) > nominal + OFF_NOMINAL:
        share = f"{total['fpr_left_out']:.1%} of left-out normals of val"
        yield f"{share} score above all others: {nominal:.1%} cannot be promised without more normal strips in val"
    if normal is not None and abs(normal - nominal) > OFF_NOMINAL:
        correctable = normal > nominal and settings.method == "percentile" and settings.percentile_by == "patches"
        advice = " (threshold.percentile_by: strips corrects for patches that are alike)" if correctable else ""
        yield f"{normal:.1%} of held-out normals are flagged, where {nominal:.1%} was asked for{advice}"
    if clean is not None and clean > MANY_CLEAN:
        yield f"{clean:.0%} of the intact patches of defective strips are flagged"


def shown_defects(results: Sequence[Result], prefix: str = "", first: str | None = None) -> dict[str, Picture]:
    """Return by name what a report shows of defects.

    Of the run that finds them best of those that nothing breaks; what is found and missed of the run `first`.
    """
    healthy = [result for result in results if not result.broken] or results
    measured = [result for result in healthy if result.final.get("defect_average_precision") is not None]
    if not measured:
        return {}
    best = max(measured, key=lambda result: float(result.final["defect_average_precision"]))
    recommended = next((result for result in measured if result.run.name == first), best)
    shown = {}
    for name, title in REPORT_PICTURES.items():
        of = recommended if name == FOUND else best
        path = artifacts.COMPARISON_DEFECTS / of.run.name / f"{name}.png"
        if path.exists():
            shown[f"{prefix}{name}"] = Picture(f"{title}: {of.run.name}", path, _seen(name, title, of))
    return shown


def _seen(name: str, title: str, result: Result) -> str:
    """What is seen on a picture of defects."""
    total = _saved(result)["summary"]
    precision, auc, recall = (_number(total.get(key)) for key in ("average_precision", "roc_auc", "recall"))
    told = {
        BY_KIND: f"Bars of ROC AUC and of recall for each kind of defect; {never_found(result) or 'one kind'}.",
        FOUND: f"{found_defects(result, result.run.name)}. Rows of patches that are found, missed and false alarms, "
        "each with its reconstruction and its score map over it; the masks of defects outlined in cyan.",
        "percentiles": f"Lines of precision, recall, F1 and false alarms over percentiles; recall {recall} as in use.",
        "all_missed": "Patches with their reconstruction and score map, the mask of the defect outlined in cyan.",
        "histogram": f"Histograms of the scores of normals and of defects overlap: ROC AUC {auc}, threshold as a line.",
        "curves": f"ROC of area {auc} and precision over recall of area {precision}, with those of the baselines.",
        "false_alarms": "Patches without a mask that score highest, with error maps and score maps.",
        "strips": "Whole strips with score maps, masks outlined in cyan and flagged patches in white.",
    }
    return told[name] if name == FOUND else f"{title}: {result.run.name}. {told[name]}"


def defect_curves(results: Sequence[Result]) -> dict[str, str]:
    """Return the curves of all runs as tables in CSV, for `dvc plots`: roc, pr, percentiles and histogram."""
    tables: dict[str, str] = {}
    for name, columns in CURVES.items():
        parts = [pd.DataFrame(columns=["run", *columns])]
        for result in results:
            if result.threshold is None:
                continue
            found = pd.read_csv(artifacts.threshold_plots(result.run.name) / f"{name}.csv")
            if name in ("roc", "pr"):
                found = found[found["score"] == "combined"]
            run = result.run.name if "pool" not in found else result.run.name + ", " + found["pool"]
            parts.append(found.assign(run=run)[["run", *columns]])
        table = pd.concat(parts[1:] or parts, ignore_index=True)
        tables[name] = table.to_csv(index=False, lineterminator="\n", float_format="%.7g")
    return tables
