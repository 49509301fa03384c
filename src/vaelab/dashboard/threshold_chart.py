"""The histogram of scores with the threshold in it, and the line of params.yaml that would set it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, cut
from vaelab.dashboard.cut import Scored
from vaelab.params.problems import check
from vaelab.params.threshold import Threshold

PICKED = "threshold"  # parameter of the plot
STEPS = 400  # of the slider and of the plot
RED = "#d62728"
COLOURS = {cut.VAL: "#9ecae1", cut.TEST: charts.BLUE, cut.CLEAN: charts.GRAY, cut.DEFECTS: charts.ORANGE}


def choose(key: str, pools: Mapping[str, np.ndarray], default: float, label: str) -> float:
    """Let the user choose a threshold, by dragging it in the plot or by the slider below; return it.

    `label` is what the score is, with its unit.

    What the plot sends moves the slider, and it alone: the plot stays as it is while it is dragged in. What the slider
    is set to draws the plot anew.
    """
    every = np.concatenate([*pools.values(), [default]])
    low, high = float(every.min()), float(every.max())
    high = high if high > low else low + 1.0
    slider, drawn = f"threshold_{key}", f"drawn_{key}"
    if slider not in st.session_state:  # also after another page was looked at
        st.session_state[slider] = st.session_state[drawn] = default
    for name in (slider, drawn):  # scores may have changed meanwhile
        st.session_state[name] = min(max(float(st.session_state[name]), low), high)
    _draw(pools, np.linspace(low, high, STEPS + 1), st.session_state[drawn], default, slider, label)
    threshold = float(
        st.slider(
            "Threshold: what scores more is flagged", low, high, step=(high - low) / STEPS, format="%.3f", key=slider,
            on_change=_slid, args=(slider, drawn),
        )
    )  # fmt: skip
    said = ", ".join(f"{(values > threshold).mean():.1%} of {name}" for name, values in pools.items())
    st.caption(f"Drag the threshold in the plot, or click where it should be. Above {threshold:.3g} lie {said}.")
    return threshold


def _slid(slider: str, drawn: str) -> None:
    st.session_state[drawn] = st.session_state[slider]


def _dragged(plot: str, slider: str) -> None:
    moved = st.session_state[plot].selection.get(PICKED, [])
    if moved:
        st.session_state[slider] = float(moved[0]["at"])


def _draw(
    pools: Mapping[str, np.ndarray], steps: np.ndarray, threshold: float, default: float, slider: str, label: str
) -> None:
    """Draw how the scores of each pool are distributed, with the threshold and the one of stage threshold."""
    names = list(pools)
    chart: Any = charts.bars(charts.histogram(pools), label, names, 320, "share of its pool")
    colours = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    legend = alt.Legend(orient="top", columns=2, labelLimit=240)
    chart = chart.encode(color=alt.Color("pool:N", title=None, scale=colours, legend=legend))
    plot = f"{slider}_plot_{threshold:.9g}"
    event = partial(_dragged, plot, slider)
    text = "Histogram of the scores of normals and defects, with the threshold as a line; the slider below moves it too"
    st.altair_chart(chart + _line(steps, threshold, default), on_select=event, key=plot, alt=text)


def _line(steps: np.ndarray, threshold: float, default: float) -> Any:
    """The threshold, which a press and a drag anywhere in the plot move, and the one of stage threshold."""
    at = np.unique([*steps, threshold])
    places = pd.DataFrame({"at": at, "next": np.append(at[1:], at[-1])})
    pick = alt.selection_point(
        name=PICKED, fields=["at"], value=[{"at": threshold}], toggle=False, empty=False, clear=False,
        on="pointerdown, [pointerdown, pointerup] > pointermove",
    )  # fmt: skip
    area = (
        alt.Chart(places)
        .mark_rect(opacity=0.001, cursor="ew-resize")
        .encode(x="at:Q", x2="next:Q", tooltip=alt.Tooltip("at:Q", title="threshold", format=".3f"))
        .add_params(pick)
    )
    line = alt.Chart(places).mark_rule(size=3).encode(x="at:Q", color=alt.value(RED)).transform_filter(pick)
    own = (
        alt.Chart(pd.DataFrame({"at": [default], "what": ["of stage threshold"]}))
        .mark_rule(size=2, strokeDash=[4, 4], color=charts.GRAY)
        .encode(x="at:Q", tooltip=["what", alt.Tooltip("at:Q", format=".4g")])
    )
    return own + line + area


def params(run: str, score: str, found: Scored, threshold: float, settings: Mapping[str, Any]) -> None:
    """Show the options that set this threshold, to copy."""
    if not len(found.normals):
        st.info("There are no normals of val: no `threshold.percentile` sets a threshold.")
        return
    percentile = cut.percentile_of(found.normals, threshold)
    options: dict[str, Any] = {"percentile": round(percentile, 2)}
    if wrong := check(Threshold, options):
        said = f"it is the {percentile:.2f}th of the normals of val; {wrong[0].message}"
        st.info(f"No `threshold.percentile` sets this threshold: {said}.")
        return
    options |= {"method": "percentile"} if settings.get("method") != "percentile" else {}
    options |= {"percentile_by": "patches"} if settings.get("percentile_by") != "patches" else {}
    options |= {"select": "none"} if settings.get("select", "none") != "none" else {}
    options |= {"scores": [score]} if score != "combined" else {}
    words = " ".join(f"-S '++runs.{run}.threshold.{name}={_written(value)}'" for name, value in options.items())
    inside = ", ".join(f"{name}: {_written(value)}" for name, value in options.items())
    left, right = st.columns([2, 3])
    left.markdown(f"In `params.yaml`, run `{run}`: the {percentile:.2f}th percentile of the normals of val")
    left.code(f"threshold: {{{inside}}}", language="yaml")
    right.markdown("Or as an experiment")
    right.code(f"dvc exp run {words}", language="bash", wrap_lines=True)


def _written(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)
