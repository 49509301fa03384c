"""The histogram of scores with the threshold in it, and the line of params.yaml that would set it."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, cut
from vaelab.dashboard.cut import Scored
from vaelab.params.problems import check
from vaelab.params.threshold import Threshold

COLOURS = {cut.VAL: "#9ecae1", cut.TEST: charts.BLUE, cut.CLEAN: charts.GRAY, cut.DEFECTS: charts.ORANGE}


def draw(pools: Mapping[str, np.ndarray], threshold: float, default: float) -> None:
    """Draw how the scores of each pool are distributed, with the threshold and the one of stage threshold."""
    names = list(pools)
    chart: Any = charts.bars(charts.histogram(pools), "calibrated anomaly score", names, 320, "share of its pool")
    colours = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    chart = chart.encode(color=alt.Color("pool:N", title=None, scale=colours, legend=alt.Legend(orient="top")))
    lines = pd.DataFrame({"at": [threshold, default], "what": ["threshold", "of stage threshold"]})
    rules = (
        alt.Chart(lines)
        .mark_rule(size=2)
        .encode(
            x="at:Q",
            strokeDash=alt.StrokeDash(
                "what:N", title=None, legend=alt.Legend(orient="top"),
                scale=alt.Scale(domain=list(lines["what"]), range=[[1, 0], [4, 4]]),
            ),
            tooltip=["what", alt.Tooltip("at:Q", format=".4g")],
        )
    )  # fmt: skip
    said = ", ".join(f"{(values > threshold).mean():.1%} of {name}" for name, values in pools.items())
    st.altair_chart(chart + rules, alt=f"Histogram of scores; above the threshold {threshold:.3g} lie {said}")


def params(run: str, score: str, found: Scored, threshold: float, settings: Mapping[str, Any]) -> None:
    """Show the options that set this threshold, to copy."""
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
