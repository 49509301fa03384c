"""What a run finds of labelled defects, in the one sentence that a report of such data opens with."""

from collections.abc import Mapping
from typing import Any

from vaelab.comparison.cells import and_more
from vaelab.comparison.charts import printed
from vaelab.comparison.collect import Result
from vaelab.metrics.records import DEFECT_BASELINES

MEASURE = "defect_average_precision"


def finds(result: Result) -> str:
    """Return how many defective patches a run finds at its threshold, in a few words; nothing without labels."""
    total = _labelled(result)
    if total is None or total.get("recall") is None:
        return ""
    return f"finds {_hits(total)} of {total['defect_patches']} defective patches"


def found_defects(result: Result, who: str) -> str:
    """Return what a run, called `who`, finds, its false alarms, and the best baseline; nothing without labels."""
    total = _labelled(result)
    if total is None or not finds(result):
        return ""
    sentence = f"{who} {finds(result)} at its threshold{_alarms(total)}"
    own = result.final.get(MEASURE)
    if own is None:
        return sentence
    title, here = "average precision", printed(MEASURE, own, [result])
    reached = {name: of[MEASURE] for name, of in result.baselines.items() if of.get(MEASURE) is not None}
    best = max(reached, key=lambda name: reached[name], default=None)
    if best is None:
        return f"{sentence}; {title} {here}"
    there = printed(MEASURE, reached[best], [result])
    return f"{sentence}; {title} {here} against {there} of the best baseline, {DEFECT_BASELINES.get(best, best)}"


def never_found(result: Result) -> str:
    """Return the kinds of defects of which a run flags no patch, with their patches; nothing without labels."""
    if _labelled(result) is None:
        return ""
    rows = sorted((result.threshold or {})["defects"], key=lambda row: -row["defects"])
    kinds = [row for row in rows if row["defects"] and row["recall"] == 0]
    if not kinds:
        return f"{result.run.name} finds patches of every kind of defect" if len(rows) > 1 else ""
    listed = and_more([f"{str(row['defect']).replace('_', ' ')} ({row['defects']:.0f} patches)" for row in kinds])
    return f"{result.run.name} never finds {len(kinds)} of {len(rows)} kinds of defects: {listed}"


def about_scores(result: Result) -> str:
    """Return what may find the defects that a run misses, other than training; nothing where it misses none."""
    total = _labelled(result)
    if total is None or not finds(result) or _hits(total) == total["defect_patches"]:
        return ""
    labels = " `threshold.select: val_defects` chooses them by labelled defects of val, where the data have such."
    return (
        f"{result.run.name} no longer gets better on val: longer training will not find what it misses. Score, "
        "aggregation and percentile may, without training: `threshold.scores`, `threshold.aggregation`, "
        f"`threshold.percentile` in params.yaml.{labels * (result.run.threshold.select == 'none')}"
    )


def _labelled(result: Result) -> Mapping[str, Any] | None:
    total: Mapping[str, Any] = (result.threshold or {}).get("summary", {})
    return total if total.get("labelled") and total.get("defect_patches") else None


def _hits(total: Mapping[str, Any]) -> int:
    return round(float(total["recall"]) * int(total["defect_patches"]))


def _alarms(total: Mapping[str, Any]) -> str:
    """The false alarms on held-out normal patches, where there are such."""
    share, normals = total.get("fpr_normal"), total.get("test_normals")
    if share is None or share != share or not normals:
        return ""
    count = round(share * normals)
    return f", with {count} false alarm{'s' * (count != 1)} on {normals} normal ones"
