"""`ExperimentRunner`: docs/python_api.md, run as it stands, and what needs no training."""

import doctest
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from helpers import PARAMS
from projects import ENVIRONMENT, TAGS, make_project

from vaelab import artifacts
from vaelab.commands.compare import actions as comparing
from vaelab.errors import InputError
from vaelab.runner import ExperimentRunner

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/python_api.md"
SMALL = {"vae_small": {"model": {"latent_dim": 3, "hidden": [12]}}}
DOCTEST = """
import doctest, sys
failed, tried = doctest.testfile({page!r}, module_relative=False)
print(f"{{tried}} tried", file=sys.stderr)
sys.exit(failed > 0)
"""


@pytest.mark.slow
def test_the_page_is_true(tmp_path):
    project = tmp_path / "path/to/project"
    project.mkdir(parents=True)
    make_project(project, TAGS | {"presets": SMALL, "suites": {}}, pictures=False)
    command = [sys.executable, "-c", DOCTEST.format(page=str(PAGE))]
    environment = ENVIRONMENT | {"PYTHONPATH": str(project / "src")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    examples = doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8"))
    assert f"{len(examples)} tried" in done.stderr
    assert len(examples) > 15
    assert len(pd.read_csv(tmp_path / "comparison.csv")) == 3
    assert not (project / "comparison.csv").exists()


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(PARAMS, folder)
    return folder


@pytest.fixture
def composed(monkeypatch):
    """The experiments that would have been started."""
    found = []
    monkeypatch.setattr(comparing, "check_project", lambda folder, name: None)
    monkeypatch.setattr("vaelab.runner.start", lambda experiment, folder: found.append((experiment, Path.cwd())))
    monkeypatch.setattr("vaelab.runner.collect", list)
    return found


def test_a_configuration_is_the_experiment_of_the_command_line(project, composed):
    runner = ExperimentRunner(project)
    runner.run_configuration("a", "vae_small", seeds=(0, 1), lr=5e-4, model={"hidden": (64, 32)}, **{"loss.beta": 4})
    [(experiment, folder)] = composed
    options = "preset: vae_small, train: {learning_rate: 0.0005, seed: %s}, model: {hidden: [64, 32]}, loss: {beta: 4}"
    runs = ", ".join(f"a_seed{seed}: {{data: tags, {options % seed}}}" for seed in (0, 1))
    assert experiment.overrides == ("~runs", f"+runs={{{runs}}}")
    assert folder == project
    assert Path.cwd() != project


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "vae_smal"}, "unknown preset 'vae_smal'"),
        ({"data": "tag"}, "unknown data set 'tag'"),
        ({"beta": 2}, "which data set?"),
        ({"data": "tags", "gama": 2}, "did you mean 'gamma'?"),
        ({"data": "tags", "epochs": 0}, "train.epochs: got 0"),
    ],
)
def test_a_wrong_configuration_starts_nothing(project, composed, arguments, message):
    with pytest.raises(InputError) as raised:
        ExperimentRunner(project).run_configuration("a", **arguments)
    assert message in str(raised.value)
    assert composed == []


def test_a_folder_that_is_no_project(tmp_path):
    with pytest.raises(InputError, match="no project here"):
        ExperimentRunner(tmp_path)


def test_no_results(project):
    with pytest.raises(InputError, match="no results"):
        ExperimentRunner(project).collect_results()


def test_a_table_is_saved_where_the_caller_says_and_formulas_are_harmless(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"configuration": ["=1+1", "b"], "entropy": [1.5, float("nan")]})
    runner = ExperimentRunner("project")
    path = runner.save_comparison(table, "out/table.csv")
    assert path == tmp_path / "out/table.csv"
    assert path.read_text() == "configuration,entropy\n'=1+1,1.5\nb,\n"
    assert runner.save_comparison(table) == project / "metrics/collected/comparison.csv"


def test_a_report_of_what_is_no_table(project):
    with pytest.raises(InputError, match="configuration"):
        ExperimentRunner(project).generate_summary_report(pd.DataFrame({"x": [1]}))


def test_importing_the_package_loads_nothing_until_it_is_asked():
    code = """
import json, sys
import vaelab
before = sorted(sys.modules)
vaelab.ExperimentRunner
print(json.dumps([before, sorted(sys.modules)]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True)
    before, after = json.loads(done.stdout)
    assert not {"pandas", "numpy", "pydantic", "torch", "vaelab.runner"} & set(before)
    assert "vaelab.runner" in after
    assert not {"torch", "dvc"} & set(after)


def test_other_names_are_still_errors():
    import vaelab

    with pytest.raises(AttributeError, match="Nothing"):
        _ = vaelab.Nothing
    assert artifacts.__name__ == "vaelab.artifacts"
