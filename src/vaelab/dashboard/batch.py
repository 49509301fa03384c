"""Page Batch: how a measure is distributed, by group or split; what is selected in the plot is shown as samples."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, examples, missing, project
from vaelab.dashboard.frame import go
from vaelab.dashboard.gallery import of_examples
from vaelab.dashboard.numbers import example_title, over_grids, plain, printed, short
from vaelab.dashboard.ranking import Ranked, ranked
from vaelab.dashboard.samples import SAMPLE, choose_phase, measure_names
from vaelab.metrics.tables import METRICS

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
    names = measure_names(run, found)
    if not names:
        st.info(f"No measure of {phase} is saved; {missing.command('evaluate', run)} measures it.")
        return
    measure = str(second.selectbox("Measure", names, format_func=example_title, key=f"batch_{run}"))
    by = str(third.segmented_control("Colour by", ("group", "split"), default="group", required=True, key="by"))
    shown, pools = ranked(run, phase, measure), _pools(run, phase, measure, by)
    st.subheader(_conclusion(shown, phase))
    low, high = _histogram(pools, measure, run, phase)
    _table(pools, measure, by)
    _selected(run, phase, shown, low, high)


def _pools(run: str, phase: str, measure: str, by: str) -> dict[str, np.ndarray]:
    if by == "split":
        tables = {name: examples.table(run, name) for name in project.phases(run)}
        return {name: of[measure].to_numpy(np.float64) for name, of in tables.items() if measure in of}
    found = examples.table(run, phase)
    groups = found["group"].astype(str)
    if "label" in found.columns:  # what is bad of one is good of the other
        groups += np.where(found["label"] != 0, ", defect", ", intact")
    names = charts.grouped(groups)
    return {str(name): part.to_numpy(np.float64) for name, part in found[measure].groupby(names)}


def _conclusion(shown: Ranked, phase: str) -> str:
    """The mean, and the group that is worst where groups differ; of labelled examples the means of either label."""
    found, measure = shown.table, shown.measure
    mean_over_grids = over_grids(measure)
    called = METRICS[mean_over_grids].title if mean_over_grids else short(measure)
    said = f"{called} of {len(found):,} examples of {phase}"
    if shown.threshold is not None:
        means = found.groupby(np.where(found["label"] != 0, "defects", "intact"))[measure].mean()
        return f"{said}: {', '.join(f'mean of {name} {printed(measure, float(mean))}' for name, mean in means.items())}"
    said += f": mean {printed(measure, float(found[measure].mean()))}"
    bad = found.assign(bad=shown.badness).groupby("group")["bad"].mean().dropna()
    if len(bad) < 2 or shown.called("worst") != "worst":
        return said
    worst = bad.idxmax()
    value = float(found.loc[found["group"] == worst, measure].mean())
    return f"{said}; worst group {plain(worst)}, {printed(measure, value)}"


def _histogram(pools: dict[str, np.ndarray], measure: str, run: str, phase: str) -> tuple[float, float]:
    """The histogram; return the range that is selected on it, all where none is."""
    brush = alt.selection_interval(name="range", encodings=["x"])
    chart: Any = charts.bars(charts.histogram(pools), example_title(measure), list(pools), 330).add_params(brush)
    key = f"range_{run}_{phase}_{measure}"
    event: Any = st.altair_chart(
        chart, on_select="rerun", key=key, alt=f"Histogram of {example_title(measure)} by {', '.join(pools)}"
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
    st.table(pd.DataFrame(rows).set_index(by), alt=f"{example_title(measure)} by {by}: mean, spread and percentiles")


def _selected(run: str, phase: str, shown: Ranked, low: float, high: float) -> None:
    measure, found = shown.measure, shown.table
    inside = shown._replace(table=found[(found[measure] >= low) & (found[measure] <= high)])
    if not len(inside.table):
        st.info("No example of this split is in the range.")
        return
    chosen = np.isfinite(low) or np.isfinite(high)
    where = f" from {printed(measure, low)} to {printed(measure, high)}" if chosen else ""
    part = inside.ordered("worst", []).head(MOST)
    st.subheader(f"The {len(part)} {shown.called('worst')} of {len(inside.table):,} examples{where}")
    if shown.threshold is not None:
        st.caption(inside.described("worst").capitalize())
    captions = [f"{i} · {printed(measure, value)}" for i, value in zip(part["index"], part[measure], strict=True)]
    pressed = of_examples(run, phase, part["index"].tolist(), captions, f"batch_{run}")
    if pressed is not None:
        go("samples", **{SAMPLE: pressed})
