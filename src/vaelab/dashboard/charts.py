"""Charts of pages: altair, few colours, an axis title with its unit on each."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab.figures.canvas.colours import BLUE, GRAY, ORANGE, RUN_COLOURS

__all__ = ["BLUE", "GRAY", "ORANGE", "bars", "histogram", "ink", "line", "lines"]

BINS = 60
MOST_GROUPS = 8  # that have a colour of their own
OTHER = "others"


def ink() -> str:
    """Return the colour of text in a chart, which Streamlit's themes leave black."""
    return "#fafafa" if st.context.theme.type == "dark" else "#31333f"


def line(table: pd.DataFrame, x: str, y: str, y_title: str, colour: str = BLUE) -> Any:
    """Return a line with its points."""
    return (
        alt.Chart(table)
        .mark_line(color=colour, point=alt.OverlayMarkDef(color=colour, size=24))
        .encode(
            x=alt.X(f"{x}:Q", title=x, axis=alt.Axis(tickMinStep=1)),
            y=alt.Y(f"{y}:Q", title=y_title, scale=alt.Scale(zero=False)),
            tooltip=[x, alt.Tooltip(f"{y}:Q", format=".4g")],
        )
    )


def lines(table: pd.DataFrame, y_title: str, by: str = "phase", height: int = 300) -> Any:
    """Return a line for each value of a column: of a table with epoch, value and that column."""
    names = ["train", "val"] if by == "phase" else list(dict.fromkeys(table[by]))  # colours that stay
    return (
        alt.Chart(table.dropna(subset=["value"]))
        .mark_line(point=alt.OverlayMarkDef(size=20))
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=False)),
            color=alt.Color(f"{by}:N", title=None, sort=names, scale=palette(names), legend=alt.Legend(orient="top")),
            tooltip=["epoch", by, alt.Tooltip("value:Q", format=".5g")],
        )
        .properties(height=height)
    )


def palette(names: Sequence[str]) -> alt.Scale:
    """Return the colours of names, the same at each call; `others` is gray."""
    own = [name for name in names if name != OTHER]
    colours = [RUN_COLOURS[number % len(RUN_COLOURS)] for number in range(len(own))]
    return alt.Scale(domain=[*own, *([OTHER] if OTHER in names else [])], range=[*colours, GRAY])


def histogram(pools: Mapping[str, np.ndarray], bins: int = BINS, share: bool = True) -> pd.DataFrame:
    """Return how values of each pool are distributed over the same bins: start, end, count and share of the pool."""
    every = np.concatenate([values[np.isfinite(values)] for values in pools.values()] or [np.empty(0)])
    if not len(every):
        return pd.DataFrame(columns=["pool", "start", "end", "count", "share"])
    edges = np.histogram_bin_edges(every, bins)
    parts = []
    for name, values in pools.items():
        count, _ = np.histogram(values[np.isfinite(values)], edges)
        part = {"pool": name, "start": edges[:-1], "end": edges[1:], "count": count}
        parts.append(pd.DataFrame(part).assign(share=count / max(1, count.sum())))
    return pd.concat(parts, ignore_index=True)


def bars(table: pd.DataFrame, x_title: str, names: Sequence[str], height: int = 280, y_title: str = "") -> Any:
    """Return histograms of pools as steps that overlap, each its share of its pool."""
    return (
        alt.Chart(table)
        .mark_bar(opacity=0.55, binSpacing=0)
        .encode(
            x=alt.X("start:Q", bin="binned", title=x_title, scale=alt.Scale(zero=False, nice=False)),
            x2="end:Q",
            y=alt.Y("share:Q", title=y_title or "share of the group", stack=None, axis=alt.Axis(format="%")),
            color=alt.Color(
                "pool:N", title=None, sort=list(names), scale=palette(names), legend=alt.Legend(orient="top")
            ),
            tooltip=["pool", "count", alt.Tooltip("start:Q", format=".4g"), alt.Tooltip("end:Q", format=".4g")],
        )
        .properties(height=height)
    )


def grouped(values: pd.Series, most: int = MOST_GROUPS) -> pd.Series:
    """Return names of groups of which all but the largest are `others`."""
    largest = values.value_counts().index[:most]
    kept: pd.Series = values.where(values.isin(largest), OTHER)
    return kept
