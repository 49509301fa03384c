"""The report as one HTML page that needs nothing else: pictures inside, no script, no network, no date."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from vaelab.comparison.page_style import STYLE
from vaelab.comparison.parts import (
    Chart,
    Charts,
    Command,
    Definitions,
    Fold,
    Heading,
    Health,
    Lead,
    Part,
    Picture,
    Verdicts,
)
from vaelab.errors import InputError

TYPES = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}
STATES = {True: ("healthy", "✓"), False: ("ill", "✗"), None: ("unknown", "?")}
CLOSED = "</li>\n"
LONG = 36  # characters of a cell, from which on its lines are broken
FAR = 3.0  # a bar is cut at this many times the second longest, where it is as many times longer again
Link = tuple[int, str, str]  # level of a heading, its place and its text in the table of contents


def html_page(parts: Iterable[Part], folder: Path) -> str:
    """Return a report as a self-contained page: the same bytes for the same report and pictures.

    Args:
        parts: of the report in style html; HTML in them is text, never markup.
        folder: that the paths of its pictures are relative to.

    Raises:
        InputError: a picture is missing, or is no PNG, GIF or JPEG.
    """
    listed = list(parts)
    links = list(_links(listed))
    places = iter(links)
    written = [_written(part, folder, places, name) for part, name in zip(listed, _captions(listed), strict=True)]
    first = next((number for number, part in enumerate(listed) if isinstance(part, Heading)), None)
    start = 0 if first is None else _end_of_head(listed, first)
    content = "".join([*written[:start], _contents(links), "<main>\n", *written[start:], "</main>\n"])
    title = next((part.text for part in listed if isinstance(part, Heading)), "Comparison")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{content}</body>\n</html>\n"
    )


def _end_of_head(parts: Sequence[Part], first: int) -> int:
    """Where the first data set begins: what stands before is above the table of contents."""
    later = (number for number, part in enumerate(parts) if number > first and isinstance(part, Heading))
    return next(later, len(parts))


def _links(parts: Iterable[Part]) -> Iterator[Link]:
    """Give each heading a place of its own: the data set and the section."""
    section, taken = "", set[str]()
    for part in parts:
        if not isinstance(part, Heading):
            continue
        name = place_of(part.short or part.text)
        section = name if part.level <= 2 else section
        place = name if part.level <= 2 else f"{section}-{name}"
        while place in taken:
            place += "-more"
        taken.add(place)
        yield part.level, place, part.short or part.text


def place_of(text: str) -> str:
    """Return the place on the page of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def _captions(parts: Iterable[Part]) -> Iterator[str]:
    """What a table in each part is called: by the headings above it, and the sentence in front of it."""
    section = heading = said = ""
    for part in parts:
        match part:
            case Heading():
                section, heading, said = (
                    (part.short or part.text, "", "") if part.level <= 2 else (section, part.text, "")
                )
            case str() if not part.lstrip().startswith("|"):
                said = part.splitlines()[0].rstrip(":.") if part.endswith(":") else ""
        yield ": ".join(filter(None, (section, said or heading))) or "Table"


def _contents(links: Sequence[Link]) -> str:
    """The table of contents: a line for each data set with its sections."""
    lines = ['<nav aria-label="Contents"><ul>\n']
    for level, place, text in links:
        link = f'<a href="#{place}">{escape(text)}</a>'
        if level == 2:
            lines.append(f"{CLOSED if len(lines) > 1 else ''}<li><strong>{link}</strong>")
        elif level == 3:
            lines.append(f" {link}")
    return "".join([*lines, CLOSED if len(lines) > 1 else "", "</ul></nav>\n"])


def _written(part: Part, folder: Path, places: Iterator[Link], caption: str) -> str:
    """A part as HTML; `caption` says to a screen reader what a table in it shows."""
    match part:
        case Heading():
            return f'<h{part.level} id="{next(places)[1]}">{escape(part.text)}</h{part.level}>\n'
        case Lead():
            return f'<p class="lead">{escape(part.text)}</p>\n'
        case Verdicts():
            return f'<ul class="verdicts">\n{"".join(_verdict(*one) for one in part.entries)}</ul>\n'
        case Command():
            return f'<pre tabindex="0"><code>{escape(part.text)}</code></pre>\n'
        case Picture():
            return _figure(part, folder, caption.partition(": ")[0])
        case Health():
            return f'<ul class="health">\n{"".join(_state(*line) for line in part.lines)}</ul>\n'
        case Charts():
            return f'<div class="charts">\n{"".join(map(_chart, part.charts))}</div>\n'
        case Fold():
            name = f"{caption}, {part.title}"
            inner = "".join(_written(one, folder, places, name) for one in part.parts)
            return f"<details>\n<summary>{escape(part.title)}</summary>\n{inner}</details>\n"
        case Definitions():
            entries = [(entry.anchor, escape(entry.title), escape(entry.text)) for entry in part.entries]
            listed = "".join(f'<dt id="{place}">{title}</dt>\n<dd>{text}</dd>\n' for place, title, text in entries)
            return f"<dl>\n{listed}</dl>\n"
        case str():
            return _markdown(part, caption)


def _figure(part: Picture, folder: Path, section: str) -> str:
    image = f'<img src="{_data_uri(folder / part.path)}" alt="{escape(part.seen)}">'
    label = escape(part.title)
    frame = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(section)}: {label}">{image}</div>'
    return f"<figure>\n{frame}\n<figcaption>{label}</figcaption>\n</figure>\n"


def _state(healthy: bool | None, text: str) -> str:
    kind, sign = STATES[healthy]
    return f'<li class="{kind}"><span class="sign" aria-hidden="true">{sign}</span>{escape(text)}</li>\n'


def _verdict(data: str, text: str) -> str:
    return f'<li><a href="#{place_of(data)}">{escape(data)}: {escape(text)}</a></li>\n'


def _chart(chart: Chart) -> str:
    """A table whose cells have bars from 0: it reads without them."""
    longest, cut = _longest([abs(bar.value) for bar in chart.bars])
    longest = 1.0 if longest <= 1 and any(bar.value > 0.05 for bar in chart.bars) else longest
    rows = []
    for bar in chart.bars:
        share = 100 * min(max(0.0, bar.value) / longest, 1.0) if longest and bar.value == bar.value else 0.0
        kind = f"{bar.kind} best" if bar.best else bar.kind
        said = '<span class="said"> (best)</span>' if bar.best else ""
        drawn = f'<span class="bar" aria-hidden="true"><span style="width:{share:.1f}%"></span></span>'
        cells = f'<td>{drawn}</td><td class="value">{escape(bar.text)}{said}</td>'
        rows.append(f'<tr class="{kind}"><th scope="row">{escape(bar.label)}</th>{cells}</tr>\n')
    note = f"{chart.note}; the longest bar is cut" if cut else chart.note
    caption = f"<caption>{escape(chart.title)} <span>{escape(note)}</span></caption>"
    return f"<table>{caption}\n<tbody>\n{''.join(rows)}</tbody></table>\n"


def _longest(values: Sequence[float]) -> tuple[float, bool]:
    """The value whose bar is as long as there is room, and whether a longer one is cut: it would squeeze the others."""
    *others, second, first = sorted([0.0, 0.0, *filter(isfinite, values)])
    return (FAR * second, True) if others and first > FAR**2 * second > 0 else (first, False)


def _markdown(text: str, caption: str) -> str:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
    parser.add_render_rule("table_open", lambda *_: f"{opening}<table>\n")
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(text)
    _mark(tokens)
    written: str = parser.renderer.render(tokens, parser.options, {})
    return written


def _mark(tokens: Sequence[Token]) -> None:
    """Mark starred cells as best, long ones, and the heads of columns."""
    for token, inner in pairwise(tokens):
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type == "td_open":
            if inner.content.endswith(" *"):
                token.attrJoin("class", "best")
            if len(re.sub(r"\(#[^)]*\)", "", inner.content)) > LONG:
                token.attrJoin("class", "long")


def _data_uri(path: Path) -> str:
    kind: Any = TYPES.get(path.suffix)
    if kind is None:
        raise InputError(f"{path}: cannot stand in an HTML report; expected one of {', '.join(TYPES)}")
    try:
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    except OSError as error:
        raise InputError(f"{path}: a picture of the report cannot be read: {error}") from None
