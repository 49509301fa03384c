"""`vaelab treat` in a project of git and DVC, on a run whose KL takes everything."""

import json
from copy import deepcopy

import pytest
import yaml
from projects import TAGS, call, make_project, vaelab
from typed import typed

from vaelab.commands.treat.command import seconds_of
from vaelab.commands.treat.loop import _beside
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import Diagnosis, Finding
from vaelab.diagnosis.prescription import Prescription
from vaelab.diagnosis.treatments import Treatments
from vaelab.errors import InputError

ILL = deepcopy(TAGS)
ILL["datasets"]["tags"]["rows"] = 400
ILL["train"]["learning_rate"] = 0.01
ILL["presets"]["narrow"] = {"model": {"latent_dim": 4, "hidden": [16]}, "loss": {"beta": 20.0}, "train": {"epochs": 6}}


def test_a_budget_is_a_time():
    assert [seconds_of(text) for text in ("90", "90s", "1.5m", "2h")] == [90, 90, 90, 7200]
    with pytest.raises(InputError, match="expected a time such as 90s"):
        seconds_of("soon")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("project"), ILL, pictures=False)
    call(folder, "dvc", "repro", "diagnose@narrow")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "repro")
    return folder


def finding(cause, *prescriptions):
    return Finding(CAUSES[cause], "costs", "sure", (), (), prescriptions)


def test_an_end_that_leaves_a_run_ill_says_what_to_do():
    ill = Diagnosis(
        "a", (finding("leakage"), finding("beta_too_high", Prescription({}, "gain", "higher", 0.1, ""))), {}
    )
    first, second = _beside("out of prescriptions", ill, Treatments("a", "0"), 60.0, 0.0)
    assert first.startswith("leakage: nothing to try by itself; what to do: Stage prepare counts the pairs")
    assert second.startswith("beta_too_high: all that is prescribed was tried; what to do: Lower β")
    (line,) = _beside("out of budget", ill, Treatments("a", "0"), 5.0, 9.0)
    assert line.startswith("the next try trains for about 9 s, and 0 s of the budget of 5 s are used")
    assert not [*_beside("out of tries", ill, Treatments("a", "0"), 5.0, 9.0)]


@pytest.mark.slow
def test_a_collapsed_run_is_treated_and_nothing_changes_until_it_is_applied(project):
    shown = typed(project, "treat", "narrow", "--dry-run")
    assert "dvc exp run --temp -n treat_narrow_" in shown
    assert "-S ++runs.narrow.loss.beta=0.2 diagnose@narrow" in shown
    assert not (project / "metrics/treatments/narrow.json").exists()
    before = (project / "params.yaml").read_text()
    shown = vaelab(project, "treat", "narrow", "--tries", "1")
    assert "kept: moved enough" in shown
    assert call(project, "git", "status", "--porcelain").split() == ["??", "metrics/treatments/narrow.json"]
    assert "up to date" in call(project, "dvc", "status", "diagnose@narrow")
    record = json.loads((project / "metrics/treatments/narrow.json").read_text())
    (tried,) = record["tries"]
    assert tried["after"] > tried["before"] + tried["least"]
    assert tried["experiment"] in call(project, "dvc", "exp", "list", "--name-only")

    vaelab(project, "treat", "narrow", "--tries", "1")  # nothing more is tried
    assert json.loads((project / "metrics/treatments/narrow.json").read_text())["tries"] == [tried]
    (project / "metrics/treatments/narrow.json").unlink()  # killed before it was written: DVC has the experiment
    assert "Running stage" not in vaelab(project, "treat", "narrow", "--tries", "1")

    assert "loss.beta: 0.2" in typed(project, "treat", "narrow", "--apply")
    assert yaml.safe_load((project / "params.yaml").read_text())["runs"]["narrow"]["loss"] == {"beta": 0.2}
    assert "Running stage 'train" not in call(project, "dvc", "repro", "diagnose@narrow")  # DVC has its results
    assert json.loads((project / "metrics/health/narrow.json").read_text())["first"] != "beta_too_high"
    assert "nothing was kept" in typed(project, "treat", "narrow", "--apply", code=2)
    (project / "params.yaml").write_text(before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("narow",), "nearest: narrow"),
        (("narrow", "--budget", "soon"), "expected a time"),
        (("narrow", "--apply", "--random"), "--apply goes alone"),
    ],
)
def test_bad_input_gets_one_message(project, words, said):
    shown = typed(project, "treat", *words, code=2)
    assert said in shown
    assert "Traceback" not in shown


@pytest.mark.slow
def test_params_that_have_changed_and_runs_without_results_are_refused(project):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("beta: 20.0", "beta: 10.0"))
    assert "`dvc repro` comes first" in typed(project, "treat", "narrow", code=2)
    (project / "params.yaml").write_text(text.replace("runs:\n", "runs:\n  wide: {data: tags}\n"))
    call(project, "dvc", "repro", "-q", "resolve")
    assert "nothing to diagnose" in typed(project, "treat", "wide", code=2)
    call(project, "git", "checkout", "-q", ".")
