"""Page Samples: examples one by one, the worst first; what was made of them, by this run and others, over epochs."""

import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import examples, missing, project, sample
from vaelab.dashboard.gallery import of_examples
from vaelab.dashboard.numbers import digits, title
from vaelab.metrics.tables import better

SAMPLE = "sample"  # in the session: number of the example in its phase
PHASE = "phase"
AT_ONCE = 12
ORDERS = ("worst", "best", "as stored")


def page(run: str) -> None:
    """Show the examples of a run."""
    phases = project.phases(run)
    if not phases:
        missing.say("evaluate", run)
        return
    left, right = st.columns([2, 5], gap="medium")
    with left:
        phase = choose_phase(phases, f"phase_{run}")
        index = browse(run, phase)
    with right:
        if index is None:
            st.info("No example of this split is in the chosen groups.")
        else:
            sample.show(run, phase, index)


def choose_phase(known: list[str], key: str) -> str:
    """Let the user choose a split; what was chosen on another page stays, where it is known here."""
    if st.session_state.get(key) not in known:
        asked = st.session_state.get(PHASE)
        st.session_state[key] = asked if asked in known else known[0]
    found = str(st.segmented_control("Split", known, required=True, key=key))
    st.session_state[PHASE] = found
    return found


def browse(run: str, phase: str) -> int | None:
    """Let the user order, filter and choose; return the example that is chosen, None where there is none."""
    found = examples.table(run, phase)
    names = measure_names(run, found)
    measure = str(st.selectbox("Measure", names, format_func=title, key=f"measure_{run}"))
    order = str(st.segmented_control("First", ORDERS, default=ORDERS[0], required=True, key="order"))
    groups = sorted(found["group"].unique())
    wanted = st.multiselect("Groups", groups, placeholder="all", key="groups") if len(groups) > 1 else []
    shown = ordered(found, measure, order, wanted)
    if not len(shown):
        return None
    said = order if order == ORDERS[2] else f"{order} first by {title(measure)}"
    st.caption(f"{len(shown):,} of {len(found):,} examples of {phase}, {said}{_remade(run, phase)}")
    return _choose(run, phase, found, shown, measure)


def _choose(run: str, phase: str, found: pd.DataFrame, shown: pd.DataFrame, measure: str) -> int:
    """A page of examples with buttons; the one that was chosen, here or elsewhere, else the first."""
    pages = -(-len(shown) // AT_ONCE)
    number = st.number_input(f"Page of {pages:,}", 1, pages, 1, key=f"page_{run}_{phase}_{measure}_{len(shown)}")
    part = shown.iloc[(number - 1) * AT_ONCE : number * AT_ONCE]
    values = zip(part["index"], part[measure], strict=True)
    captions = [f"{index} · {digits(value)}" for index, value in values]
    pressed = of_examples(run, phase, part["index"].tolist(), captions, f"browse_{run}", columns=3)
    if pressed is not None:
        st.session_state[SAMPLE] = pressed
    asked = st.session_state.get(SAMPLE)
    known = asked is not None and bool((found["index"] == asked).any())
    return int(asked) if known and asked is not None else int(part["index"].iloc[0])


def measure_names(run: str, found: pd.DataFrame) -> list[str]:
    """Return the measures of a table of examples, those that matter first."""
    names = examples.measures(found)
    return sorted(names, key=lambda name: (name not in (first := project.views(run).first), _place(name, first)))


def _place(name: str, first: tuple[str, ...]) -> int:
    return first.index(name) if name in first else 0


def _remade(run: str, phase: str) -> str:
    kept, total = len(examples.kept_ids(run, phase)), len(examples.table(run, phase))
    return "" if kept == total else f"; reconstructions of {kept:,} are saved, the model makes the others now"


def ordered(found: pd.DataFrame, measure: str, order: str, groups: list[str]) -> pd.DataFrame:
    """Return the rows of some groups (none: of all) by a measure; examples that lack it come last."""
    shown = found[found["group"].isin(groups)] if groups else found
    if order == ORDERS[2]:
        return shown
    rising = (ascending_is_worse(measure)) == (order == ORDERS[0])
    values = shown[measure].to_numpy(dtype=np.float64)
    return shown.iloc[np.argsort(np.where(np.isnan(values), np.inf, values if rising else -values), kind="stable")]


def ascending_is_worse(measure: str) -> bool:
    """Return whether small values of a measure are bad ones; of anomaly scores large ones are."""
    try:
        return better(measure) in ("higher", "closest")
    except KeyError:
        return False
