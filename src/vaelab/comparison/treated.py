"""What `vaelab treat` tried on runs, for the report."""

from collections.abc import Sequence

from vaelab.comparison.cells import Style, text_table
from vaelab.comparison.collect import Result
from vaelab.diagnosis import treatments as treating


def treated(results: Sequence[Result], style: Style) -> list[str]:
    """Return a line and a table for each of the runs that was treated; nothing where none was."""
    names, paragraphs = {result.run.name for result in results}, []
    for done in treating.known():
        if done.run not in names or not done.tries:
            continue
        how = "random changes, as a control" if done.random else "what its diagnosis prescribes"
        kept = sum(tried.kept for tried in done.tries)
        end = f"; stopped, {done.stopped}" if done.stopped else ""
        paragraphs.append(f"{done.run}, {how}: {len(done.tries)} tried, {kept} kept, {done.seconds:.0f} s{end}.")
        rows = [list(row.values()) for row in treating.table(done)]
        paragraphs.append(text_table(rows, treating.HEADERS, style))
    return paragraphs
