"""The same examples at every checkpoint: what the snapshots of a training hold, with a slider over its epochs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from vaelab import storage
from vaelab.dashboard import charts, missing, project, reading, weights
from vaelab.dashboard.gallery import panels
from vaelab.dashboard.kinds.kind import Look, Shown
from vaelab.dashboard.numbers import printed, short, title
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.metrics.tables import TABLES

SUFFIX = ".samples.safetensors"  # as training writes them
THRESHOLD = 0.5  # of tags, where a checkpoint says no other


class Checkpoint(NamedTuple):
    """A snapshot of a training."""

    path: Path
    facts: dict[str, Any]

    @property
    def epoch(self) -> int:
        """When it was taken."""
        return int(self.facts["epoch"])

    @property
    def label(self) -> str:
        """Its epoch, and whether the run was best there so far."""
        return f"{self.epoch}{' (best so far)' * self.path.name.startswith('best')}"


def checkpoints(run: str) -> list[Checkpoint]:
    """Return the snapshots of a run, of a training that goes on where there is one, by epoch."""
    found = [Checkpoint(path, _facts(stamp(path))) for path in project.checkpoints(run).glob(f"*{SUFFIX}")]
    by_epoch = {one.epoch: one for one in sorted(found, key=lambda one: one.path.name.startswith("best"))}
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


@st.cache_data(max_entries=1024, show_spinner=False)
def _facts(file: Stamp) -> dict[str, Any]:
    with reading.as_written(Path(file[0])), storage.opened(Path(file[0]), "numpy") as opened:
        found = dict(json.loads(opened.metadata()["facts"]))
        return found | {"epoch": int(found["epoch"])}


@st.fragment
@missing.in_words
def show(run: str, look: Look, phase: str, index: int) -> None:
    """Show an example over epochs, and a training example that every checkpoint kept, with its score over all."""
    found = checkpoints(run)
    if not found:
        return
    st.subheader("Over epochs")
    ids = reading.small(found[-1].path, "ids").tolist()
    kept = phase == "train" and index in ids
    if not kept:
        missing.in_words(weights.show)(run, look, phase, index)
    _kept(run, look, found, ids, ids.index(index) if kept else 0)


def _kept(run: str, look: Look, found: Sequence[Checkpoint], ids: Sequence[int], start: int) -> None:
    """A training example at the epoch that the user chooses."""
    view, info = project.views(run), project.info(project.run(run).data)
    text = f"Training {view.noun} that every checkpoint kept"
    place = ids.index(st.selectbox(text, ids, start, key=f"kept_{run}_{start}"))
    labels = {one.label: one for one in found}
    first = next(iter(labels))
    label = st.select_slider("Epoch", list(labels), first, key=f"epoch_{run}") if len(labels) > 1 else first
    one = labels[str(label)]
    x, y = (reading.rows(one.path, name, [place])[0] for name in ("original", "reconstruction"))
    look = look._replace(threshold=float(one.facts.get("threshold", THRESHOLD)))
    panels(view.panels(Shown(x, y), info, look))
    _scores(found, one, place, TABLES[info.kind].example_score)


def _scores(found: Sequence[Checkpoint], chosen: Checkpoint, place: int, measure: str) -> None:
    """The score of an example at each checkpoint, and at the chosen one."""
    scores = [float(reading.small(one.path, "score")[place]) for one in found]
    best = max(range(len(scores)), key=scores.__getitem__)
    now = printed(measure, float(reading.small(chosen.path, "score")[place]))
    text = f"Epoch {chosen.epoch}: {short(measure)} {now}"
    st.caption(f"{text}; best of these checkpoints: {printed(measure, scores[best])} in epoch {found[best].epoch}")
    if len(found) > 1:
        table = pd.DataFrame({"epoch": [one.epoch for one in found], measure: scores})
        line = charts.line(table, "epoch", measure, title(measure))
        rule = alt.Chart(pd.DataFrame({"epoch": [chosen.epoch]})).mark_rule(color=charts.ORANGE).encode(x="epoch:Q")
        alt_text = f"{title(measure)} of this example from epoch {found[0].epoch} to {found[-1].epoch}"
        st.altair_chart((line + rule).properties(height=200), alt=alt_text)
