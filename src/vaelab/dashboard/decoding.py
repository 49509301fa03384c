"""What the model of a run decodes now: latents moved by hand, the way between two samples, draws from the prior."""

import numpy as np
import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import examples, missing, project, reading
from vaelab.dashboard.gallery import told
from vaelab.dashboard.numbers import escaped, printed, title
from vaelab.dashboard.samples import SAMPLE
from vaelab.metrics.tables import held_out

MOVED, REACH = 6, 4.0  # dimensions with a slider, standard deviations of the prior
STEPS = 8
DRAWN, NOW = 12, "N(0, I), decoded now"
UNLIKE = 0.1  # of what held-out data reach, below which samples are of no use
SAMPLED = {
    "sample_precision": "{:.0%} of its samples look like data, where {:.0%} of held-out data do",
    "sample_recall": "its samples cover {:.0%} of the data, where held-out data cover {:.0%}",
}


def show(run: str, phase: str) -> None:
    """Show all that needs the model."""
    if not (artifacts.models(run) / "model.safetensors").is_file():
        missing.say("train", run)
        return
    _traversal(run, phase)
    _interpolation(run, phase)
    _prior(run)


def _row(run: str, phase: str, index: int) -> int:
    """The row of an example among those that are measured; of one that is not, of the one before it."""
    path, name = artifacts.scores(run) / "arrays.safetensors", f"{phase}_rows"
    if name not in reading.names(path):
        return index
    return max(0, int(np.searchsorted(reading.small(path, name), index, side="right")) - 1)


def _mean(run: str, phase: str, index: int) -> np.ndarray:
    path, row = artifacts.scores(run) / "arrays.safetensors", _row(run, phase, index)
    return np.asarray(reading.rows(path, f"{phase}_mean", [row])[0])


def _group(run: str, phase: str, index: int) -> int:
    """The group of an example, which conditional models are told."""
    return int(reading.small(artifacts.scores(run) / "arrays.safetensors", f"{phase}_group")[_row(run, phase, index)])


def _tiles(run: str, decoded: np.ndarray, captions: list[str]) -> None:
    view, info = project.views(run), project.info(project.run(run).data)
    told(view.tiles(list(decoded), info), captions, [f"decoded {view.noun}, {text}" for text in captions])


def _start(run: str, phase: str) -> int:
    asked = st.session_state.get(SAMPLE)
    last = int(examples.table(run, phase)["index"].max())
    return min(int(asked), last) if asked is not None else 0


@st.fragment
@missing.in_words
def _traversal(run: str, phase: str) -> None:
    """The dimensions with the largest KL, moved by sliders from the posterior mean of a sample."""
    st.subheader("Move a sample along the dimensions with the largest KL")
    last = int(examples.table(run, phase)["index"].max())
    index = int(st.number_input(f"Start: sample of {phase}", 0, last, _start(run, phase), key=f"start_{run}_{phase}"))
    mean = _mean(run, phase, index)
    table = reading.table(artifacts.scores(run) / "dimensions.csv", "phase", "dimension", "kl")
    largest = table[table["phase"] == phase].nlargest(MOVED, "kl")
    z = mean.copy()
    left, right = st.columns(2)
    with left:
        for dimension, kl in zip(largest["dimension"].astype(int), largest["kl"], strict=True):
            value = float(np.clip(mean[dimension], -REACH, REACH))
            text = f"Dimension {dimension} ({kl:.2f} nats)"
            z[dimension] = st.slider(text, -REACH, REACH, value, 0.05, key=f"move_{run}_{phase}_{index}_{dimension}")
    with right:
        from vaelab.dashboard import live

        moved = ", ".join(f"{d}" for d in largest["dimension"].astype(int) if abs(z[d] - mean[d]) > 0.05)
        captions = ["at its posterior mean", f"moved: dimension {moved}" if moved else "not moved yet"]
        _tiles(run, live.decode(run, np.stack([mean, z]), _group(run, phase, index)), captions)


@st.fragment
@missing.in_words
def _interpolation(run: str, phase: str) -> None:
    st.subheader("From one sample to another, in a straight line between posterior means")
    last = int(examples.table(run, phase)["index"].max())
    one, two = st.columns(2)
    first = int(one.number_input("From", 0, last, _start(run, phase), key=f"from_{run}_{phase}"))
    second = int(two.number_input("To", 0, last, last, key=f"to_{run}_{phase}"))
    share = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
    z = (1 - share) * _mean(run, phase, first) + share * _mean(run, phase, second)
    from vaelab.dashboard import live

    _tiles(run, live.decode(run, z, _group(run, phase, first)), [f"{float(s):.0%} of the way" for s in share[:, 0]])


def _unlike_data(run: str) -> str | None:
    """Why draws from the prior show nothing that a run was trained on, in a sentence; None where they do."""
    result = project.result(run)
    if result is None:
        return None
    found = result.final
    for name, text in SAMPLED.items():
        own, real = found.get(name), found.get(held_out(name))
        if own is not None and real and own < UNLIKE * real:
            spread = printed("ks_mean", found.get("ks_mean"))
            said = f"Run {run} cannot be sampled: {text.format(own, real)} ({title(name)})"
            return f"{said}; the mean KS distance of its latents to N(0, 1) is {spread}."
    return None


def _prior(run: str) -> None:
    st.subheader("Draws from the prior")
    text = _unlike_data(run)
    if text is None:
        _draws(run)
        return
    st.info(escaped(text))
    with st.expander("What such draws look like"):
        _draws(run)


@st.fragment
@missing.in_words
def _draws(run: str) -> None:
    """Draws from N(0, I), decoded now, and those from the prior that evaluation fitted."""
    options, saved = project.run(run).evaluate, artifacts.scores(run) / "arrays.safetensors"
    with_rows = reading.count(saved, "samples") if "samples" in reading.names(saved) else 0
    kind, left, right = NOW, *st.columns(2)
    if with_rows:
        kinds = [NOW, f"the evaluated prior ({options.prior}), saved"]
        kind = left.segmented_control("Prior", kinds, default=kinds[-1], required=True, key=f"prior_{run}")
    else:
        left.markdown(f"{NOW}; no samples are saved")
    number = int(right.number_input("Draw", 0, 10_000, 0, key=f"draw_{run}", help="Another number: other draws."))
    if kind == NOW:
        from vaelab.dashboard import live

        decoded = live.drawn(run, DRAWN, number)
    else:
        decoded = reading.rows(saved, "samples", [(number * DRAWN + i) % with_rows for i in range(DRAWN)])
    _tiles(run, decoded, [str(number * DRAWN + i) for i in range(DRAWN)])
