"""Scores of plants as tables and as a figure of recall against strength."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plant_scores import (
    Diagnoses,
    Expected,
    Series,
    confusion_of,
    curve_of,
    recalls_of,
    runs_table,
    scores_of,
    series_of,
    shares_of,
)
from tabulate import tabulate

from vaelab import storage

COLUMNS, BLUE = 4, "tab:blue"  # of panels; of dots


def write(
    place: Path, title: str, expected: Expected, diagnosed: Diagnoses, plan: Mapping[str, Any], command: str
) -> None:
    """Write the tables to `place`.md, all numbers to `place`.json and, where there are strengths, `place`.svg."""
    series = series_of(expected, diagnosed, plan.get("strength", {}), plan.get("dials", {}))
    picture = f"![Recall against strength]({place.name}.svg)\n\n" if series else ""
    text = report(expected, diagnosed, series)
    storage.write_text(place.with_suffix(".md"), f"# {title}\n\nWritten by `{command}`.\n\n{picture}{text}\n")
    curve = {"strength": {name: share._asdict() for name, share in curve_of(series)}} if series else {}
    storage.write_json(place.with_suffix(".json"), scores_of(expected, diagnosed) | curve)
    if series:
        _figure(series, place.with_suffix(".svg"))


def report(expected: Expected, diagnosed: Diagnoses, series: Sequence[Series]) -> str:
    """Return all tables: sums, recall by cause and by strength, confusion, and a line for each run."""
    sums = [[name, share.told()] for name, share in shares_of(expected, diagnosed).items() if share.of]
    recalls = recalls_of(expected, diagnosed).items()
    by_cause = [[f"`{cause}`", own.told(), wrong.told()] for cause, (own, wrong) in recalls]
    curve = [[name, share.told()] for name, share in curve_of(series)] if series else []
    by_series = [[f"`{one.cause}`", one.dial, _values(one)] for one in series]
    confusion = [[*pair, count] for pair, count in sorted(confusion_of(expected, diagnosed).items())]
    tables = {
        "In all (Wilson's 95 % interval)": (sums, ["", "runs"]),
        "By cause": (by_cause, ["planted", "named", "other runs accused of it"]),
        "By strength: quarters of all series": (curve, ["", "root named"]),
        "By strength: the least ill value first, bold where the root is named": (
            by_series,
            ["cause", "dial", "values"],
        ),
        "Planted against found": (confusion, ["planted", "found", "runs"]),
    }
    parts = [f"## {title}\n\n{tabulate(*table, tablefmt='github')}" for title, table in tables.items() if table[0]]
    return "\n\n".join([*parts, f"## By run\n\n{runs_table(expected, diagnosed)}"])


def _values(series: Series) -> str:
    return ", ".join(f"**{point.strength:g}**" if point.named else f"{point.strength:g}" for point in series.points)


def _figure(series: Sequence[Series], path: Path) -> None:
    """Recall of all by how ill a run is, then a panel for each cause: filled where its root is named."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "plants"  # the same numbers make the same file
    by_cause: dict[str, list[Series]] = {}
    for one in series:
        by_cause.setdefault(one.cause, []).append(one)
    rows = -(-(1 + len(by_cause)) // COLUMNS)
    figure = Figure(figsize=(3.2 * COLUMNS, 2.1 * rows + 0.5), layout="constrained")
    _curve(figure.add_subplot(rows, COLUMNS, 1), series)
    for place, (cause, of_it) in enumerate(by_cause.items(), 2):
        _panel(figure.add_subplot(rows, COLUMNS, place), cause, of_it)
    _legend(figure)
    figure.savefig(path, metadata={"Date": None})


def _legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    said = {"full": "root named", "none": "root missed"}
    dots = [Line2D([], [], marker="o", ls="", color=BLUE, fillstyle=fill, label=text) for fill, text in said.items()]
    title = "A dot is a run, the least ill at the left, with the value of its dial. Bars: Wilson's 95 % interval."
    figure.legend(handles=dots, loc="outside lower center", ncols=2, title=title, fontsize=9, title_fontsize=9)


def _curve(axes: Any, series: Sequence[Series]) -> None:
    names, shares = zip(*curve_of(series), strict=True)
    heights = [share.count / max(share.of, 1) for share in shares]
    ends = zip(*(share.interval for share in shares), strict=True)
    errors = [[abs(height - end) for height, end in zip(heights, side, strict=True)] for side in ends]
    axes.errorbar(names, heights, errors, marker="o", capsize=3)
    axes.set_ylim(0, 1.05)
    axes.set_title("recall, all causes", fontsize=9)
    axes.tick_params(labelsize=7)


def _panel(axes: Any, cause: str, series: Sequence[Series]) -> None:
    """A line for each series from the least to the most ill run, the value of its dial under each."""
    axes.set_title(cause, fontsize=9)
    near = {"textcoords": "offset points"}
    for height, one in enumerate(series):
        axes.plot([0, 1], [height, height], "-", color="0.8", zorder=1)
        for place, point in enumerate(one.points):
            at = place / max(len(one.points) - 1, 1), height
            axes.plot(*at, "o", color=BLUE, markersize=5, fillstyle="full" if point.named else "none", zorder=2)
            axes.annotate(f"{point.strength:g}", at, (0, -4), fontsize=6, ha="center", va="top", **near)
        axes.annotate(one.dial, (0, height), (-3, 5), fontsize=7, **near)
    axes.set(xlim=(-0.1, 1.1), ylim=(-0.6, len(series) - 0.3), xticks=[], yticks=[])
