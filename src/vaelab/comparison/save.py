"""The comparison on disk: one table, what runs show beside others, and the report in three forms."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab import artifacts, storage
from vaelab.comparison.across import across
from vaelab.comparison.advice import entries_of
from vaelab.comparison.collect import Missing, Result
from vaelab.comparison.html import html_page
from vaelab.comparison.judge import judge_all
from vaelab.comparison.parts import Picture
from vaelab.comparison.report import Pictures, markdown_report, report, text_report
from vaelab.comparison.table import table_rows
from vaelab.params.schema import Compare, RunEntry


def save(
    results: Sequence[Result],
    folder: Path,
    options: Compare | None = None,
    entries: Mapping[str, RunEntry] | None = None,
    pictures: Pictures | None = None,
    shown: Mapping[str, Picture] | None = None,
    missing: Sequence[Missing] = (),
) -> str:
    """Write comparison.csv, across_runs.json and comparison_report.txt, .md and .html; return the report as text.

    Args:
        results: of the runs that are compared.
        folder: where to; it is made where it is missing.
        options: the block `compare` of params.yaml.
        entries: the runs as params.yaml has them, for the command that trains the winner for longer; runs that are not
            in it get a command with all their differences from the defaults (`advice.entries_of` knows other bases).
        pictures: by data set and name: linked in Markdown, inside the HTML page.
        shown: of ill runs, the picture of the first finding.
        missing: the active runs that are not compared.

    Raises:
        InputError: runs cannot be judged, or a file cannot be written.
    """
    judgements = judge_all(results, options or Compare())
    known = entries_of(results) | dict(entries or {})
    linked = {data: _linked(group, folder) for data, group in (pictures or {}).items()}
    evidence = _linked(shown or {}, folder)
    beside = across(results)
    text = text_report(results, judgements, known, beside, linked, evidence, missing)
    markdown = markdown_report(results, judgements, known, linked, evidence, beside, missing)
    storage.write_json(folder / artifacts.ACROSS_RUNS.name, {record["run"]: record for record in beside})
    storage.write_csv(folder / artifacts.COMPARISON_CSV.name, table_rows(results, judgements))
    storage.write_text(folder / artifacts.COMPARISON_TEXT.name, text)
    storage.write_text(folder / artifacts.COMPARISON_MARKDOWN.name, markdown)
    page = html_page(report(results, judgements, known, "html", linked, evidence, beside, missing), folder)
    storage.write_text(folder / artifacts.COMPARISON_HTML.name, page)
    return text


def _linked(pictures: Mapping[str, Picture], folder: Path) -> dict[str, Picture]:
    """Pictures with their paths relative to the report."""
    return {name: one._replace(path=Path(os.path.relpath(one.path, folder))) for name, one in pictures.items()}
