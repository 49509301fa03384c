"""Page Latents: where examples lie, what each dimension carries, and what the model decodes from chosen latents."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import charts, decoding, examples, missing, project, reading
from vaelab.dashboard.frame import go
from vaelab.dashboard.numbers import known, printed, title
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.dashboard.samples import SAMPLE, choose_phase, measure_names
from vaelab.data.format.info import PHASES
from vaelab.errors import InputError
from vaelab.figures.latent_plane import MOST_POINTS, components

GROUP = "group"
MOST_BARS = 512  # dimensions of a chart: those with the largest KL


def page(run: str) -> None:
    """Show the latent space of a run."""
    path = artifacts.scores(run) / "arrays.safetensors"
    phases = [phase for phase in project.phases(run) if phase in PHASES and f"{phase}_mean" in reading.names(path)]
    if not phases:
        missing.say("evaluate", run)
        return
    left, right = st.columns(2)
    with left:
        phase = choose_phase(phases, f"latent_phase_{run}")
    missing.in_words(_conclusion)(run)
    missing.in_words(_projection)(run, phase, right)
    missing.in_words(_dimensions)(run, phase)
    decoding.show(run, phase)


def _conclusion(run: str) -> None:
    result = project.result(run)
    if result is None:
        return
    found, size = result.final, result.metrics["run"].get("latent_dim")
    active, rate, distance = (found.get(name) for name in ("active_units", "rate", "ks_mean"))
    said = f"{printed('active_units', active)} of {size} dimensions are active, together {printed('rate', rate)} nats"
    st.subheader(f"{said}; mean KS distance to N(0, 1) {printed('ks_mean', distance)}")


@st.cache_data(max_entries=6, show_spinner="Projecting ...")
def _projected(file: Stamp, phase: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places [n, 2], shares of the variance [2] and numbers [n] of the examples that the components are of."""
    from pathlib import Path

    mean, ids = reading.spread(Path(file[0]), f"{phase}_mean")
    places, shares = components(mean, 0)
    return places.astype(np.float32), shares, ids


def _projection(run: str, phase: str, controls: Any) -> None:
    """The first two principal components of the posterior means; a click shows the sample."""
    found = examples.table(run, phase)
    colours = [GROUP, *measure_names(run, found)]
    name = str(controls.selectbox("Colour by", colours, format_func=lambda n: n if n == GROUP else title(n)))
    places, shares, ids = _projected(stamp(artifacts.scores(run) / "arrays.safetensors"), phase)
    if len(found) <= int(ids.max(initial=0)):
        raise InputError(
            f"{artifacts.scores(run)}: examples.csv has {len(found)} rows of {phase}, arrays.safetensors "
            f"{int(ids.max()) + 1}; `dvc repro evaluate@{run}` makes both"
        )
    drawn = np.random.default_rng(0).permutation(len(ids))[:MOST_POINTS]
    rows = found.iloc[ids[drawn]]
    table = pd.DataFrame({"x": places[drawn, 0], "y": places[drawn, 1], "index": rows["index"].to_numpy()})
    table["value"] = charts.grouped(rows[GROUP].astype(str)).to_numpy() if name == GROUP else rows[name].to_numpy()
    point = alt.selection_point(name="point", fields=["index"])
    chart = _points(table, name, shares).add_params(point)
    text = f"Posterior means of {len(ids):,} examples of {phase}: the first two principal components"
    text += f", {len(drawn):,} drawn" if len(drawn) < len(ids) else ""
    event: Any = st.altair_chart(chart, on_select="rerun", key=f"projection_{run}_{phase}_{name}", alt=text)
    st.caption(f"{text}. A click on a point shows the sample.")
    chosen = event.selection.get("point", []) if event else []
    if chosen:
        go("samples", **{SAMPLE: int(chosen[0]["index"])})


def _points(table: pd.DataFrame, name: str, shares: np.ndarray) -> Any:
    if name == GROUP:
        names = sorted(set(table["value"]))
        colour = alt.Color("value:N", title=GROUP, scale=charts.palette(names), sort=names)
    else:
        colour = alt.Color(
            "value:Q", title=title(name), scale=alt.Scale(scheme="viridis"), legend=alt.Legend(format=".3g")
        )
    axes = [
        alt.Axis(title=f"{order} component, {share:.1%} of the variance")
        for order, share in zip(("first", "second"), shares, strict=True)
    ]
    return (
        alt.Chart(table)
        .mark_circle(size=34, opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=axes[0]), y=alt.Y("y:Q", axis=axes[1]), color=colour,
            tooltip=["index", alt.Tooltip("value", title=name if name == GROUP or not known(name) else title(name))],
        )
        .properties(height=460)
    )  # fmt: skip


def _dimensions(run: str, phase: str) -> None:
    table = reading.table(artifacts.scores(run) / "dimensions.csv", "phase", "dimension", "kl", "active")
    table = table[table["phase"] == phase].sort_values("kl", ascending=False, kind="stable")
    shown = table.head(MOST_BARS).assign(rank=np.arange(min(MOST_BARS, len(table))))
    shown["end"], shown["state"] = shown["rank"] + 1, np.where(shown["active"], "active", "inactive")
    total, half = float(table["kl"].sum()), int(np.searchsorted(table["kl"].cumsum(), table["kl"].sum() / 2)) + 1
    colour = alt.Scale(domain=["active", "inactive"], range=[charts.BLUE, charts.GRAY])
    chart = (
        alt.Chart(shown)
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("rank:Q", bin="binned", title="latent dimension, sorted by KL", scale=alt.Scale(nice=False)),
            x2="end:Q",
            y=alt.Y("kl:Q", title="KL, nats"),
            color=alt.Color("state:N", title=None, scale=colour, legend=alt.Legend(orient="top")),
            tooltip=["dimension", alt.Tooltip("kl:Q", format=".3f"), "state"],
        )
        .properties(height=280)
    )  # fmt: skip
    st.subheader(f"KL per dimension: half of {printed('rate', total)} nats is in {half} of {len(table)} dimensions")
    st.altair_chart(chart, alt=f"KL of each latent dimension on {phase}, sorted; {half} dimensions hold half of it")
    if len(table) > MOST_BARS:
        st.caption(f"The {MOST_BARS} largest of {len(table):,} are drawn.")
