"""The table of all runs on a data set: what differs in their options, and the first of their measures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from vaelab.comparison.cells import COUNTS, places
from vaelab.comparison.charts import spread
from vaelab.comparison.collect import Result
from vaelab.dashboard import health
from vaelab.dashboard.found_defects import PRECISION, counts
from vaelab.dashboard.numbers import title
from vaelab.metrics.tables import TABLES

MOST_OPTIONS, MOST_MEASURES = 8, 6
FEW = 4  # runs, up to which there is nothing to filter
BLOCKS = ("model", "loss", "train")

Options = dict[str, dict[str, Any]]  # those that differ, by run


def show(data: str, group: Sequence[Result], recommended: str | None, ranked_by: str) -> str | None:
    """Show the table with its filters; return the run whose row was chosen."""
    shown = TABLES[group[0].run.kind].shown
    first = [name for name in dict.fromkeys([ranked_by, *shown]) if name]
    present = [name for name in first if any(result.final.get(name) is not None for result in group)]
    measures, kept, options = present[:MOST_MEASURES], list(group), _options(group)
    if len(group) > FEW:
        kept, measures = _filtered(data, group, present, options)
    if not kept:
        st.info("No run is left by the filter.")
        return None
    table = pd.DataFrame([
        _state(result, recommended) | options[result.run.name] | counts(result)
        | {title(name): result.final.get(name) for name in measures}
        for result in kept
    ])  # fmt: skip
    columns: dict[str, Any] = {
        title(name): st.column_config.NumberColumn(format=_format(name, group)) for name in measures
    }
    columns |= {PRECISION: st.column_config.NumberColumn(format="%.3f"), **_short(next(iter(options.values())))}
    event: Any = st.dataframe(
        table, hide_index=True, on_select="rerun", selection_mode="single-row", column_config=columns,
        key=f"runs_{data}",
        alt=f"Table of the runs on {data}",
    )  # fmt: skip
    st.caption("A click on a heading sorts; a click in the first column opens the run.")
    chosen = event.selection.rows
    return kept[chosen[0]].run.name if chosen else None


def _format(name: str, group: Sequence[Result]) -> str:
    """The format of a column: as many decimals as the report gives its values."""
    values = [float(value) for result in group if (value := result.final.get(name)) is not None]
    return "%d" if name in COUNTS else f"%.{max(0, places(values, spread(name, group)))}f"


def _filtered(
    data: str, group: Sequence[Result], present: Sequence[str], options: Options
) -> tuple[list[Result], list[str]]:
    one, two, three = st.columns(3)
    text = one.text_input("Name or option contains", key=f"contains_{data}").strip().lower()
    states = sorted({health.of_result(result) for result in group})
    wanted = two.multiselect("Health", states, placeholder="any", key=f"health_{data}")
    measures = three.multiselect(
        "Measures", present, default=present[:MOST_MEASURES], format_func=title, key=f"measures_{data}"
    )
    kept = [result for result in group if not wanted or health.of_result(result) in wanted]
    kept = [result for result in kept if text in _searched(result.run.name, options)]
    return kept, measures or list(present[:1])


def _searched(run: str, options: Options) -> str:
    return " ".join([run, *(f"{name}={value}" for name, value in options[run].items())]).lower()


def _state(result: Result, recommended: str | None) -> dict[str, Any]:
    known = recommended is not None and (
        result.run.name == recommended or result.run.name.startswith(f"{recommended}_s")
    )
    return {"run": result.run.name, "recommended": known, "health": health.of_result(result)}


def _options(group: Sequence[Result]) -> Options:
    """The options that differ among the runs of a data set, by run."""
    every = {other.run.name: dict(_leaves(other.run.model_dump(mode="json", include=set(BLOCKS)))) for other in group}
    values: dict[str, set[str]] = {}
    for one in every.values():
        for key in one:
            values.setdefault(key, set()).add(str(one[key]))
    differ = [key for key, found in values.items() if len(found) > 1 or not all(key in one for one in every.values())][
        :MOST_OPTIONS
    ]
    return {name: {key: one.get(key) for key in differ} for name, one in every.items()}


def _short(names: Iterable[str]) -> dict[str, Any]:
    """Headings of options: the last word of each, where no other has it; all of it is told when it is pointed at."""
    last = [name.rpartition(".")[2] for name in names]
    labels = {name: word if last.count(word) == 1 else name for name, word in zip(names, last, strict=True)}
    return {name: st.column_config.Column(label, help=name) for name, label in labels.items()}


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner if isinstance(inner, int | float | str | None) else str(inner)
