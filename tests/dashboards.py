"""A project for the tests of the dashboard: a tiny run of each kind of data through its stages, in this process."""

import runpy
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from helpers import random_images, tiny_run, write_grids, write_images, write_tags
from streamlit.testing.v1 import AppTest

from vaelab import artifacts, storage
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import Writer
from vaelab.params.schema import Run
from vaelab.training.loop import fit

ROOT = Path(__file__).resolve().parents[1]
SIDE, STRIPS, PER_STRIP = 16, 6, 3
STAGES = ("evaluate", "threshold", "diagnose")
RUNS = {"pictures": "image", "puzzles": "grid", "puzzles_b": "grid", "rows": "tags", "cloth": "image"}
DATA = {"pictures": "pictures", "puzzles": "puzzles", "puzzles_b": "puzzles", "rows": "rows", "cloth": "cloth"}
DEFECT_OPTIONS: dict[str, Any] = {
    "model": {"name": "local", "latent": "map", "latent_channels": 3, "hidden": (8,)},
    "evaluate": {"anomalies": "always"}, "threshold": {"bootstrap": 20},
}  # fmt: skip


def run_of(name: str) -> Run:
    """Return a run of the project."""
    blocks = DEFECT_OPTIONS if name == "cloth" else {"train": {"seed": 1}} if name == "puzzles_b" else {}
    return tiny_run(name, DATA[name], RUNS[name], **blocks)


def make(folder: Path, names: Iterable[str] = RUNS) -> Path:
    """Return a folder in which these runs were trained, measured, scored and diagnosed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        bare(folder)
        for name in names:
            fit(run_of(name), artifacts.prepared(DATA[name]), artifacts.models(name), lambda snapshot, info: None)
            for stage in STAGES:
                patch.setattr(sys, "argv", [stage, name])
                runpy.run_path(str(ROOT / f"stages/{stage}.py"), run_name="__main__")
    return folder


def bare(folder: Path) -> Path:
    """Return a folder with resolved runs and prepared data, of which nothing was trained."""
    (folder / "params.yaml").write_text(yaml.safe_dump({"compare": {}}))
    (folder / "dvc.yaml").write_text("stages: {}\n")
    for name in RUNS:
        storage.write_yaml(folder / artifacts.resolved(name), run_of(name).model_dump(mode="json"))
    write_images(folder / artifacts.prepared("pictures"))
    write_grids(folder / artifacts.prepared("puzzles"))
    write_tags(folder / artifacts.prepared("rows"))
    _write_cloth(folder / artifacts.prepared("cloth"))
    return folder


def _write_cloth(folder: Path) -> None:
    """Patches of strips, with a phase of labelled defects."""
    phases, writer = ("train", "val", "test", "defects"), Writer(folder)
    for number, phase in enumerate(phases):
        count = STRIPS * PER_STRIP
        order = np.arange(count, dtype=np.int32)
        strip = (number * STRIPS + order // PER_STRIP).astype(np.int32)
        x = random_images(count, 1, SIDE, seed=number).numpy()
        arrays = {"x": x, "group": strip % 2, "strip": strip, "top": 0 * order, "left": order % PER_STRIP * SIDE}
        if phase == "defects":
            mask = np.zeros((count, SIDE, SIDE), np.uint8)
            mask[::2, 4:12, 7:9] = 1
            x[::2, :, 4:12, 7:9] = 255
            label = mask.any((1, 2)).astype(np.uint8)
            arrays |= {"mask": mask, "label": label, "defect": label.astype(np.int32)}
        writer.add(phase, arrays)
    names = [f"{number:04d}.png" for number in range(STRIPS * len(phases))]
    shapes = [[SIDE, SIDE * PER_STRIP]] * len(names)
    defects = ["none"] * (3 * STRIPS) + ["crack"] * STRIPS
    writer.finish(image_info(1, SIDE, ("linen", "wool")), {
        "reduce": 1, "strip_names": names, "strip_shapes": shapes, "strip_defects": defects,
        "defect_names": ["none", "crack"],
    })  # fmt: skip


def without(project: Path, folder: Path, *parts: str) -> Path:
    """Return a copy of a project in a folder that lacks some of its files and folders."""
    shutil.copytree(project, folder, dirs_exist_ok=True)
    for part in parts:
        path = folder / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


def _script(name: str, run: str | None) -> None:
    import streamlit

    from vaelab.dashboard.frame import show

    if run is not None and "run" not in streamlit.session_state:
        streamlit.session_state["run"] = run
    show(name)


def opened(name: str, run: str | None = None, seconds: float = 60) -> AppTest:
    """Return a page of the project in this folder, of a run; that nothing went wrong is checked."""
    return checked(unchecked(name, run, seconds).run())


def unchecked(name: str, run: str | None, seconds: float = 60) -> AppTest:
    """Return a page that has not been shown yet."""
    return AppTest.from_function(_script, default_timeout=seconds, kwargs={"name": name, "run": run})


def checked(page: AppTest) -> AppTest:
    """Return a page on which neither an exception nor an error is shown."""
    assert not [(one.value, one.stack_trace) for one in page.exception]
    assert not [one.value for one in page.error]
    return page


def said(page: AppTest) -> str:
    """Return all text of a page."""
    found: list[Callable[..., Any]] = [
        page.title, page.header, page.subheader, page.markdown, page.caption, page.info, page.warning, page.success,
        page.code, page.metric,
    ]  # fmt: skip
    return "\n".join(str(one.value) for elements in found for one in elements)
