"""How a training goes: the objective, the metric that selects checkpoints, terms, and what else history.csv has."""

from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, going, missing, project, reading
from vaelab.dashboard.numbers import known, printed, title
from vaelab.figures.canvas.colours import GRAY
from vaelab.figures.kind import RATE

FAR = 2.0  # times the range of the other epochs, by which the untrained model may be off and still be drawn
KEPT = ("epoch", "phase", "step")


def live(name: str, run: str) -> None:
    """Show a training that goes on, by its name; called again and again."""
    found = next((one for one in going.trainings(run) if one.name == name), None)
    if found is None:
        st.rerun()
    going.bar(found)
    _show(run, found.history, name)


def show(run: str) -> None:
    """Show the curves of the training whose model a run has."""
    path, _ = project.training_history(run)
    if path is None:
        missing.say("train", run)
    else:
        _show(run, path, run)


def _show(run: str, path: Path, key: str) -> None:
    history = reading.table(path, "epoch", "phase", "loss")
    if not (history["epoch"] > 0).any():
        st.info("No epoch is done yet.")
        return
    kept = _kept_epoch(run) if key == run else None
    left, right = st.columns(2)
    with left:
        _draw(history, "loss", kept)
    with right:
        _draw(history, selects(run, history), kept)
    left, right = st.columns(2)
    with left:
        _terms(history)
    with right:
        rest = [name for name in history.columns if name not in KEPT and not name.endswith("_weighted")]
        preferred = next((name for name in ("kl", "gradient_norm") if name in rest), rest[0])
        name = st.selectbox(
            "Also", rest, rest.index(preferred), format_func=partial(column_title, history=history), key=f"column_{key}"
        )
        _draw(history, str(name), kept)


def _kept_epoch(run: str) -> int | None:
    """The epoch whose weights are those of a run."""
    if project.training_history(run)[1]:
        return None
    found = project.result(run)
    epoch = found.metrics["run"].get("best_epoch") if found else None
    return None if epoch is None else int(epoch)


def selects(run: str, history: pd.DataFrame) -> str:
    """Return the metric that selects the checkpoints of a run, where its history has it."""
    name = project.run(run).train.metric
    return name if name in history.columns else "loss"


def column_title(name: str, history: pd.DataFrame) -> str:
    """Return what a column of history.csv is: the title of its metric with unit, or which part of the objective."""
    if name == RATE:
        return title("rate")
    if known(name):
        return title(name)
    if f"{name}_weighted" in history:
        return f"term {name.replace('_', ' ')}, unweighted"
    term = name.removesuffix("_weight").replace("_", " ")
    return f"weight of {'the rate' if term == RATE else f'term {term}'}" if name.endswith("_weight") else term


def _draw(history: pd.DataFrame, name: str, kept: int | None, height: int = 300) -> None:
    table = history[["epoch", "phase", name]].rename(columns={name: "value"}).dropna()
    if not len(table):
        st.info(f"{column_title(name, history)} is not known of any epoch yet.")
        return
    table, beyond = within(table)
    chart: Any = charts.lines(table, "", height=height)
    last, named = table.iloc[-1], column_title(name, history)
    reached = printed(name, float(last["value"]))
    alt_text = f"{named} by epoch; in epoch {last['epoch']} {reached} on {last['phase']}"
    if kept is not None:
        chart = chart + _rule(kept)
    st.altair_chart(chart.properties(title=named), alt=alt_text)
    if beyond or 0 in set(table["epoch"]):
        st.caption(f"Epoch 0: before training{beyond}.")


def within(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the table without epoch 0 where that is so far off that the rest would be flat; and what it is there."""
    after = table[table["epoch"] > 0]
    first = table[table["epoch"] == 0]
    if not len(first) or not len(after):
        return table, ""
    low, high = float(after["value"].min()), float(after["value"].max())
    room = FAR * (high - low)
    if ((first["value"] >= low - room) & (first["value"] <= high + room)).all():
        return table, ""
    values = ", ".join(f"{value:.4g} on {phase}" for phase, value in zip(first["phase"], first["value"], strict=True))
    return after, f", {values}; beyond the axis"


def _rule(epoch: int) -> Any:
    """A line at the epoch whose weights are the run's."""
    return (
        alt.Chart(pd.DataFrame({"epoch": [epoch], "text": ["kept epoch"]}))
        .mark_rule(color=GRAY, strokeDash=[4, 3])
        .encode(x="epoch:Q", tooltip=["text", "epoch"])
    )


def _terms(history: pd.DataFrame) -> None:
    """What each weighted term adds to the objective on val."""
    names = [name for name in history.columns if name.endswith("_weighted")]
    table = history[history["phase"] == "val"].melt("epoch", names, "term", "value")
    table["term"] = table["term"].str.removesuffix("_weighted").replace(RATE, "rate")
    table, beyond = within(table.dropna(subset=["value"]).rename(columns={"term": "phase"}))
    chart = charts.lines(table.rename(columns={"phase": "term"}), "", "term", 370)
    st.altair_chart(
        chart.properties(title="terms of the objective, weighted, on val"), alt="each weighted term by epoch"
    )
    if beyond:
        st.caption(f"Epoch 0: before training{beyond.replace(' on ', ' of ')}.")
