"""`vaelab diagnose`: runs by name, all of them, for programs, and what a cause is."""

import json

import pytest
from cases import run_of

from vaelab import artifacts, storage
from vaelab.commands.diagnose import diagnosed, explained
from vaelab.errors import InputError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        storage.write_yaml(artifacts.resolved(name), run_of("tags").model_copy(update={"name": name}).model_dump())
    storage.write_json(artifacts.failed("one") / "nonfinite.json", {"step": 7})


def test_all_runs_that_were_trained_are_diagnosed(project):
    text = diagnosed([], False)
    assert text.startswith("one: ill: not_finite (breaks the run, sure)")
    assert "1. dvc exp run -S ++runs.one.train.learning_rate=" in text
    assert "two" not in text


def test_json_is_what_the_stage_writes(project):
    (record,) = json.loads(diagnosed(["one"], True))
    assert record["run"] == "one"
    assert record["findings"][0]["severity"] == "breaks"


@pytest.mark.parametrize(("runs", "said"), [(["onee"], "did you mean 'one'"), (["two"], "nothing to diagnose")])
def test_what_cannot_be_diagnosed_is_said(project, runs, said):
    with pytest.raises(InputError, match=said):
        diagnosed(runs, False)


def test_a_cause_is_explained_and_an_unknown_one_refused():
    assert "Explains:" in explained("beta_too_high")
    with pytest.raises(InputError, match="did you mean 'overfitting'"):
        explained("overfiting")
