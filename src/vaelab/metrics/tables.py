"""The tables that reports, comparisons and params read, each made of the records of the metrics. Free of torch."""

from typing import NamedTuple

from vaelab.metrics.directions import VALIDATION, Direction
from vaelab.metrics.directions import improves as improves_in
from vaelab.metrics.nested import HELD_OUT, SAMPLED, UNSEEN
from vaelab.metrics.records import DEFECTS, NEW_ROWS, ONE_DRAW, RECORDS, Column, Metric

ALONE = {SAMPLED: (ONE_DRAW, "with one drawn z"), UNSEEN: (NEW_ROWS, "of new rows")}  # group, and what a title adds

DEFECT_MEASURES = tuple(
    metric.name.removeprefix("defect_") for metric in RECORDS[DEFECTS]
)  # as stage threshold has them

METRICS: dict[str, Metric] = {
    metric.name: metric._replace(group=group) for group, metrics in RECORDS.items() for metric in metrics
}


class KindTables(NamedTuple):
    """Names of metrics of one kind of data, for each place where some are listed."""

    history: tuple[str, ...]  # columns of history.csv
    headline: tuple[str, ...]  # `dvc metrics show`
    shown: tuple[str, ...]  # rows of the report
    groups: dict[str, tuple[str, ...]]  # by which the report says what is best
    columns: tuple[str, ...]  # of comparison.csv, first; the other metrics follow
    selection: tuple[str, ...]  # what may select checkpoints and rank runs; the first ranks by default
    example_score: str  # what stands beside a reconstruction


def _tables(kind: str) -> KindTables:
    """The tables of a kind of data."""
    found = list(METRICS.values())
    groups: dict[str, tuple[str, ...]] = {}
    for metric in found:
        if metric.holds(metric.ranked, kind):
            groups[metric.group] = (*groups.get(metric.group, ()), metric.name)
    return KindTables(
        history=tuple(VALIDATION[kind].history),
        headline=VALIDATION[kind].headline,
        shown=tuple(metric.name for metric in found if metric.holds(metric.shown, kind)),
        groups=groups,
        columns=_columns(kind),
        selection=tuple(metric.name for metric in found if metric.holds(metric.selectable, kind)),
        example_score=VALIDATION[kind].example_score,
    )


def _columns(kind: str) -> tuple[str, ...]:
    placed = [
        (metric.column.place, column(metric.name))
        for metric in METRICS.values()
        if metric.column is not None and metric.holds(metric.column.kinds, kind)
    ]
    return tuple(name for _, name in sorted(placed))


def metric(name: str) -> Metric:
    """Return how a metric is read: one of METRICS, or one of a class, of a length k, of a group (psnr_group_<name>).

    Or one of these with a drawn z (sampled_<name>), or of rows that training has not seen (unseen_<name>).
    """
    if name in METRICS:
        return METRICS[name]
    for prefix, (group, added) in ALONE.items():
        if name.startswith(f"{prefix}_"):
            plain = metric(name.removeprefix(f"{prefix}_"))
            return plain._replace(name=name, title=f"{plain.title} {added}", group=group)
    if name.startswith("completion_"):
        plain = metric(name.removeprefix("completion_"))
        return plain._replace(name=name, title=f"completion: {plain.title} of hidden tags", group="completion")
    if name.startswith(("recall_at_", "ndcg_at_")):
        what, _, k = name.rpartition("_at_")
        return METRICS["recall_at_10"]._replace(name=name, title=f"{'NDCG' if what == 'ndcg' else what}@{k}")
    if name.startswith("recall_"):
        return Metric(name, f"recall of class {name.removeprefix('recall_')}", "", "higher", ("grid",))
    return METRICS[name.split("_group_")[0]]


def better(name: str) -> Direction:
    """Return which way a metric is better."""
    return metric(name).direction


def column(name: str) -> str:
    """Return the column of comparison.csv that holds a metric."""
    place: Column | None = METRICS[name].column if name in METRICS else None
    return name if place is None or place.name is None else place.name


def held_out(name: str) -> str:
    """Return the metric that holds what held-out data reach on a metric of samples: real_recall of sample_recall."""
    alone = HELD_OUT + name.removeprefix("sample_")
    return alone if alone in METRICS else HELD_OUT + name


def cost(name: str, value: float | None, real: float | None = None) -> float | None:
    """Return a number that is smaller for a better value; None where nothing is better, or a number is missing.

    Args:
        name: of the metric.
        value: of a run.
        real: what held-out data reach, for metrics that are best close to it.
    """
    way = better(name)
    if value is None or value != value or way == "none":
        return None
    if way == "closest":
        return None if real is None or real != real else abs(value - real)
    return -value if way == "higher" else value


def direction_text(name: str, real: str = "") -> str:
    """Return in words which way a metric is better; `real`: what held-out data reach, as it is printed."""
    return {
        "higher": "higher",
        "lower": "lower",
        "closest": f"closest to held-out data ({real or 'not measured'})",
        "none": "no preferred direction",
    }[better(name)]


def ranking_metric(asked: str, kind: str) -> str:
    """Return the metric that ranks runs on a kind of data: the one asked for, or the kind's first where it has none."""
    known = TABLES[kind].selection
    return asked if asked in known else known[0]


def improves(name: str, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Return whether a value of a metric beats `best` by more than `min_delta`, in the metric's own direction."""
    return improves_in(better(name), value, best, min_delta)


TABLES: dict[str, KindTables] = {kind: _tables(kind) for kind in VALIDATION}
