"""Page Samples: examples one by one, the worst first; what was made of them, by this run and others, over epochs."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from vaelab.dashboard import examples, missing, project, sample
from vaelab.dashboard.gallery import of_examples
from vaelab.dashboard.numbers import digits, example_title
from vaelab.dashboard.ranking import ORDERS, Ranked, ranked

SAMPLE = "sample"  # in the session: number of the example in its phase
PHASE = "phase"
AT_ONCE, THUMBNAIL = 12, 66  # examples of a page, pixels


def page(run: str) -> None:
    """Show the examples of a run."""
    phases = project.phases(run)
    if not phases:
        missing.say("evaluate", run)
        return
    controls = st.columns([3, 2.2, 2.3, 2])
    with controls[0]:
        phase = choose_phase(phases, f"phase_{run}")
    with controls[1]:
        shown = measured(run, phase, f"measure_{run}")
    if shown is None:
        st.info(f"No measure of {phase} is saved; `{missing.command('evaluate', run)}` measures it.")
        return
    index = browse(run, phase, shown, controls[2:])
    if index is None:
        st.info("No example of this split is in the chosen groups.")
    else:
        missing.in_words(sample.show)(run, phase, index, shown)


def choose_phase(known: list[str], key: str) -> str:
    """Let the user choose a split; what was chosen on another page stays, where it is known here."""
    if st.session_state.get(key) not in known:
        asked = st.session_state.get(PHASE)
        st.session_state[key] = asked if asked in known else known[0]
    found = str(st.segmented_control("Split", known, required=True, key=key))
    st.session_state[PHASE] = found
    return found


def measured(run: str, phase: str, key: str) -> Ranked | None:
    """Let the user choose a measure of a split; None where it has none."""
    names = measure_names(run, examples.table(run, phase))
    if not names:
        return None
    return ranked(run, phase, str(st.selectbox("Measure", names, format_func=example_title, key=key)))


def browse(run: str, phase: str, by: Ranked, places: Sequence[Any]) -> int | None:
    """Let the user order, filter and choose; return the example that is chosen, None where there is none.

    Args:
        run: its name.
        phase: the split.
        by: its examples.
        places: two, for the controls of order and groups.
    """
    order = str(
        places[0].segmented_control(
            "First", ORDERS, default=ORDERS[0], required=True, key="order", format_func=by.called
        )
    )
    groups = sorted(by.table["group"].astype(str).unique())
    wanted = places[1].multiselect("Groups", groups, placeholder="all", key="groups") if len(groups) > 1 else []
    shown = by.ordered(order, wanted)
    if not len(shown):
        return None
    said = f"{len(shown):,} of {len(by.table):,} examples of {phase}, {by.described(order)}{_remade(run, phase)}"
    return _choose(run, phase, shown, by, said)


def _choose(run: str, phase: str, shown: pd.DataFrame, by: Ranked, said: str) -> int:
    """A page of examples with buttons; the one that was chosen, here or elsewhere, else the first."""
    pages = -(-len(shown) // AT_ONCE)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.caption(said)
    key = f"page_{run}_{phase}_{by.measure}_{len(shown)}"
    number = right.number_input(f"Page of {pages:,}", 1, pages, 1, key=key)
    part = shown.iloc[(number - 1) * AT_ONCE : number * AT_ONCE]
    values = zip(part["index"], part[by.measure], strict=True)
    captions = [f"{index} · {digits(value)}" for index, value in values]
    pressed = of_examples(run, phase, part["index"].tolist(), captions, f"browse_{run}", THUMBNAIL)
    if pressed is not None:
        st.session_state[SAMPLE] = pressed
    asked = st.session_state.get(SAMPLE)
    known = asked is not None and bool((by.table["index"] == asked).any())
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
