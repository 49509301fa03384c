"""How a training goes: the objective, the metric that selects checkpoints, terms, and what else history.csv has."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from vaelab.dashboard import charts, missing, project, reading
from vaelab.dashboard.numbers import known, title
from vaelab.figures.canvas.colours import GRAY

FEW = 100_000  # characters of a table that is worth showing whole
KEPT = ("epoch", "phase", "step")
LATENT = ("snr_max", "active_units", "latent_gap")


def live(run: str) -> None:
    """Show a training that goes on; called again and again."""
    path, running = project.training_history(run)
    if path is None or not running:
        st.rerun()
    done, total = int(reading.table(path)["epoch"].max()), project.run(run).train.epochs
    st.progress(min(1.0, done / total), f"Training: {done} of {total} epochs; the curves follow")
    show(run)


def show(run: str) -> None:
    """Show the curves of the newest training of a run."""
    path, _ = project.training_history(run)
    if path is None:
        missing.say("train", run)
        return
    history = reading.table(path)
    after = history[history["epoch"] > 0]  # the untrained model may be so far off that the rest would be flat
    if not len(after):
        st.info("No epoch is done yet.")
        return
    left, right = st.columns(2)
    with left:
        _draw(after, "loss", run)
    with right:
        _draw(after, selects(run, after), run)
    left, right = st.columns(2)
    with left:
        _terms(after, run)
    with right:
        rest = [name for name in history.columns if name not in KEPT and not name.endswith("_weighted")]
        preferred = next((name for name in ("kl", "gradient_norm") if name in rest), rest[0])
        name = st.selectbox("Also", rest, rest.index(preferred), format_func=_title, key=f"column_{run}")
        _draw(after, str(name), run)


def selects(run: str, history: pd.DataFrame) -> str:
    """Return the metric that selects the checkpoints of a run, where its history has it."""
    name = project.run(run).train.metric
    return name if name in history.columns else "loss"


def _title(name: str) -> str:
    return title(name) if known(name) else name.replace("_", " ")


def _draw(history: pd.DataFrame, name: str, run: str, height: int = 300) -> None:
    table = history[["epoch", "phase", name]].rename(columns={name: "value"}).dropna()
    if not len(table):
        st.info(f"{_title(name)} is not known of any epoch yet.")
        return
    chart = charts.lines(table, "", height=height)
    last = table.iloc[-1]
    alt_text = f"{_title(name)} by epoch; in epoch {last['epoch']} {last['value']:.4g} on {last['phase']}"
    best, (_, running) = project.result(run), project.training_history(run)
    epoch = best.metrics["run"].get("best_epoch") if best and not running else None
    if epoch:
        chart = chart + _rule(int(epoch))
    st.altair_chart(chart.properties(title=_title(name)), alt=alt_text)


def _rule(epoch: int) -> Any:
    """A line at the epoch whose weights are the run's."""
    return (
        alt.Chart(pd.DataFrame({"epoch": [epoch], "text": ["kept epoch"]}))
        .mark_rule(color=GRAY, strokeDash=[4, 3])
        .encode(x="epoch:Q", tooltip=["text", "epoch"])
    )


def _terms(history: pd.DataFrame, run: str) -> None:
    """What each weighted term adds to the objective on val."""
    names = [name for name in history.columns if name.endswith("_weighted")]
    table = history[history["phase"] == "val"].melt("epoch", names, "term", "value")
    table["term"] = table["term"].str.removesuffix("_weighted")
    chart = charts.lines(table, "on val", "term", 370)
    st.altair_chart(chart.properties(title="Weighted terms of the objective, val"), alt="each weighted term by epoch")
