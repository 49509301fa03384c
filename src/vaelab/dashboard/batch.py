"""Page Batch: how a measure is distributed, by group or split; what is selected in the plot is shown as samples."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, examples, missing, project
from vaelab.dashboard.frame import go
from vaelab.dashboard.gallery import of_examples
from vaelab.dashboard.numbers import known, plain, printed, short, title
from vaelab.dashboard.samples import SAMPLE, ascending_is_worse, choose_phase, measure_names
from vaelab.metrics.tables import better

MOST = 12  # examples that are shown of a selection
TAILS = (0.5, 99.5)  # percentiles of the range that the slider starts with


def page(run: str) -> None:
    """Show the distributions of a run's measures."""
    phases = project.phases(run)
    if not phases:
        missing.say("evaluate", run)
        return
    first, second, third = st.columns(3)
    with first:
        phase = choose_phase(phases, f"batch_phase_{run}")
    found = examples.table(run, phase)
    measure = str(second.selectbox("Measure", measure_names(run, found), format_func=title, key=f"batch_{run}"))
    by = str(third.segmented_control("Colour by", ("group", "split"), default="group", required=True, key="by"))
    pools = _pools(run, phase, measure, by)
    st.subheader(_conclusion(found, measure, phase))
    low, high = _histogram(pools, measure, run, phase)
    _table(pools, measure, by)
    _selected(run, phase, found, measure, low, high)


def _pools(run: str, phase: str, measure: str, by: str) -> dict[str, np.ndarray]:
    if by == "split":
        tables = {name: examples.table(run, name) for name in project.phases(run)}
        return {name: of[measure].to_numpy(np.float64) for name, of in tables.items() if measure in of}
    found = examples.table(run, phase)
    names = charts.grouped(found["group"].astype(str))
    return {str(name): part.to_numpy(np.float64) for name, part in found[measure].groupby(names)}


def _conclusion(found: pd.DataFrame, measure: str, phase: str) -> str:
    """The mean, and the group that is worst where groups differ."""
    said = (
        f"{short(measure)} of {len(found):,} examples of {phase}: mean {printed(measure, float(found[measure].mean()))}"
    )
    means = found.groupby("group")[measure].mean()
    if len(means) < 2 or (known(measure) and better(measure) == "none"):
        return said
    values = means.to_numpy()
    place = int(values.argmin() if ascending_is_worse(measure) else values.argmax())
    return f"{said}; worst group {plain(means.index[place])}, {printed(measure, float(values[place]))}"


def _histogram(pools: dict[str, np.ndarray], measure: str, run: str, phase: str) -> tuple[float, float]:
    """The histogram; return the range that is selected on it, all where none is."""
    brush = alt.selection_interval(name="range", encodings=["x"])
    chart: Any = charts.bars(charts.histogram(pools), title(measure), list(pools), 330).add_params(brush)
    key = f"range_{run}_{phase}_{measure}"
    event: Any = st.altair_chart(
        chart, on_select="rerun", key=key, alt=f"Histogram of {title(measure)} by {', '.join(pools)}"
    )
    found = event.selection.get("range", {}) if event else {}
    ends = next((values for values in found.values() if len(values) == 2), None)
    st.caption("Drag over the plot to see the samples of a range; a double click lets it go.")
    return (float(ends[0]), float(ends[1])) if ends else (-np.inf, np.inf)


def _table(pools: dict[str, np.ndarray], measure: str, by: str) -> None:
    rows = []
    for name, values in pools.items():
        finite = values[np.isfinite(values)]
        ends = np.percentile(finite, (0, 5, 50, 95, 100)) if len(finite) else np.full(5, np.nan)
        mean, std = (finite.mean(), finite.std()) if len(finite) else (np.nan, np.nan)
        columns = dict(zip(("lowest", "5 %", "median", "95 %", "highest"), ends, strict=True))
        numbers = {"mean": mean, "standard deviation": std, **columns}
        rows.append(
            {by: plain(name), "examples": f"{len(values):,}"}
            | {k: printed(measure, float(v)) for k, v in numbers.items()}
        )
    st.table(pd.DataFrame(rows).set_index(by))


def _selected(run: str, phase: str, found: pd.DataFrame, measure: str, low: float, high: float) -> None:
    inside = found[(found[measure] >= low) & (found[measure] <= high)]
    if not len(inside):
        st.info("No example of this split is in the range.")
        return
    inside = inside.sort_values(measure, ascending=ascending_is_worse(measure), kind="stable")
    chosen = np.isfinite(low) or np.isfinite(high)
    where = f" from {printed(measure, low)} to {printed(measure, high)}" if chosen else ""
    st.subheader(f"The {min(MOST, len(inside))} worst of {len(inside):,} examples{where}")
    part = inside.head(MOST)
    captions = [f"{i} · {printed(measure, value)}" for i, value in zip(part["index"], part[measure], strict=True)]
    pressed = of_examples(run, phase, part["index"].tolist(), captions, f"batch_{run}")
    if pressed is not None:
        go("samples", **{SAMPLE: pressed})
