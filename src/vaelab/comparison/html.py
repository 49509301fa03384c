"""The Markdown report as one HTML page that needs nothing else: pictures inside, no network, no date."""

import base64
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from vaelab.errors import InputError

TYPES = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}
STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1c2126; --soft: #59636e; --line: #d5dae0; --stripe: #f5f7f9;
  --best: #dcf3e1; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #39424b;
  --stripe: #1b2127; --best: #17462a; --link: #7ab8ff; } }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 1500px; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; } h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; } h3 { margin-top: 2rem; }
a { color: var(--link); } p, li { max-width: 75em; overflow-wrap: anywhere; }
nav { background: var(--stripe); border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem; }
nav ul { margin: .2rem 0; padding-left: 1.2rem; } nav ul ul { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.scroll { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line); border-radius: 6px; width: fit-content;
  max-width: 100%; }
table { border-collapse: separate; border-spacing: 0; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.long { white-space: normal; min-width: 16em; }
th { background: var(--stripe); font-weight: 600; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--ground);
  border-right: 1px solid var(--line); }
th:first-child { background: var(--stripe); } tbody tr:last-child td { border-bottom: 0; }
tbody tr:nth-child(even) td { background: var(--stripe); } tbody td.best { background: var(--best) !important;
  font-weight: 600; }
pre { background: var(--stripe); border: 1px solid var(--line); border-radius: 6px; padding: .8rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
"""
LONG = 36  # characters of a cell, from which on its lines are broken


def html_page(markdown: str, folder: Path) -> str:
    """Return a report as a self-contained page: the same bytes for the same report and pictures.

    Args:
        markdown: the report; HTML in it is text, never markup.
        folder: that the paths of its pictures are relative to.

    Raises:
        InputError: a picture is missing, or is no PNG, GIF or JPEG.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(markdown)
    links = list(_headings(tokens))
    _mark(tokens)
    _inline_pictures(tokens, folder)
    title = next((text for tag, _, text in links if tag == "h1"), "Comparison")
    body = parser.renderer.render(tokens, parser.options, {})
    first, end, rest = body.partition("</h1>\n")
    content = f"{first}{end}{_contents(links)}{rest}" if end else body
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{content}</body>\n</html>\n"
    )


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[str, str, str]]:
    """Give each heading an id of its own; yield its tag, id and text."""
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", f"part-{number}")
            yield token.tag, f"part-{number}", tokens[number + 1].content


def _contents(links: Sequence[tuple[str, str, str]]) -> str:
    """The table of contents: data sets, and below each its parts."""
    parts, depth = ["<nav>"], 1
    for tag, place, text in links:
        level = int(tag[1])
        if level > 1:
            parts.append("<ul>" * max(0, level - depth) + "</ul>" * max(0, depth - level))
            parts.append(f'<li><a href="#{place}">{escape(text)}</a></li>')
            depth = level
    return "".join(parts) + "</ul>" * (depth - 1) + "</nav>\n"


def _mark(tokens: Sequence[Token]) -> None:
    """Mark starred cells as best, and long ones."""
    for token, inner in pairwise(tokens):
        if token.type == "td_open":
            if inner.content.endswith(" *"):
                token.attrJoin("class", "best")
            if len(inner.content) > LONG:
                token.attrJoin("class", "long")


def _inline_pictures(tokens: Sequence[Token], folder: Path) -> None:
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                child.attrSet("src", _data_uri(folder / unquote(str(child.attrGet("src")))))


def _data_uri(path: Path) -> str:
    kind: Any = TYPES.get(path.suffix)
    if kind is None:
        raise InputError(f"{path}: cannot stand in an HTML report; expected one of {', '.join(TYPES)}")
    try:
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    except OSError as error:
        raise InputError(f"{path}: a picture of the report cannot be read: {error}") from None
