"""What training did to the start of a run, by its curve on val: whether it is better than that, and rises still."""

import pandas as pd

from vaelab.comparison.charts import apart
from vaelab.comparison.collect import Result
from vaelab.metrics.tables import METRICS, better, improves, metric

LAST = 0.2  # share of the epochs, in which a curve that rises still must have got better


def below_start(result: Result, name: str) -> str:
    """Return how far the kept weights are behind epoch 0 on val, as a part of a sentence; or nothing."""
    curve = _curve(result, name)
    kept: int = result.metrics["run"].get("best_epoch", -1)
    if not {0, kept} <= set(curve.index) or not improves(name, curve[0], curve[kept]):
        return ""
    least, behind = apart(name, curve), abs(curve[0] - curve[kept])
    if behind < least / 10:  # curves are of one split and one start: a tenth of what is due to other data
        return ""
    unit = f" {metric(name).unit}".rstrip()
    return f"{METRICS[name].title} on val is {behind:.2g}{unit} worse than at its start, before training"


def still_rises(result: Result, name: str) -> bool | None:
    """Return whether the last epochs made the metric on val better by more than its digits; None: no curve is known."""
    curve = _curve(result, name)
    if len(curve) < 2 or better(name) not in ("higher", "lower"):
        return None
    last, before = curve.iloc[-1], curve.iloc[-1 - max(1, round(LAST * (len(curve) - 1)))]
    return bool(improves(name, last, before) and abs(last - before) >= apart(name, curve))


def _curve(result: Result, name: str) -> "pd.Series[float]":
    """The metric on val by epoch; empty where it was not saved."""
    history = result.history
    if history is None or not {"epoch", "phase", name} <= set(history):
        return pd.Series(dtype=float)
    rows = history[history["phase"] == "val"].dropna(subset=[name])
    return pd.Series(rows[name].to_numpy(float), rows["epoch"].to_numpy(int))
