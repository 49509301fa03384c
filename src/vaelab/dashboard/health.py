"""The health of a run in words: what stage diagnose found, where it is still on its way, and what is missing."""

from collections.abc import Sequence

import streamlit as st

from vaelab import artifacts
from vaelab.comparison.collect import Result
from vaelab.dashboard import going, missing, project
from vaelab.dashboard.numbers import escaped
from vaelab.diagnosis.causes.table import CAUSES

HEALTHY, ILL = "healthy", "ill"
MOST = 6  # lines that are seen at once
MARKS = {True: ":material/check_circle:", False: ":material/error:", None: ":material/help:"}


def of_result(result: Result) -> str:
    """Return healthy or ill with the name of the first cause, or that nothing is known."""
    if result.diagnosis is None:
        return "not diagnosed"
    found = result.diagnosis["findings"]
    if not result.ill:
        return f"{HEALTHY}, a note: {CAUSES[found[0]['cause']].name}" if found else HEALTHY
    return f"{ILL}: {CAUSES[found[0]['cause']].name}" if found else "not diagnosed"


def show(lines: Sequence[tuple[bool | None, str]]) -> None:
    """Show lines of the report on how runs are: True healthy, False ill, None not known; the first at once."""
    said = [f"- {MARKS[state]} {escaped(line)}" for state, line in lines]
    st.markdown("\n".join(said[:MOST]))
    if said[MOST:]:
        with st.expander(f"Health of {len(said) - MOST} more runs"):
            st.markdown("\n".join(said[MOST:]))


def state(name: str) -> str:
    """Return how far a run is that was not evaluated."""
    if artifacts.failed(name).is_dir():
        return "failed: training had to stop"
    for one in going.trainings(name):
        if one.name == name:
            return one.said
    if project.training_history(name)[0] is not None:
        return f"trained; `{missing.command('evaluate', name)}` measures it"
    return f"not trained; `{missing.command('train', name)}`"
