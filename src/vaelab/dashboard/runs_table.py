"""The table of all runs on a data set: what differs in their options, and the first of their measures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from vaelab.comparison.collect import Result
from vaelab.dashboard import health
from vaelab.dashboard.numbers import title
from vaelab.metrics.tables import TABLES

MOST_OPTIONS, MOST_MEASURES = 8, 6
FEW = 4  # runs, up to which there is nothing to filter
BLOCKS = ("model", "loss", "train")


def show(data: str, group: Sequence[Result], recommended: str | None, ranked_by: str) -> str | None:
    """Show the table with its filters; return the run whose row was chosen."""
    shown = TABLES[group[0].run.kind].shown
    first = [name for name in dict.fromkeys([ranked_by, *shown]) if name]
    present = [name for name in first if any(result.final.get(name) is not None for result in group)]
    measures, kept = present[:MOST_MEASURES], list(group)
    if len(group) > FEW:
        kept, measures = _filtered(data, group, present)
    if not kept:
        st.info("No run is left by the filter.")
        return None
    table = pd.DataFrame([_row(result, recommended, measures) | _options(result, group) for result in kept])
    columns = {title(name): st.column_config.NumberColumn(format="%.4g") for name in measures}
    event: Any = st.dataframe(
        table, hide_index=True, on_select="rerun", selection_mode="single-row", column_config=columns,
        key=f"runs_{data}",
        alt=f"Table of the runs on {data}",
    )  # fmt: skip
    st.caption("A click on a heading sorts; a click in the first column opens the run.")
    chosen = event.selection.rows
    return kept[chosen[0]].run.name if chosen else None


def _filtered(data: str, group: Sequence[Result], present: Sequence[str]) -> tuple[list[Result], list[str]]:
    one, two, three = st.columns(3)
    text = one.text_input("Name or option contains", key=f"contains_{data}").strip().lower()
    states = sorted({health.of_result(result) for result in group})
    wanted = two.multiselect("Health", states, placeholder="any", key=f"health_{data}")
    measures = three.multiselect(
        "Measures", present, default=present[:MOST_MEASURES], format_func=title, key=f"measures_{data}"
    )
    kept = [result for result in group if not wanted or health.of_result(result) in wanted]
    return [result for result in kept if text in _searched(result, group)], measures or list(present[:1])


def _searched(result: Result, group: Sequence[Result]) -> str:
    options = (f"{name}={value}" for name, value in _options(result, group).items())
    return " ".join([result.run.name, *options]).lower()


def _row(result: Result, recommended: str | None, measures: Sequence[str]) -> dict[str, Any]:
    known = recommended is not None and (
        result.run.name == recommended or result.run.name.startswith(f"{recommended}_s")
    )
    row = {"run": result.run.name, "recommended": known, "health": health.of_result(result)}
    return row | {title(name): result.final.get(name) for name in measures}


def _options(result: Result, group: Sequence[Result]) -> dict[str, Any]:
    """The options that differ among the runs of a data set."""
    every = [dict(_leaves(other.run.model_dump(mode="json", include=set(BLOCKS)))) for other in group]
    differ = [
        key for key in dict.fromkeys(key for one in every for key in one) if len({str(o.get(key)) for o in every}) > 1
    ]
    own = every[list(group).index(result)]
    return {key: own.get(key) for key in differ[:MOST_OPTIONS]}


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner if isinstance(inner, int | float | str | None) else str(inner)
