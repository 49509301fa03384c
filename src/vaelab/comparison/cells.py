"""How numbers and texts stand in the reports."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from tabulate import tabulate

from vaelab.metrics.tables import metric

Style = Literal["text", "markdown"]
COUNTS = {"active_units", "completion_rows", "completion_left_out", "unseen_rows"}
FORMATS = {"text": "simple_outline", "markdown": "pipe"}
UNDERLINES = "=-~"  # of plain headings, by level


class Heading(NamedTuple):
    """A heading of a report."""

    level: int  # 1: of the whole
    text: str


class Command(NamedTuple):
    """A command to copy."""

    text: str


class Picture(NamedTuple):
    """A picture, which plain text leaves out."""

    title: str
    path: Path  # relative to the report


Part = str | Heading | Command | Picture  # of a report; a text is a paragraph


def rendered(parts: Iterable[Part], style: Style) -> str:
    """Return a report of these parts."""
    return "\n\n".join(filter(None, (_rendered(part, style) for part in parts))) + "\n"


def _rendered(part: Part, style: Style) -> str:
    markdown = style == "markdown"
    if isinstance(part, Heading):
        line = UNDERLINES[part.level - 1] * len(part.text)
        return f"{'#' * part.level} {part.text}" if markdown else f"{part.text}\n{line}"
    if isinstance(part, Command):
        return f"```\n{part.text}\n```" if markdown else f"  {part.text}"
    if isinstance(part, Picture):
        return f"![{part.title}]({quote(part.path.as_posix())})" if markdown else ""
    return part


def cell(name: str, value: float | None) -> str:
    """Return a metric as it is printed; nothing where it is missing."""
    if value is None or value != value:
        return ""
    if name in COUNTS and float(value).is_integer():
        return str(int(value))
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def fact(value: Any) -> str:
    """Return a fact about a run as it is printed."""
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def title(name: str, style: Style) -> str:
    """Return what a metric is, as the cell of a table."""
    text = metric(name).full_title
    return text.replace("|", "\\|") if style == "markdown" else text


def escaped(text: str, style: Style) -> str:
    """Return text of a user as it may stand in a report: in Markdown nothing of it is markup."""
    return re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", text) if style == "markdown" else text


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style) -> str:
    """Return a table of numbers: all columns but the first are set to the right."""
    return tabulate(rows, headers, tablefmt=FORMATS[style], disable_numparse=True, stralign="right", colalign=("left",))


def text_table(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style, width: int | None = None) -> str:
    """Return a table of texts; in plain text their lines break at `width`."""
    widest = width if style == "text" else None
    return tabulate(rows, headers, tablefmt=FORMATS[style], disable_numparse=True, maxcolwidths=widest)


def named(values: Mapping[str, str]) -> str:
    """Return names with their values, in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
