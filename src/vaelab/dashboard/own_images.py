"""Page Your images: files of the user, brought to the model's size as its training data were, and judged."""

import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import look, missing, project
from vaelab.dashboard.all_runs import readable
from vaelab.dashboard.command import UPLOAD_MEGABYTES
from vaelab.dashboard.gallery import legend, panels
from vaelab.dashboard.kinds.kind import Shown
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.data.format.prepared import split_files
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError
from vaelab.params.kinds import KINDS

if TYPE_CHECKING:  # it needs torch, which is loaded when there is something to judge
    from vaelab.commands.judge.baselines import Found
    from vaelab.commands.judge.examples import Source
    from vaelab.commands.judge.quality import Quality
    from vaelab.commands.judge.target import Target

MOST_FILES, MOST_PAGES, MOST_SHOWN = 50, 200, 12
TOGETHER = 100 * 2**20  # bytes of all files
NUMBERED = re.compile(r"^(\d\d)\.\w+")  # files in the temporary folder
TYPES = ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp")


def page(run: str) -> None:
    """Let the user upload images, and show what the run's model makes of them."""
    described = project.run(run)
    if not KINDS[described.kind].pictures or described.model.features != "none":
        what = "features of a network" if KINDS[described.kind].pictures else KINDS[described.kind].plural
        st.info(f"Run **{run}** is of {what}; choose a run that is of images: {_others() or 'there is none'}.")
        return
    if not missing.there(artifacts.models(run) / "model.safetensors", "train", run):
        return
    text = f"Images, up to {MOST_FILES} files of {UPLOAD_MEGABYTES} MB"
    files = st.file_uploader(
        text, list(TYPES), accept_multiple_files=True, key=f"files_{run}", max_upload_size=UPLOAD_MEGABYTES
    )
    st.caption("They stay on this machine, in a temporary folder that goes with the answer.")
    if not files:
        st.markdown(f"They become {_size(run)} as the training data of **{run}** did, and are judged by its limits.")
        return
    if len(files) > MOST_FILES or sum(file.size for file in files) > TOGETHER:
        st.error(f"{len(files)} files; expected at most {MOST_FILES}, together {TOGETHER // 2**20} MB at most.")
        return
    model = stamp(artifacts.models(run) / "model.safetensors")
    target, found = judged(run, model, [(file.name, file.getvalue()) for file in files])
    _show(run, target, found, [printable(Path(file.name)) for file in files])


def _others() -> str:
    runs = [run.name for run in readable() if KINDS[run.kind].pictures and run.model.features == "none"]
    return f"{', '.join(runs[:MOST_SHOWN])}{' …' * (len(runs) > MOST_SHOWN)}"


def _size(run: str) -> str:
    channels, height, width = project.info(project.run(run).data).shape
    return f"{width}×{height} pixels, {'gray' if channels == 1 else 'RGB'},"


@st.cache_resource(max_entries=2, show_spinner="Judging ...")
def judged(run: str, model: Stamp, files: Sequence[tuple[str, bytes]]) -> tuple["Target", "Quality"]:
    """Return what `vaelab quality` says of some files; each is decoded as sources decode, or refused with the reason.

    Args:
        run: its name.
        model: of its weights; the answer is kept while they are the same.
        files: names and contents.

    Raises:
        InputError: none can be used.
    """
    from vaelab.commands.judge.pictures import open_folder
    from vaelab.commands.judge.quality import quality
    from vaelab.dashboard import live

    target = live.target(run)
    train = tuple(stamp(file) for file in split_files(artifacts.prepared(target.data), "train"))
    with tempfile.TemporaryDirectory(prefix="vaelab-") as folder:
        for number, (name, content) in enumerate(files):
            (Path(folder) / f"{number:02d}{Path(name).suffix.lower()}").write_bytes(content)
        _check_pages(Path(folder))
        source = open_folder(Path(folder), target.file.info)._replace(title="your files")
        return target, quality(target, source, MOST_SHOWN, 0, partial(_baselines, model, train))


def _check_pages(folder: Path) -> None:
    """Raise an InputError where files hold more pages than are judged here; none is decoded for that."""
    from vaelab.commands.judge.squares import MAX_PIXELS
    from vaelab.data.sources.decoding import opened, page_numbers
    from vaelab.data.sources.regular import UnreadableError

    count = 0
    for path in folder.iterdir():
        with suppress(UnreadableError), opened(path, MAX_PIXELS) as file:
            count += sum(1 for _ in islice(page_numbers(file), MOST_PAGES + 1))
    if count > MOST_PAGES:
        raise InputError(
            f"expected at most {MOST_PAGES} pages in all files; for more: vaelab quality RUN --data FOLDER"
        )


@st.cache_resource(max_entries=3, show_spinner="Fitting baselines ...")
def _baselines(model: Stamp, train: tuple[Stamp, ...], _target: "Target", _source: "Source") -> "Found":
    """The baselines of a model, which are the same for all files: PCA is fitted once."""
    from vaelab.commands.judge.baselines import baselines_of

    return baselines_of(_target, _source)


def named(text: str, names: Sequence[str]) -> str:
    """Return what is said of a file in the temporary folder, with the name that the user knows it by."""
    return NUMBERED.sub(lambda match: names[int(match[1])].replace("`", "'"), text, count=1)


def _show(run: str, target: "Target", found: "Quality", names: Sequence[str]) -> None:
    from vaelab.commands.judge import quality_report as report
    from vaelab.comparison.verdict import overall

    rating = overall(report.criteria(target, found)) or "none, no limit applies"
    st.subheader(f"Verdict: {rating} ({found.counted})")
    for line in found.all.refused:
        st.warning(f"Left out: {named(line, names)}")
    st.code("\n".join(report.verdict_lines(target, found)[1:]), language=None)
    chosen = look.look(run, "own")._replace(scores=None)  # files of a user have no score map here
    info, view = project.info(project.run(run).data), project.views(run)
    for number in range(len(found.shown.names)):
        st.markdown(_caption(found, number, names))
        x, y = (images[number].numpy() for images in (found.shown.original, found.shown.reconstruction))
        panels(view.panels(Shown(x, y), _as_large(info, x.shape), chosen))
    legend(view, chosen)
    with st.expander("Measures beside baselines"):
        st.code(report.image_table(found), language=None)


def _caption(found: "Quality", number: int, names: Sequence[str]) -> str:
    from vaelab.commands.judge.quality_report import METRIC_TITLES

    values = (f"{title} {float(found.shown.images[name][number]):.4g}" for name, title in METRIC_TITLES.items())
    return f"`{named(found.shown.names[number], names)}`: {', '.join(values)}"


def _as_large(info: Any, shape: tuple[int, ...]) -> Any:
    """The description of data for pages that were put together from tiles, which are larger."""
    from dataclasses import replace

    return info if tuple(info.shape) == shape else replace(info, shape=shape)
