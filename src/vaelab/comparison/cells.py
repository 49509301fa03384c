"""How numbers and texts stand in the reports."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from tabulate import tabulate

from vaelab.metrics.definitions import definition
from vaelab.metrics.tables import metric

Style = Literal["text", "markdown", "html"]  # html: Markdown that the page is made of, with links inside of it
COUNTS = {"active_units", "completion_rows", "completion_left_out", "unseen_rows"}
FORMATS = {"text": "simple_outline", "markdown": "pipe", "html": "pipe"}
WIDTH = 118  # characters of a line of plain text
EDGES, HEAD_MARGIN = 3, 2  # of them around the text of a column, and more around its head
LEAST = 8  # of a column that is broken
LISTED = 8  # names in a sentence


def cell(name: str, value: float | None, among: Iterable[float | None] = (), spread: float | None = None) -> str:
    """Return a metric as it is printed, also NaN and inf; nothing where it is missing.

    Args:
        name: of the metric.
        value: of it.
        among: values of the same row, which all get as many decimals as the largest of them.
        spread: how far values are off by chance: two digits of it are as much as the value can bear.
    """
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(float(value)).replace("nan", "NaN")
    if name in COUNTS and float(value).is_integer():
        return str(int(value))
    decimals = places([number for number in among if number is not None] or [value], spread)
    text = f"{round(value, decimals):.{max(0, decimals)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def places(values: Sequence[float], spread: float | None = None) -> int:
    """Return the decimals of values in a row; below 0 where tens are not sure."""
    size = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if not size:
        found = 3
    elif size < 0.1:
        found = 1 - math.floor(math.log10(size))
    else:
        found = 3 if size <= 1 else 2 if size < 10 else 1 if size < 1000 else 0
    if spread is None or not math.isfinite(spread) or spread <= 0:
        return found
    return min(found, 1 - math.floor(math.log10(spread)))


def fact(value: Any) -> str:
    """Return a fact about a run as it is printed."""
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def title(name: str, style: Style) -> str:
    """Return what a metric is, as the cell of a table; on the page a link to what it means."""
    text = metric(name).full_title
    if style == "html" and definition(name):
        return f"[{escaped(text, style)}](#{anchor(name)})"
    return text.replace("|", "\\|") if style != "text" else text


def anchor(name: str) -> str:
    """Return the place on the page that says what a metric means."""
    return f"metric-{re.sub('[^a-z0-9_]', '-', name)}"


def escaped(text: str, style: Style) -> str:
    """Return text of a user as it may stand in a report: in Markdown nothing of it is markup."""
    return text if style == "text" else re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", text)


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style) -> str:
    """Return a table of numbers: all columns but the first are set to the right."""
    return _tabulated(rows, headers, style, stralign="right", colalign=("left",))


def text_table(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style) -> str:
    """Return a table of texts."""
    return _tabulated(rows, headers, style)


def _tabulated(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style, **looks: Any) -> str:
    widths = fitted(rows, headers) if style == "text" and rows else None
    heads = [max(1, width - HEAD_MARGIN) for width in widths] if widths else None
    looks |= {"maxcolwidths": widths, "maxheadercolwidths": heads}
    return tabulate(rows, headers, tablefmt=FORMATS[style], disable_numparse=True, **looks)


def fitted(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> list[int]:
    """Return the widths of the columns of a plain table, the widest ones broken until a line has WIDTH characters."""
    columns = list(zip((f"{head:>{len(head) + HEAD_MARGIN}}" for head in headers), *rows, strict=True))
    least = [max([LEAST, *(len(word) for cell in column[1:] for word in cell.split())]) for column in columns]
    widths = [max(len(cell) for cell in column) or 1 for column in columns]
    while sum(widths) + EDGES * len(widths) + 1 > WIDTH:
        loose = [place for place, width in enumerate(widths) if width > min(least[place], WIDTH // 3)]
        if not loose:
            break
        widths[max(loose, key=lambda place: widths[place])] -= 1
    return widths


def and_more(names: Sequence[str], most: int = LISTED) -> str:
    """Return names in a line, the first of many and the count of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def named(values: Mapping[str, str]) -> str:
    """Return names with their values, in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
