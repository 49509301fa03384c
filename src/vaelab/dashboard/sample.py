"""One example: its pictures, measures beside those of all others, what is known of it, over epochs, in other runs."""

import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import epochs, examples, missing, project
from vaelab.dashboard.all_runs import readable
from vaelab.dashboard.examples import Pair
from vaelab.dashboard.gallery import legend, panels, picture
from vaelab.dashboard.kinds.kind import Look
from vaelab.dashboard.look import look as chosen_look
from vaelab.dashboard.look import shown
from vaelab.dashboard.numbers import digits, known, over_grids, plain, printed, short, title
from vaelab.dashboard.ranking import Ranked, thresholds
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.errors import InputError
from vaelab.metrics.tables import TABLES, better

AGREES = 1e-3  # relative difference up to which a measure is the one that evaluate saved
MOST_RUNS, A_ROW = 6, 3  # that are shown, side by side


def show(run: str, phase: str, index: int, by: Ranked) -> None:
    """Show an example, with its place by a measure."""
    found = pair(run, phase, index)
    look = chosen_look(run, "samples")
    info, view = project.info(project.run(run).data), project.views(run)
    st.subheader(f"{view.noun.capitalize()} {index} of {phase}: {by.place(index)}")
    one = shown(run, phase, index, found.original[0], found.reconstruction[0])
    panels(view.panels(one, info, look))
    legend(view, look)
    if view.lists:
        for cell, (heading, lines) in zip(st.columns(3), view.lists(one, info, look).items(), strict=False):
            cell.markdown(f"**{heading}**")
            cell.text("\n".join(lines) or "none")
    left, right = st.columns([3, 1])
    with right:
        _metadata(run, phase, index)
    others(run, phase, index, look)
    epochs.show(run, look, phase, index)
    with left:  # last: the first time it loads torch and the model, while all else is there to be seen
        _measures(run, phase, index)


def pair(run: str, phase: str, index: int) -> Pair:
    """Return an example with its reconstruction, saved or made now."""
    found = examples.pair(run, phase, [index])
    if found is not None:
        return found
    from vaelab.dashboard import live

    return live.pair(run, phase, [index])


def _measures(run: str, phase: str, index: int) -> None:
    """Each measure as the evaluation's own functions have it now, beside all examples of the phase."""
    st.markdown("**Measures**")
    found = examples.table(run, phase)
    saved = found[found["index"] == index].iloc[0]
    names = examples.measures(found)
    if phase in DEFECT_PHASES:
        now, source = {name: float(saved[name]) for name in names}, "Anomaly scores as stage threshold saved them."
    else:
        now, source = _now(run, phase, index, {name: float(saved[name]) for name in names})
    beside = _beside_defects if phase in DEFECT_PHASES else _beside
    rows = [
        {"measure": title(name), "this one": digits(value)} | beside(run, phase, name) for name, value in now.items()
    ]
    st.table(pd.DataFrame(rows).set_index("measure"), alt=f"Measures of {index} of {phase}, beside all of {phase}")
    if any(over_grids(name) for name in now):
        source += " Means of shares of cells are over grids here; the report has them under that name, and pooled."
    st.caption(source)


def _beside(run: str, phase: str, name: str) -> dict[str, str]:
    """What a measure of one example is read beside."""
    found = examples.table(run, phase)
    there, way = name in found, better(name) if known(name) else "lower"
    return {
        f"mean of {phase}": digits(float(found[name].mean())) if there else "–",
        f"5 to 95 % of {phase}": _range(found, name) if there else "–",
        "better": "–" if way == "none" else way,
    }


def _beside_defects(run: str, phase: str, name: str) -> dict[str, str]:
    """What an anomaly score is read beside."""
    found, threshold = examples.table(run, phase), thresholds(run).get(name)
    of_defects, of_intact = (found.loc[found["label"] != 0, name], found.loc[found["label"] == 0, name])
    return {
        "threshold": "–" if threshold is None else digits(threshold),
        "mean of intact": digits(float(of_intact.mean())),
        "mean of defects": digits(float(of_defects.mean())),
    }


def _now(run: str, phase: str, index: int, saved: dict[str, float]) -> tuple[dict[str, float], str]:
    """Measures of the model's output now, and what is said of them; those that are saved where it is not there."""
    try:
        from vaelab.dashboard import live

        found = live.measures(run, phase, index)
    except InputError as error:
        return saved, f"As stage evaluate saved them; not computed now: {error}"
    unlike = [
        title(name) for name, value in found.items()
        if name in saved and not np.isclose(value, saved[name], rtol=AGREES, atol=1e-6, equal_nan=True)
    ]  # fmt: skip
    if unlike:
        return found, f"Computed now; **stage evaluate saved other values** ({', '.join(unlike)}): run it again."
    rest = ", ".join(short(name) for name in saved if name not in found)
    more = f"; of drawn z, as saved: {rest}" if rest else ""
    text = f"Computed now, and the same as stage evaluate saved{more}."
    return found | {name: value for name, value in saved.items() if name not in found}, text


def _range(found: pd.DataFrame, name: str) -> str:
    low, high = np.nanpercentile(found[name].to_numpy(dtype=np.float64), (5, 95))
    return f"{digits(float(low))} to {digits(float(high))}"


def _metadata(run: str, phase: str, index: int) -> None:
    st.markdown("**What is known of it**")
    found = {"data set": project.run(run).data, "split": phase, "number": index}
    found |= examples.metadata(project.run(run).data, phase, index)
    st.markdown("\n".join(f"- {name}: {plain(value)}" for name, value in found.items()))


def others(run: str, phase: str, index: int, look: Look) -> None:
    """Show the same example as other runs on the same data have it, on the same scales."""
    data = project.run(run).data
    names = [other.name for other in readable() if other.name != run and other.data == data]
    if not names:
        return
    st.subheader("The same in other runs")
    chosen = names[:MOST_RUNS]
    if len(names) > MOST_RUNS:
        chosen = st.multiselect(
            f"Runs, {MOST_RUNS} at most of {len(names)}", names, default=chosen, max_selections=MOST_RUNS
        )
    for start in range(0, len(chosen), A_ROW):
        for name, cell in zip(chosen[start : start + A_ROW], st.columns(A_ROW), strict=False):
            with cell:
                missing.in_words(_other)(name, phase, index, look)


def _other(name: str, phase: str, index: int, look: Look) -> None:
    """An example as another run has it."""
    kept = examples.pair(name, phase, [index])
    if kept is None:
        st.markdown(f"**{name}**: it has not saved this example")
        return
    st.markdown(f"**{name}**: {_value(name, phase, index)}")
    one = shown(name, phase, index, kept.original[0], kept.reconstruction[0])
    view, info = project.views(name), project.info(project.run(name).data)
    for panel in view.panels(one, info, look)[1:]:
        picture(panel.pixels, f"{name}: {panel.alt}")
        st.caption(panel.title)


def _value(run: str, phase: str, index: int) -> str:
    """The measure that stands beside reconstructions, of one example."""
    table, measure = examples.table(run, phase), TABLES[project.run(run).kind].example_score
    if measure not in table:
        return ""
    return f"{short(measure)} {printed(measure, float(table.loc[table['index'] == index, measure].iloc[0]))}"
