"""How measures are named and printed: as the report does."""

import math
import re

from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, metric

MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~])")
SCORES = {"combined": "anomaly score"}


def title(name: str) -> str:
    """Return title and unit of a measure, or anomaly score; an unknown one keeps its name."""
    try:
        return metric(name).full_title
    except KeyError:
        return SCORES.get(name) or f"anomaly score: {DEFECT_BASELINES.get(name, name.replace('_', ' '))}"


def example_title(name: str) -> str:
    """Return the title of a measure of one example, whose mean over examples may be another metric than its name's."""
    return f"{title(name)} of each grid" if over_grids(name) else title(name)


def over_grids(name: str) -> str | None:
    """Return the metric that is the mean over grids of a measure; None where the measure is no share of a grid."""
    mean = f"grid_{name}"
    return mean if mean in METRICS else None


def known(name: str) -> bool:
    """Return whether a column is a metric that has a record."""
    try:
        metric(name)
    except KeyError:
        return False
    return True


def printed(name: str, value: float | None) -> str:
    """Return a value in a few digits, with dB where that is its unit."""
    if value is None or math.isnan(value):
        return "–"
    unit = metric(name).unit if known(name) else ""
    return f"{digits(value)} dB" if unit == "dB" else digits(value)


def short(name: str) -> str:
    """Return the title of a measure without its unit, to stand before a value that has it."""
    return title(name).partition(",")[0]


def plain(name: object) -> str:
    """Return a name that the user's data have so that Markdown shows it as it is: an image in it would be fetched."""
    return MARKS.sub(r"\\\1", str(name))


def escaped(line: str) -> str:
    """Return a line of the report so that Markdown shows names in it as they are."""
    return line.replace("_", r"\_").replace("$", r"\$").replace("*", r"\*")


def digits(value: float) -> str:
    """Return a number in a few digits."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "−∞" if value < 0 else "∞"
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"
