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


def test_limits_that_params_no_longer_has_are_said(project, capsys):
    run = {"data": "tags", "diagnose": {"high_beta": 7.0}}
    params = {"datasets": {"tags": {"source": "tags"}}, "runs": {"one": run, "two": {"data": "tags"}}}
    storage.write_yaml(artifacts.PARAMS, params)
    diagnosed(["one"], False)
    assert "one: judged by older limits: diagnose.high_beta 5 (now 7); `dvc repro resolve`" in capsys.readouterr().err
    storage.write_yaml(artifacts.PARAMS, params | {"loss": 3})
    diagnosed(["one"], False)
    assert "params.yaml has problems (`vaelab check`): limits are those of data/runs" in capsys.readouterr().err


def test_json_is_what_the_stage_writes(project):
    (record,) = json.loads(diagnosed(["one"], True))
    assert record["run"] == "one"
    assert record["findings"][0]["severity"] == "breaks"


@pytest.mark.parametrize(("runs", "said"), [(["onee"], "nearest: one"), (["two"], "nothing to diagnose")])
def test_what_cannot_be_diagnosed_is_said(project, runs, said):
    with pytest.raises(InputError, match=said):
        diagnosed(runs, False)


def test_a_cause_is_explained_and_an_unknown_one_refused():
    assert "Explains:" in explained("beta_too_high", [], False)
    entry = json.loads(explained("leakage", [], True))
    assert entry["confirmed"][0]["signs"][0]["option"] == "diagnose.duplicates"
    with pytest.raises(InputError, match="nearest: overfitting") as raised:
        explained("overfiting", [], False)
    assert max(map(len, str(raised.value).splitlines())) <= 112


def test_a_cause_is_explained_with_its_numbers_in_runs(project):
    assert "one: found: breaks the run, sure\n  - steps that were not finite = 1" in explained(
        "not_finite", ["one"], False
    )
    assert "one: does not apply: it is not for tags" in explained("detail_lost", ["one"], False)
    assert json.loads(explained("not_finite", ["one"], True))["runs"][0]["numbers"][0]["value"] == 1
    assert "beside other runs alone" in explained("seeds_disagree", ["one"], False)


def test_what_was_not_saved_is_said_with_the_command_that_saves_it(project):
    rows = [{"epoch": 1, "phase": phase, "loss": 3.0} for phase in ("train", "val")]
    storage.write_csv(artifacts.models("two") / "history.csv", rows)
    text = diagnosed(["two"], False)
    assert "(`dvc repro diagnose@two` saves it):" in text
    assert "    metrics/evaluate/two.json: " in text
    assert "models/two/history.csv: train.gradient_norm: unstable" in text
    assert "leakage" not in text.partition("history.csv")[2]
    (record,) = json.loads(diagnosed(["two"], True))
    assert record["unknown"]["not_learned"] == "metrics/evaluate/two.json"
    (record,) = json.loads(diagnosed(["one"], True))  # of a training that broke off nothing more is to be saved
    assert record["unknown"] == {}
    assert "beta_too_high" in record["does_not_apply"]
