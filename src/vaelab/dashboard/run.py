"""Page Run: is it healthy, what to do, how it trained (live), its pictures and its options."""

from pathlib import Path
from typing import Literal

import streamlit as st
import yaml
from streamlit.delta_generator import DeltaGenerator

from vaelab import artifacts
from vaelab.comparison import charts
from vaelab.comparison.charts import baseline_titles
from vaelab.comparison.collect import Result
from vaelab.dashboard import curves, findings, found_defects, going, health, missing, project, reading
from vaelab.dashboard.numbers import title
from vaelab.metrics.tables import better, improves, ranking_metric

DEFECTS = "defect_average_precision"
FACTS = ("rate", "active_units")
LIVE_SECONDS = 3


def page(run: str) -> None:
    """Show a run."""
    missing.in_words(_found)(run)
    st.header("Training", divider="gray")
    _training(run)
    missing.in_words(_pictures)(run)
    with st.expander("All options of this run"):
        st.code(yaml.safe_dump(project.run(run).model_dump(mode="json"), sort_keys=False), language="yaml")


def _found(run: str) -> None:
    """Whether it is healthy, its numbers and findings."""
    result = project.result(run)
    if result is None:
        st.markdown(f"Not measured yet; {health.state(run)}.")
        return
    if project.training_history(run)[1]:
        st.info("It is being trained again: findings, numbers and pictures are of the training before.")
    findings.conclusion(result)
    _numbers(result)
    findings.show(result)


def _training(run: str) -> None:
    """The training that is asked for, of those that go on and the one that has ended."""
    names = [one.name for one in going.trainings(run)]
    known = names if run in names or project.training_history(run)[0] is None else [*names, run]
    asked = st.session_state.pop(going.TRAINING, None)
    if asked in known:
        st.session_state[f"training_{run}"] = asked
    chosen = run
    if known and known != [run]:
        if st.session_state.get(f"training_{run}", known[0]) not in known:  # it has ended meanwhile
            del st.session_state[f"training_{run}"]
        chosen = str(st.selectbox("Training", known, key=f"training_{run}"))
    if chosen in names:
        st.fragment(missing.in_words(curves.live), run_every=LIVE_SECONDS)(chosen, run)
    else:
        missing.in_words(_finished)(run)
        missing.in_words(curves.show)(run)


def _numbers(result: Result) -> None:
    """What the report leads with, each beside its best baseline, and what the latents carry."""
    ranks, counts = ranking_metric(project.compare_options().metric, result.run.kind), found_defects.counts(result)
    leading = ([DEFECTS] if counts else []) + [ranks]
    shown = [name for name in leading if result.final.get(name) is not None]
    cells = st.columns(len(shown) + len(FACTS) + 1 + bool(counts))
    for name in shown:
        _beside_best(cells.pop(0), name, result)
        if name == DEFECTS:
            found, missed = counts[found_defects.FOUND], counts[found_defects.MISSED]
            cells.pop(0).metric("Defects found", f"{found} of {found + missed}")
    for fact in FACTS:
        value = result.final.get(fact)
        cells.pop(0).metric(title(fact), "–" if value is None else charts.printed(fact, float(value), [result]))
    run = result.metrics["run"]
    cells.pop(0).metric("Best epoch", f"{run.get('best_epoch', '–')} of {result.run.train.epochs}")


def _beside_best(cell: DeltaGenerator, name: str, result: Result) -> None:
    """A metric, and how far it is from the best baseline."""
    value, titles = float(result.final[name]), baseline_titles(result)
    reached = {key: of[name] for key, of in result.baselines.items() if of.get(name) is not None}
    best = None
    for key, other in reached.items():
        if improves(name, other, None if best is None else reached[best]):
            best = key
    delta = None if best is None else f"{value - reached[best]:+.3g} against {titles.get(best, best)}"
    colour: Literal["inverse", "normal"] = "inverse" if better(name) == "lower" else "normal"
    text = charts.printed(name, value, [result])
    cell.metric(f"{title(name)}, {result.phase}", text, delta, delta_color=colour)


def _finished(run: str) -> None:
    ended = reading.record(artifacts.training(run))
    if ended:
        seconds = ended.get("seconds")
        took = "" if seconds is None else f" It took {seconds:,.0f} s."
        st.markdown(f"Training ended: {ended.get('reason', 'unknown why')}.{took}")


def _pictures(run: str) -> None:
    st.header("Pictures", divider="gray")
    folder = artifacts.plots(run)
    found = sorted([*folder.glob("*.png"), *folder.glob("*.gif")])
    if not found:
        missing.say("visualize", run)
        return
    path = st.selectbox("Picture", found, format_func=_named, key=f"picture_{run}")
    st.image(str(path), alt=f"{_named(path)} of run {run}, as stage visualize drew it")


def _named(path: Path) -> str:
    return path.stem.replace("_", " ").capitalize() + (" (moving)" if path.suffix == ".gif" else "")
