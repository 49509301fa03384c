"""What a report is made of, and how that reads as plain text and as Markdown; the page is in `html`."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from vaelab.comparison.cells import WIDTH, Style, escaped, table

UNDERLINES = "=-~."  # of plain headings, by level
Kind = Literal["chosen", "run", "baseline"]  # of a bar
TABLE = "┌"  # what a plain table begins with


class Heading(NamedTuple):
    """A heading of a report."""

    level: int  # 1: of the whole
    text: str
    short: str = ""  # in the table of contents; the text itself where there is none


class Lead(NamedTuple):
    """The sentence that matters."""

    text: str


class Verdict(NamedTuple):
    """What is to be said of a data set in a few words; a link to it."""

    data: str
    text: str


class Verdicts(NamedTuple):
    """The first lines of a report."""

    entries: Sequence[Verdict]


class Command(NamedTuple):
    """A command to copy."""

    text: str


class Picture(NamedTuple):
    """A picture; plain text says what is seen on it."""

    title: str
    path: Path  # relative to the report
    alt: str = ""  # what is seen; the title where there is none

    @property
    def seen(self) -> str:
        """What is seen."""
        return self.alt or self.title


class Health(NamedTuple):
    """How runs are, in a line each: True healthy, False ill, None not known."""

    lines: Sequence[tuple[bool | None, str]]


class Bar(NamedTuple):
    """A number beside others of its metric."""

    label: str
    value: float
    text: str  # the value as it is printed
    kind: Kind
    best: bool = False


class Chart(NamedTuple):
    """Runs and baselines by one metric."""

    title: str
    note: str  # which way is better
    bars: Sequence[Bar]


class Charts(NamedTuple):
    """Charts side by side."""

    charts: Sequence[Chart]


class Fold(NamedTuple):
    """Parts that are shown on request."""

    title: str
    parts: Sequence["Part"]


class Definition(NamedTuple):
    """What a metric means, where links lead to."""

    anchor: str
    title: str
    text: str


class Definitions(NamedTuple):
    """Of all metrics that the report shows."""

    entries: Sequence[Definition]


Part = (  # a text is a paragraph
    str | Heading | Lead | Verdicts | Command | Picture | Health | Charts | Fold | Definitions
)


def rendered(parts: Iterable[Part], style: Style) -> str:
    """Return a report of these parts as plain text or as Markdown."""
    write = _markdown if style == "markdown" else _plain
    return "\n\n".join(filter(None, (text for part in parts for text in write(part)))) + "\n"


def _markdown(part: Part) -> Iterator[str]:
    match part:
        case str():
            yield part
        case Heading():
            yield f"{'#' * part.level} {part.text}"
        case Lead():
            yield f"**{escaped(part.text, 'markdown')}**"
        case Verdicts():
            yield "\n".join(
                f"- **{escaped(data, 'markdown')}**: {escaped(text, 'markdown')}" for data, text in part.entries
            )
        case Command():
            yield f"```\n{part.text}\n```"
        case Picture():
            yield f"![{part.seen.replace('[', '(').replace(']', ')')}]({quote(part.path.as_posix())})"
        case Health():
            yield "\n".join(f"- {escaped(text, 'markdown')}" for _, text in part.lines)
        case Charts():
            yield _table(part, "markdown")
        case Fold():
            yield f"<details><summary>{part.title}</summary>"
            for inner in part.parts:
                yield from _markdown(inner)
            yield "</details>"
        case Definitions():
            yield "\n".join(f"- **{entry.title}**: {escaped(entry.text, 'markdown')}" for entry in part.entries)


def _plain(part: Part) -> Iterator[str]:
    match part:
        case str():
            yield part if part.startswith(TABLE) else _wrapped(part)
        case Heading():
            yield f"{part.text}\n{UNDERLINES[part.level - 1] * len(part.text)}"
        case Lead():
            yield _wrapped(part.text)
        case Verdicts():
            yield _wrapped("\n".join(f"- {data}: {text}" for data, text in part.entries))
        case Command():
            yield f"  {part.text}"
        case Picture():
            yield _wrapped(f"[{part.path.as_posix()}] {part.seen}")
        case Health():
            yield _wrapped("\n".join(f"- {text}" for _, text in part.lines))
        case Charts():
            yield _table(part, "text")
        case Fold():
            yield f"{part.title}\n{UNDERLINES[2] * len(part.title)}"
            for inner in part.parts:
                yield from _plain(inner)
        case Definitions():
            yield _wrapped("\n".join(f"- {entry.title}: {entry.text}" for entry in part.entries))


def _wrapped(text: str) -> str:
    """The lines of a paragraph or list, broken at WIDTH."""
    return "\n".join(
        textwrap.fill(
            line, WIDTH, subsequent_indent="  " * line.startswith("- "), break_long_words=False, break_on_hyphens=False
        )
        for line in text.split("\n")
    )


def _table(part: Charts, style: Style) -> str:
    """The charts as one table: a row for each run and baseline."""
    labels = dict.fromkeys(bar.label for chart in part.charts for bar in chart.bars)
    columns = [{bar.label: bar.text + " *" * bar.best for bar in chart.bars} for chart in part.charts]
    heads = [f"{chart.title} ({chart.note})" for chart in part.charts]
    rows = [[label, *(column.get(label, "") for column in columns)] for label in labels]
    return table(rows, ["", *heads], style)
