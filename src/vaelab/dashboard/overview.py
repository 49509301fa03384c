"""Page Overview: for each data set what is recommended and why, beside its baselines, and a table of all runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from vaelab.comparison.advice import entries_of, next_step
from vaelab.comparison.charts import baseline_titles, charted, printed
from vaelab.comparison.collect import Result
from vaelab.comparison.defect_lead import never_found
from vaelab.comparison.judge import Judgement, judge
from vaelab.comparison.opening import health as health_of_all
from vaelab.comparison.opening import lead, reasons
from vaelab.comparison.seeds import by_data
from vaelab.dashboard import all_runs, charts, found_defects, going, health, missing, project, runs_table
from vaelab.dashboard.all_runs import Known
from vaelab.dashboard.frame import WANTED, go
from vaelab.dashboard.numbers import escaped, title
from vaelab.dashboard.runs import run_names
from vaelab.errors import InputError
from vaelab.metrics.tables import better
from vaelab.params.schema import Run

MOST_NAMES = 5  # of runs in a sentence, or that have a line of their own
MOST_POINTS = 20  # runs of a chart: the best
LONG, FIRST = 500, 80  # characters of a reason that is folded, and of those that then are seen


def page() -> None:
    """Show all runs."""
    with st.spinner("Reading the runs ..."):
        known = all_runs.known()
    st.markdown(_conclusion(known))
    _wrong(known.wrong)
    going.show()
    for data, group in by_data(known.results).items():
        st.header(data, divider="gray")
        missing.in_words(_data_set)(data, group)
    _waiting(known.waiting)


def _conclusion(known: Known) -> str:
    results = known.results
    ill = [result.run.name for result in results if result.ill]
    said = f"{len(results)} run{'s' * (len(results) != 1)} measured"
    said += f", **{len(ill)} ill** ({_few(ill)})" if ill else ", none is ill" * bool(results)
    said += f"; {len(known.waiting)} not measured yet" if known.waiting else ""
    return f"{said}{f'; {len(known.wrong)} cannot be read' if known.wrong else ''}."


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MOST_NAMES])}{f' and {len(names) - MOST_NAMES} more' * (len(names) > MOST_NAMES)}"


def _wrong(wrong: Mapping[str, str]) -> None:
    """What is wrong with runs that cannot be read; the others are shown."""
    lines = [f"**{name}** is left out. {text}" for name, text in wrong.items()]
    for line in lines[:MOST_NAMES]:
        st.error(line)
    if lines[MOST_NAMES:]:
        with st.expander(f"{len(lines) - MOST_NAMES} more runs that cannot be read"):
            st.markdown("\n".join(f"- {line}" for line in lines[MOST_NAMES:]))


def _waiting(runs: Sequence[Run]) -> None:
    """The runs that were not measured, and how far they are."""
    for run in runs[:MOST_NAMES]:
        st.info(f"**{run.name}** ({run.data}): {health.state(run.name)}")
    if rest := runs[MOST_NAMES:]:
        with st.expander(f"{len(rest)} more runs that were not measured yet"):
            st.markdown("\n".join(f"- **{run.name}** ({run.data}): {health.state(run.name)}" for run in rest))


def _data_set(data: str, group: Sequence[Result]) -> None:
    try:
        found = judge(group, project.compare_options())
        step, command = next_step(found, entries_of(group))
    except InputError as error:  # runs that cannot be ranked together
        st.warning(str(error))
        runs_table.show(data, group, None, "")
        return
    st.subheader(escaped(lead(found)))
    said = [result.run.name for result in found.winner.results[:1]] if found.winner else []  # what the line above is of
    for line in found_defects.lines([result for result in group if result.run.name not in said]):
        st.markdown(escaped(line))
    if kinds := never_found(found.winner.results[0] if found.winner else group[0]):
        st.markdown(escaped(f"{kinds}."))
    left, right = st.columns([3, 2])
    with left:
        chart, alt_text = _ranking(group, found)
        st.altair_chart(chart, alt=alt_text)
    with right:
        health.show(health_of_all(group, found).lines)
        for line in reasons(group, found):
            _reason(line)
    if command:
        with st.expander(step.rstrip(":")):
            st.code(command, language="bash", wrap_lines=True)
    elif step:
        st.markdown(step)
    pressed = runs_table.show(data, group, found.recommended, found.metric)
    if pressed is not None:
        if pressed in run_names():
            go("run", **{WANTED: pressed})
        st.info(f"{pressed} is no run of params.yaml any more: only its numbers are kept.")


def _reason(line: str) -> None:
    """A reason; of many runs it names each, and is folded."""
    if len(line) <= LONG:
        st.markdown(escaped(line))
        return
    with st.expander(f"{escaped(line[:FIRST].rpartition(' ')[0])} ..."):
        st.markdown(escaped(line))


def _ranking(group: Sequence[Result], found: Judgement) -> tuple[Any, str]:
    """The metric that the report charts first, of each run and baseline of the data set, best first."""
    name, phase = charted(group, found.metric)[0], group[0].phase
    titles, rising = baseline_titles(group[0]), better(name) == "lower"
    runs = _ordered([(r.run.name, r.final.get(name)) for r in group], "run", rising)
    baselines = [(titles.get(method, method), reached.get(name)) for method, reached in group[0].baselines.items()]
    table = pd.concat([runs.head(MOST_POINTS), _ordered(baselines, "baseline", rising)])
    table = table.sort_values("value", ascending=rising, kind="stable")
    counted = f"; the best {MOST_POINTS} of {len(runs)} runs" * (len(runs) > MOST_POINTS)
    table["text"] = [printed(name, value, group) for value in table["value"]]
    x = alt.X(
        "value:Q", title=f"{title(name)}, on {phase} ({better(name)} is better){counted}", scale=alt.Scale(zero=False)
    )
    base = alt.Chart(table).encode(
        x=x, y=alt.Y("name:N", title=None, sort=list(table["name"]), axis=alt.Axis(labelLimit=240))
    )
    colour = alt.Color(
        "what:N", title=None, legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=["run", "baseline"], range=[charts.BLUE, charts.ORANGE]),
    )  # fmt: skip
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        color=colour, shape=alt.Shape("what:N", title=None), tooltip=["name", "what", alt.Tooltip("value:Q")]
    )
    text = base.mark_text(align="left", dx=9, color=charts.ink()).encode(text="text:N")
    said = ", ".join(f"{row.name_} {row.text}" for row in table.rename(columns={"name": "name_"}).itertuples())
    return (points + text).properties(height=100 + 24 * len(table)), f"{title(name)} on {phase}: {said}"


def _ordered(values: Sequence[tuple[str, Any]], what: str, rising: bool) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=["name", "value"]).dropna(subset=["value"])
    return table.assign(what=what, value=table["value"].astype(float)).sort_values("value", ascending=rising)
