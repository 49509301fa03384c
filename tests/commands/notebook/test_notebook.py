"""`vaelab notebook`: a notebook that runs on every kind of data, whatever is picked, and what its cells call."""

import json
import math
import runpy
import sys
import time
from pathlib import Path
from queue import Empty

import nbformat
import numpy as np
import pandas as pd
import pytest
from following import train
from nbclient import NotebookClient

import vaelab
from vaelab.commands.notebook import command, live, saved
from vaelab.commands.notebook.picker import Picker
from vaelab.errors import InputError
from vaelab.metrics.directions import VALIDATION

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("grid", "image", "tags")
STATE = "application/vnd.jupyter.widget-state+json"
PICK_ALL = """
failed = []
get_ipython().showtraceback = lambda error, **given: failed.append(repr(error[1]))  # what outputs catch
for data in pick.data.options:
    pick.data.value = data
    for widget in (pick.epoch, pick.group):
        widget.index = len(widget.options) - 1
    if len(pick.runs.options) > 1:
        pick.first.index = len(pick.first.options) - 1
        pick.runs.value = []
        pick.runs.value = pick.runs.options
print(failed, *pick.data.options)
"""


class Client(NotebookClient):
    """Asks for messages every second: where many processes run, the wake-up for one that has come may be missed."""

    async def async_start_new_kernel_client(self):
        client = await super().async_start_new_kernel_client()
        for channel in (client.shell_channel, client.iopub_channel):
            channel.get_msg = asked_again(channel.get_msg)
        return client


def asked_again(get):
    async def get_msg(timeout=None):
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while True:
            try:
                return await get(timeout=1)
            except Empty:
                if time.monotonic() > end:
                    raise

    return get_msg


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a measured run of each kind, and a second one of images."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text("runs: {}\n")
    (folder / "notebooks").mkdir()
    (folder / command.SOURCE).write_text((ROOT / command.SOURCE).read_text())
    for name, kind in (*((f"run_of_{kind}", kind) for kind in KINDS), ("second", "image")):
        train(kind, name, root=folder, train={"seed": len(name)})
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "path", [*sys.path])
            patch.setattr(sys, "argv", ["evaluate.py", name])
            runpy.run_path(str(ROOT / "stages/evaluate.py"), run_name="__main__")
    return folder


@pytest.fixture
def inside(project, monkeypatch):
    monkeypatch.chdir(project)
    return project


def test_the_examples_are_chosen_by_measure_and_group(inside):
    table = saved.examples("run_of_image")
    worst = saved.choose("run_of_image", "test", None, "psnr", "worst", 3)
    psnr = table[table["phase"] == "test"].set_index("index")["psnr"]
    assert list(psnr.loc[worst]) == sorted(psnr)[:3]
    assert list(psnr.loc[saved.choose("run_of_image", "test", None, "mse", "best", 3)]) == sorted(psnr)[::-1][:3]
    left = saved.choose("run_of_image", "test", "left", "psnr", "random", 99)
    assert left == [0, 2, 4, 6]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_measured_now_is_what_was_saved(inside, kind):
    run = f"run_of_{kind}"
    ids = saved.choose(run, "test", None, saved.measures(run)[0], "worst", 5)
    now, then = live.measured(run, "test", ids), saved.table([run], "test", ids).droplevel("run")
    for name in VALIDATION[kind].example_score, {"image": "ssim", "tags": "lrap"}.get(kind, "exact_match"):
        np.testing.assert_allclose(now[name], then.loc[ids, name], rtol=1e-5)


def test_tables_and_their_export(inside, tmp_path):
    runs = ["run_of_image", "second"]
    table = saved.table(runs, "test", [0, 3])
    assert list(table.index) == [(0, "run_of_image"), (0, "second"), (3, "run_of_image"), (3, "second")]
    read = pd.read_csv(saved.export(table, tmp_path / "some.csv"))
    np.testing.assert_allclose(read["psnr"], table["psnr"], rtol=1e-6)
    headline = saved.metrics(runs, "test")
    assert list(headline.columns) == runs
    assert headline.loc["PSNR, dB", "second"] == pytest.approx(
        saved.examples("second").query("phase == 'test'")["psnr"].mean()
    )


def test_another_data_set_offers_its_own_before_anything_is_drawn(inside):
    pick, seen = Picker("run_of_tags"), []
    pick.output(lambda runs: seen.append((runs, pick.phase.value, pick.measure.value, pick.epoch.value)), pick.measure)
    pick.data.value = "grid"
    assert seen == [(["run_of_tags"], "test", "jaccard_index", 2), (["run_of_grid"], "test", "accuracy", 2)]


@pytest.mark.parametrize(
    "name", ["runs/run_of_grid.yaml", "scores/run_of_grid/arrays.safetensors", "scores/run_of_grid/examples.csv"]
)
def test_a_damaged_run_is_said_and_the_others_are_offered(inside, capsys, name):
    path = Path("data", name)
    good = path.read_bytes()
    try:
        path.write_bytes(b"")
        assert list(Picker("run_of_tags").data.options) == ["image", "tags"]
        assert capsys.readouterr().out.startswith("left out: run_of_grid: ")
    finally:
        path.write_bytes(good)


def test_without_a_measured_run_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="dvc repro evaluate"):
        Picker()


def test_a_notebook_with_changes_is_kept(inside):
    path = command.SOURCE.with_suffix(".ipynb")
    assert command.notebook("second", force=True).startswith(str(path))
    assert command.notebook(None, force=False)
    read = nbformat.read(path, as_version=4)
    assert read.cells[1].source == 'RUN = ""  # looked at first; empty: the first one'
    read.cells[1].source = "mine"
    nbformat.write(read, path)
    with pytest.raises(InputError, match="has changes of yours"):
        command.notebook(None, force=False)
    command.notebook(None, force=True)
    with pytest.raises(InputError, match="did you mean 'second'"):
        command.notebook("secnd", force=False)


NOTEBOOK = '{"metadata": {"vaelab": {"cells": "0"}}, "nbformat": 4, "nbformat_minor": 5, "cells": '


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "not made by `vaelab notebook`, or damaged"),
        (b"{}", "not made by"),
        (f"{NOTEBOOK}3}}".encode(), "damaged"),
        (f"{NOTEBOOK}[3]}}".encode(), "damaged"),
        (f'{NOTEBOOK}[{{"cell_type": "code", "source": []}}]}}'.encode(), "has changes of yours"),
    ],
)
def test_a_notebook_that_is_damaged_or_not_ours_is_kept(inside, content, said):
    path = command.SOURCE.with_suffix(".ipynb")
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}: .*{said}.*; rename it, or --force writes it anew"):
        command.notebook(None, force=False)
    assert path.read_bytes() == content
    command.notebook(None, force=True)
    command.notebook(None, force=False)


def test_pictures_in_cells_and_what_a_cell_is_are_changes_too_and_outputs_are_none(inside):
    path = command.SOURCE.with_suffix(".ipynb")
    for number, (cell, change) in enumerate(
        [(0, {"attachments": {"a.png": {"image/png": "AAAA"}}}), (0, {"cell_type": "raw"}), (1, {"execution_count": 3})]
    ):
        command.notebook(None, force=True)
        read = json.loads(path.read_text())
        read["cells"][cell] |= change
        path.write_text(json.dumps(read))
        if number < 2:
            with pytest.raises(InputError, match="has changes of yours"):
                command.notebook(None, force=False)
        else:
            command.notebook(None, force=False)


def test_a_source_that_cannot_be_told_the_run_is_refused(inside):
    text = command.SOURCE.read_text()
    try:
        for content, said in (
            (text.replace('RUN = ""', "RUN = None").encode(), "to put second there"),
            (b"\xff", "is no text"),
        ):
            command.SOURCE.write_bytes(content)
            with pytest.raises(InputError, match=f"analysis.py: .*{said}"):
                command.notebook("second", force=True)
    finally:
        command.SOURCE.write_text(text)


@pytest.mark.slow
def test_the_notebook_runs_on_every_kind_of_data_and_whatever_is_picked(inside, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(vaelab.__file__).parents[1]))
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")
    command.notebook("run_of_tags", force=True)
    read = nbformat.read(command.SOURCE.with_suffix(".ipynb"), as_version=4)
    read.cells.append(nbformat.v4.new_code_cell(PICK_ALL))
    Client(read, timeout=300, resources={"metadata": {"path": "notebooks"}}, kernel_name="python3").execute()
    assert read.cells[-1].outputs[0].text == "[] grid image tags\n"
    outputs = [state["state"].get("outputs") for state in read.metadata.widgets[STATE]["state"].values()]
    shown = [output for output in outputs if output is not None]
    assert len(shown) == 6
    assert all(shown)
    assert not [each for output in shown for each in output if each["output_type"] == "error"]
    assert len(pd.read_csv("notebooks/samples.csv")) == 24
