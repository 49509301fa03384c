"""Any example at the epochs whose weights are kept: decoded when it is looked at."""

import re
from pathlib import Path

import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import look as looks
from vaelab.dashboard import project
from vaelab.dashboard.gallery import panels
from vaelab.dashboard.kinds.kind import Look
from vaelab.dashboard.numbers import printed, short
from vaelab.errors import InputError
from vaelab.metrics.tables import TABLES

NUMBERED = re.compile(r"epoch_(\d+)$")  # the name of a checkpoint with weights


def kept(run: str) -> dict[int, Path]:
    """Return the files of a run's weights by epoch: checkpoints, and the model itself at its best epoch."""
    found = {
        int(name[1]): path
        for path in project.checkpoints(run).glob("epoch_*.safetensors")
        if (name := NUMBERED.fullmatch(path.stem))
    }
    path, result = artifacts.models(run) / "model.safetensors", project.result(run)
    if result is not None and path.is_file() and not project.training_history(run)[1]:
        found.setdefault(int(result.metrics["run"].get("best_epoch") or 0), path)
    return dict(sorted(found.items()))


def show(run: str, look: Look, phase: str, index: int) -> None:
    """Show an example as the weights of the epoch that the user chooses make it."""
    found, noun = kept(run), project.views(run).noun
    if len(found) < 2:
        which = f"Only the weights of epoch {next(iter(found))} are" if found else "No weights are"
        st.caption(
            f"{which} kept (`train.checkpoint_every`), so that {noun} {index} of {phase} cannot be decoded at others; "
            f"the {project.views(run).plural} below were kept by every checkpoint."
        )
        return
    epoch = int(
        st.select_slider(
            f"{noun.capitalize()} {index} of {phase}, decoded now by the weights of epoch", list(found),
            key=f"weights_{run}",
        )
    )  # fmt: skip
    try:
        _decoded(run, look, phase, index, epoch, found[epoch])
    except InputError as error:  # the data are gone, or a checkpoint is damaged: what is saved can still be shown
        st.caption(f"Not decoded: {error}")


def _decoded(run: str, look: Look, phase: str, index: int, epoch: int, path: Path) -> None:
    from vaelab.dashboard import live

    pair = live.pair(run, phase, [index], path)
    one = looks.shown(run, phase, index, pair.original[0], pair.reconstruction[0])._replace(scores=None)
    info = project.info(project.run(run).data)
    panels(project.views(run).panels(one, info, look))
    name = TABLES[info.kind].example_score
    st.caption(f"Epoch {epoch}: {short(name)} {printed(name, live.measures(run, phase, index, path).get(name))}")
