"""How the score of a run compares with its baselines, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from vaelab.anomaly.preprocessing import COMBINED
from vaelab.comparison.cells import Style, table
from vaelab.comparison.collect import Result
from vaelab.metrics.records import DEFECT_BASELINES


def compared_with_baselines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the best baseline, and whether the run is surely better."""
    scores = {row["score"]: row["average_precision"] for row in found["scores"]}
    baselines = {name: scores[name] for name in DEFECT_BASELINES if name in scores}
    if not baselines:
        return
    best = max(baselines, key=lambda name: baselines[name])
    gains = {row["against"]: row for row in found["differences"] if row["measure"] == "average_precision"}
    against = f": {difference(gains[best])}" if best in gains else ""
    yield f"best baseline {baselines[best]:.3f} ({DEFECT_BASELINES[best]}){against}"


def selected(total: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was chosen by labels, and on how many."""
    if total.get("selected_on_defects"):
        what = f"{total['selected_scores']}, {total['selected_aggregation']} and percentile"
        where = f"{total['selected_on_defects']} labelled patches of val_defects"
        yield f"{what} {total['selected_percentile']:g} were chosen on {where}"


def difference(gain: Mapping[str, float]) -> str:
    """Return a difference in words: better, worse, or none that its interval shows."""
    low, high = gain["low"], gain["high"]
    if low != low or high != high:
        return f"difference {gain['difference']:+.3f}"
    if low > 0:
        return f"better by {gain['difference']:.3f} ({low:.3f} to {high:.3f})"
    if high < 0:
        return f"worse by {-gain['difference']:.3f} ({-high:.3f} to {-low:.3f})"
    return f"no difference that shows ({gain['difference']:+.3f}, {low:+.3f} to {high:+.3f})"


def scores_table(result: Result, style: Style) -> Iterator[str]:
    """Yield average precision by score and aggregation, of the run's own scores, and which are in use."""
    reached, used = (result.threshold or {})["summary"].get("by_aggregation", {}), result.run.threshold
    if not reached:
        return
    alone = len(used.scores) == 1 and used.scores[0] in reached
    scores = [score for score in reached if score != COMBINED or not alone]
    hows = list(dict.fromkeys(how for of in reached.values() for how in of))
    rows = []
    for score in scores:
        mine = score == COMBINED or (alone and score == used.scores[0])
        marks = [" (in use)" * (mine and how == used.aggregation) for how in hows]
        values = [reached[score].get(how, {}).get("average_precision") for how in hows]
        cells = ["" if v is None else f"{v:.3f}{mark}" for v, mark in zip(values, marks, strict=True)]
        rows.append([f"{' + '.join(used.scores)}" if score == COMBINED else score, *cells])
    yield f"{result.run.name}, average precision by score and by how the cells of a patch are aggregated, on test:"
    yield table(rows, ["score", *hows], style)
