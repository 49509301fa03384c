"""Trainings that go on now: of this folder, and of the experiments that DVC runs, from its queue or not."""

import os
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from vaelab import artifacts
from vaelab.commands.tensorboard.places import places
from vaelab.dashboard import missing, reading
from vaelab.dashboard.numbers import plain
from vaelab.dashboard.runs import run_names
from vaelab.params.resolve import read_run

MOST = 6  # that are shown
SECONDS = 3  # after which they are looked at again
TRAINING = "training"  # in the session: the name of the one that page Run shows


class Training(NamedTuple):
    """A training that has not ended."""

    run: str
    name: str  # what it is called beside others: <run>@<experiment>, or the run
    root: Path  # of the project in which it is
    folder: Path  # with history.csv and checkpoints/

    @property
    def history(self) -> Path:
        """Its epochs."""
        return self.folder / "history.csv"

    @property
    def done(self) -> int:
        """How many epochs it has behind it."""
        return int(reading.table(self.history, "epoch")["epoch"].max())

    @property
    def total(self) -> int:
        """How many it was asked for."""
        return read_run(self.root / artifacts.resolved(self.run)).train.epochs

    @property
    def works(self) -> bool:
        """Whether a process of this machine works on it."""
        lock = self.folder.parent.with_name(f"{self.folder.parent.name}.lock")
        try:
            os.kill(int(lock.read_text()), 0)
        except PermissionError:  # of another user
            return True
        except (OSError, ValueError):
            return False
        return True

    @property
    def said(self) -> str:
        """How far it is."""
        what = "training" if self.works else "interrupted, and no process of this machine goes on with it"
        return f"{what}: {self.done} of {self.total} epochs"


def trainings(run: str | None = None) -> list[Training]:
    """Return the trainings that have not ended, of a run or of all; those of this folder come first."""
    found = _unpublished(str(Path.cwd()))
    return [one for one in found if run in (None, one.run) and one.history.is_file()]


@st.cache_data(ttl=1, show_spinner=False)
def _unpublished(project: str) -> list[Training]:
    found = [place for place in places() if place.folder.name == "output"]
    return [
        Training(place.run, place.name, place.root, place.folder)
        for place in sorted(found, key=lambda place: (bool(place.experiment), place.name))
    ]


def show() -> None:
    """Show the trainings that go on, again and again; with none there is nothing to see."""
    if trainings():
        st.fragment(missing.in_words(_list), run_every=SECONDS)()


def _list() -> None:
    from vaelab.dashboard.frame import WANTED, go

    found = trainings()
    st.subheader(f"{len(found)} training{'s' * (len(found) != 1)} not ended")
    for one in found[:MOST]:
        left, right = st.columns([5, 1], vertical_alignment="center")
        with left:
            missing.in_words(bar)(one)
        if one.run in run_names() and right.button("Curves", key=f"going_{one.name}", help=f"Of {one.name}"):
            go("run", **{WANTED: one.run, TRAINING: one.name})
    if found[MOST:]:
        st.caption(f"And {', '.join(one.name for one in found[MOST:][:MOST])}{' …' * (len(found) > 2 * MOST)}")


def bar(one: Training) -> None:
    """Show how far a training is."""
    st.progress(min(1.0, one.done / max(1, one.total)), f"**{plain(one.name)}**: {one.said}")
