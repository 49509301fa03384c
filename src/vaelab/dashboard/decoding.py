"""What the model of a run decodes now: latents moved by hand, the way between two samples, draws from the prior."""

import numpy as np
import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import examples, missing, project, reading
from vaelab.dashboard.gallery import picture
from vaelab.dashboard.samples import SAMPLE

MOVED, REACH = 6, 4.0  # dimensions with a slider, standard deviations of the prior
STEPS = 8
DRAWN = 12


def show(run: str, phase: str) -> None:
    """Show all that needs the model."""
    if not (artifacts.models(run) / "model.safetensors").is_file():
        missing.say("train", run)
        return
    _traversal(run, phase)
    _interpolation(run, phase)
    _prior(run)


def _mean(run: str, phase: str, index: int) -> np.ndarray:
    return np.asarray(reading.rows(artifacts.scores(run) / "arrays.safetensors", f"{phase}_mean", [index])[0])


def _group(run: str, phase: str, index: int) -> int:
    """The group of an example, which conditional models are told."""
    return int(reading.small(artifacts.scores(run) / "arrays.safetensors", f"{phase}_group")[index])


def _tiles(run: str, decoded: np.ndarray, captions: list[str], columns: int) -> None:
    view, info = project.views(run), project.info(project.run(run).data)
    tiles = view.tiles(list(decoded), info)
    for start in range(0, len(tiles), columns):
        cells = st.columns(columns)
        for cell, pixels, text in zip(cells, tiles[start:], captions[start:], strict=False):
            with cell:
                picture(pixels, f"decoded {view.noun}, {text}")
                st.caption(text)


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
    table = reading.table(artifacts.scores(run) / "dimensions.csv")
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
        _tiles(run, live.decode(run, np.stack([mean, z]), _group(run, phase, index)), captions, 2)


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

    _tiles(
        run, live.decode(run, z, _group(run, phase, first)), [f"{float(s):.0%} of the way" for s in share[:, 0]], STEPS
    )


@st.fragment
@missing.in_words
def _prior(run: str) -> None:
    """Draws from N(0, I), decoded now, and those from the prior that evaluation fitted."""
    options, saved = project.run(run).evaluate, artifacts.scores(run) / "arrays.safetensors"
    st.subheader("Draws from the prior")
    fitted = "samples" in reading.names(saved)
    kinds = ["N(0, I), decoded now", *([f"the evaluated prior ({options.prior}), saved"] if fitted else [])]
    left, right = st.columns(2)
    kind = left.segmented_control("Prior", kinds, default=kinds[-1], required=True, key=f"prior_{run}")
    number = int(right.number_input("Draw", 0, 10_000, 0, key=f"draw_{run}", help="Another number: other draws."))
    if kind == kinds[0]:
        from vaelab.dashboard import live

        decoded = live.drawn(run, DRAWN, number)
    else:
        with_rows = reading.count(saved, "samples")
        decoded = reading.rows(saved, "samples", [(number * DRAWN + i) % with_rows for i in range(DRAWN)])
    _tiles(run, decoded, [str(number * DRAWN + i) for i in range(DRAWN)], 6)
