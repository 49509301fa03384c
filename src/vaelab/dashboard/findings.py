"""What stage diagnose found in a run: the conclusion, and each finding with its numbers and commands to copy."""

import streamlit as st

from vaelab.comparison.collect import Result
from vaelab.dashboard import missing
from vaelab.diagnosis.cause import SAID
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.report import Record, expected
from vaelab.diagnosis.sign import said


def conclusion(result: Result) -> None:
    """Say whether the run is healthy."""
    diagnosis = result.diagnosis
    if diagnosis is None:
        missing.say("diagnose", result.run.name)
        return
    names = ", ".join(CAUSES[finding["cause"]].name for finding in diagnosis["findings"])
    if result.ill:
        st.warning(f"**Ill{', and broken' * bool(result.broken)}**: {names}.")
    else:
        st.success(f"**Healthy**{f', with notes: {names}' if names else ', as far as its numbers tell'}.")
    if "from" in diagnosis:
        st.caption(
            f"Known from {diagnosis['from']}; `{missing.command('diagnose', result.run.name)}` looks at all of it."
        )


def show(result: Result) -> None:
    """Show each finding, the worst first and open."""
    found = (result.diagnosis or {}).get("findings", [])
    for number, finding in enumerate(found):
        cause = CAUSES[finding["cause"]]
        title = f"{cause.name}: {SAID[finding['severity']]}, certainty {finding['certainty']}"
        with st.expander(title, expanded=not number and result.ill):
            _finding(finding)


def _finding(finding: Record) -> None:
    cause = CAUSES[finding["cause"]]
    st.markdown(cause.meaning_of(finding))
    st.markdown("\n".join(f"- {said(one)} (`{one['source']}`)" for one in finding["evidence"]))
    if not finding["prescriptions"]:
        st.markdown(f"**What to do:** {cause.advice}")
    for tried in finding["prescriptions"]:
        st.code(tried["command"], language="bash", wrap_lines=True)
        side = f" Beside that: {tried['side_effects']}." if tried["side_effects"] else ""
        st.caption(f"Expected: {expected(tried)} Why: {tried['why']}.{side}")
