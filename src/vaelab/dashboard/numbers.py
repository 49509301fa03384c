"""How measures are named and printed: as the report does."""

import math
import re

from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.metrics.tables import metric

MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~])")
SCORES = {"combined": "anomaly score, combined"}


def title(name: str) -> str:
    """Return title and unit of a measure, or anomaly score; an unknown one keeps its name."""
    try:
        return metric(name).full_title
    except KeyError:
        return SCORES.get(name) or f"anomaly score: {DEFECT_BASELINES.get(name, name.replace('_', ' '))}"


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


def digits(value: float) -> str:
    """Return a number in a few digits."""
    if math.isnan(value):
        return "–"
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"
