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
from helpers import random_images
from nbclient import NotebookClient

import vaelab
from vaelab import artifacts, storage
from vaelab.commands.notebook import command, defects, live, saved
from vaelab.commands.notebook.picker import Picker
from vaelab.commands.notebook.titles import titled
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


@pytest.fixture
def with_defects(inside):
    """The second run with three scored defects, of which one is found, and a false alarm."""
    shard, kept = (
        artifacts.prepared("image") / "defects.safetensors",
        artifacts.score_reconstructions(artifacts.scores("second"), "defects"),
    )
    meta = artifacts.prepared("image") / "meta.json"
    before, x = storage.read_json(meta), random_images(3, seed=9).numpy()
    storage.write_json(meta, before | {"files": before["files"] | {"defects": [shard.name]}})
    storage.write_tensors(shard, {"x": x})
    storage.write_tensors(kept, {"ids": np.arange(3, dtype=np.int32), "reconstruction": x[::-1].copy()})
    normals = ("test", 0, 0, "none", 1, 9.0), ("test", 1, 0, "none", 0, -1.0), ("val", 0, 0, "none", 1, 8.0)
    cuts = ("defects", 0, 1, "cut", 0, -2.0), ("defects", 2, 1, "cut", 0, 1.0)
    scored = *normals, *cuts, ("defects", 1, 1, "spot", 1, 7.0)
    names = ("phase", "id", "label", "defect", "flagged", "combined")
    rows = [{**dict(zip(names, row, strict=True)), "group": "left", "strip": "a"} for row in scored]
    path = artifacts.thresholds("second") / "examples.csv"
    storage.write_csv(path, rows)
    storage.write_json(artifacts.threshold_metrics("second"), {"recall": 1 / 3, "aupro": None})
    yield "second"
    storage.write_json(meta, before)
    for written in (shard, kept, path):
        written.unlink()


def test_defects_are_a_split_with_their_score(with_defects):
    pick = Picker(with_defects)
    pick.runs.value = [with_defects]
    pick.phase.value = "defects"
    assert pick.samples == [1, 2, 0], "the highest score first"
    assert saved.choose(with_defects, "test", None, "anomaly_score", "worst", 2) == [0, 1]
    both = ["run_of_image", with_defects]
    assert list(saved.table(both, "defects", [1, 2]).index) == [(1, "second"), (2, "second")]
    assert saved.metrics(both, "defects").to_dict() == {"second": {"defects: recall at the threshold": 1 / 3}}
    assert saved.beside(both, "defects", [0, 2]).texts
    assert saved.by_group(with_defects, "anomaly_score")["count"].to_dict()["defects", "left"] == 3
    wrong = defects.wrong(with_defects)
    assert wrong["index"].tolist() == [0, 2, 0]
    assert wrong.index.tolist() == ["missed", "missed", "false alarm"]
    pick.runs.value = ["run_of_image"]
    assert (pick.phase.value, pick.measure.value) == ("test", "psnr")


def test_a_run_whose_table_of_scores_is_damaged_is_left_out(with_defects, capsys):
    (artifacts.thresholds(with_defects) / "examples.csv").write_bytes(b"")
    assert Picker().known["image"] == ["run_of_image"]
    assert capsys.readouterr().out.startswith("left out: second: ")


def test_tables_have_the_titles_of_the_report():
    names = ["psnr", "accuracy", "distortion_extent_at_mean", "anomaly_score", "group"]
    table = titled(pd.DataFrame([[1.0, 2.0, 3.0, 4.0, "left", None]], columns=[*names, "ssim"]))
    assert list(table.index) == [
        "PSNR, dB", "accuracy of each grid", "distortion of the extent, nats per grid, at the posterior mean",
        "anomaly score, calibrated", "group",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_measured_now_is_what_was_saved(inside, kind):
    run = f"run_of_{kind}"
    ids = saved.choose(run, "test", None, saved.measures(run, "test")[0], "worst", 5)
    now, then = live.measured(run, "test", ids), saved.table([run], "test", ids).droplevel("run")
    shared = [name for name in now if name in then]
    assert {VALIDATION[kind].example_score, {"image": "ssim", "tags": "lrap"}.get(kind, "exact_match")} <= set(shared)
    np.testing.assert_allclose(now[shared], then.loc[ids, shared], rtol=1e-4, atol=1e-5)
    of_mean = {"grid": "distortion_extent_at_mean", "tags": "bce_at_mean"}.get(kind, "mse")
    assert of_mean in now, "what is saved of drawn z"


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
    assert len(shown) == 7
    assert all(shown)
    assert not [each for output in shown for each in output if each["output_type"] == "error"]
    assert len(pd.read_csv("notebooks/samples.csv")) == 24
