"""Page Overview: for each data set what is recommended and why, beside its baselines, and a table of all runs."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from vaelab.comparison.advice import entries_of, next_step
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement, judge
from vaelab.comparison.opening import lead, reasons
from vaelab.comparison.seeds import by_data
from vaelab.dashboard import charts, health, project, runs_table
from vaelab.dashboard.frame import WANTED, go
from vaelab.dashboard.numbers import printed, title
from vaelab.dashboard.runs import run_names
from vaelab.errors import InputError
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import better

MOST_POINTS = 24  # of a chart: the best runs


def page() -> None:
    """Show all runs."""
    results = project.results()
    waiting = [name for name in run_names() if name not in {result.run.name for result in results}]
    groups = by_data(results)
    st.markdown(_conclusion(results, waiting))
    for data, group in groups.items():
        _data_set(data, group)
    for name in waiting:
        st.info(f"**{name}** ({project.run(name).data}): {health.state(name)}")


def _conclusion(results: Sequence[Result], waiting: Sequence[str]) -> str:
    ill = [result.run.name for result in results if result.ill]
    said = f"{len(results)} run{'s' * (len(results) != 1)} measured"
    said += f", **{len(ill)} ill** ({', '.join(ill[:5])}{' …' * (len(ill) > 5)})" if ill else ", none is ill"
    return f"{said}{f'; {len(waiting)} not measured yet' if waiting else ''}."


def _data_set(data: str, group: Sequence[Result]) -> None:
    st.header(data, divider="gray")
    try:
        found = judge(group, project.compare_options())
        step, command = next_step(found, entries_of(group))
    except InputError as error:  # runs that cannot be ranked together
        st.warning(str(error))
        runs_table.show(data, group, None, "")
        return
    st.subheader(_escaped(lead(found)))
    left, right = st.columns([3, 2])
    with left:
        chart, alt_text = _ranking(group, found)
        st.altair_chart(chart, alt=alt_text)
    with right:
        for line in reasons(group, found):
            st.markdown(_escaped(line))
    if command:
        with st.expander(step.rstrip(":")):
            st.code(command, language="bash", wrap_lines=True)
    pressed = runs_table.show(data, group, found.recommended, found.metric)
    if pressed is not None:
        if pressed in run_names():
            go("run", **{WANTED: pressed})
        st.info(f"{pressed} is no run of params.yaml any more: only its numbers are kept.")


def _escaped(line: str) -> str:
    return line.replace("_", r"\_").replace("$", r"\$").replace("*", r"\*")


def _ranking(group: Sequence[Result], found: Judgement) -> tuple[Any, str]:
    """The metric that ranks, of each run and baseline of the data set, best first."""
    name, phase = found.metric, group[0].phase
    rows = [{"name": r.run.name, "value": r.final.get(name), "what": "run"} for r in group]
    titles = BASELINES[group[0].run.kind]
    for method, reached in group[0].baselines.items():
        rows.append({"name": titles.get(method, method), "value": reached.get(name), "what": "baseline"})
    table = pd.DataFrame(rows).dropna(subset=["value"])
    table = table.sort_values("value", ascending=better(name) == "lower").head(MOST_POINTS)
    table["text"] = [printed(name, value) for value in table["value"]]
    x = alt.X("value:Q", title=f"{title(name)}, on {phase} ({better(name)} is better)", scale=alt.Scale(zero=False))
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
    text = base.mark_text(align="left", dx=9).encode(text="text:N")
    said = ", ".join(f"{row.name_} {row.text}" for row in table.rename(columns={"name": "name_"}).itertuples())
    return (points + text).properties(height=100 + 24 * len(table)), f"{title(name)} on {phase}: {said}"
