"""The frame of all pages: which there are, which run they are of, and what is said where something is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import missing, style
from vaelab.dashboard.runs import first_run, run_names

RUN, PAGES = "run", "pages"  # in the session
WANTED = "wanted_run"  # there, until the choice of runs is shown again: it may not be changed once it is


def overview() -> None:
    """Show all runs."""
    from vaelab.dashboard.overview import page

    page()


def run() -> None:
    """Show one run."""
    from vaelab.dashboard.run import page

    page(chosen())


def samples() -> None:
    """Show examples one by one."""
    from vaelab.dashboard.samples import page

    page(chosen())


def batch() -> None:
    """Show how measures are distributed."""
    from vaelab.dashboard.batch import page

    page(chosen())


def latents() -> None:
    """Show the latent space."""
    from vaelab.dashboard.latents import page

    page(chosen())


def defects() -> None:
    """Show what a threshold of anomaly scores is worth."""
    from vaelab.dashboard.defects import page

    page(chosen())


def own_images() -> None:
    """Show what a model makes of a user's images."""
    from vaelab.dashboard.own_images import page

    page(chosen())


class Shown(NamedTuple):
    """A page of the dashboard."""

    title: str
    show: Callable[[], None]  # imports what only this page needs


SHOWN = {
    "overview": Shown("Overview", overview),
    "run": Shown("Run", run),
    "samples": Shown("Samples", samples),
    "batch": Shown("Batch", batch),
    "latents": Shown("Latents", latents),
    "defects": Shown("Defects", defects),
    "own_images": Shown("Your images", own_images),
}


def show_all() -> None:
    """Show the page that is asked for, with the choice of page and run beside it."""
    st.set_page_config(page_title="vaelab", layout="wide", initial_sidebar_state=style.SIDEBAR, menu_items={})
    pages = {
        name: st.Page(_guarded(of), title=of.title, url_path=name, default=name == "overview")
        for name, of in SHOWN.items()
    }
    st.session_state[PAGES] = pages
    page = st.navigation(list(pages.values()))
    with st.sidebar:
        choice()
    page.run()


def show(name: str) -> None:
    """Show one page by its name, without the choice of pages."""
    with st.sidebar:
        choice()
    _guarded(SHOWN[name])()


def _guarded(shown: Shown) -> Callable[[], None]:
    def page() -> None:
        style.apply()
        if not run_names():
            st.title("No run yet")
            missing.say("resolve", more=f"`{artifacts.PARAMS}` names them; all stages in order:")
            return
        st.title(f"{shown.title} {chosen()}" if shown.show is run else shown.title)  # before what takes time
        missing.in_words(shown.show)()

    return page


def choice() -> None:
    """Let the user choose a run from a list; the address keeps it."""
    names = run_names()
    if not names:
        return
    asked = st.session_state.pop(WANTED, None) or st.session_state.get(RUN, st.query_params.get(RUN))
    if asked not in names:
        asked = first_run(names)
    st.session_state[RUN] = asked
    st.selectbox("Run", names, key=RUN)
    st.query_params[RUN] = st.session_state[RUN]
    st.caption(f"Project `{Path.cwd().name}`")


def chosen() -> str:
    """Return the run that is looked at."""
    return str(st.session_state[RUN])


def go(name: str, **state: object) -> None:
    """Show another page, of a run or a sample that is given as the session has it."""
    st.session_state.update(state)
    if PAGES in st.session_state:
        st.switch_page(st.session_state[PAGES][name])
