"""One damaged run does not take the page down: it is named with its reason, and left out."""

import json

import pytest
from comparisons import ill, result, write

from vaelab import artifacts, storage
from vaelab.comparison.advice import entries_of
from vaelab.comparison.collect import Missing
from vaelab.comparison.judge import judge_all
from vaelab.comparison.readable import collect_readable, settled
from vaelab.comparison.report import text_report
from vaelab.errors import InputError
from vaelab.params.schema import Compare


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("fine", "odd")):
        write(name, "grid", seed)
    for name in ("fine", "odd"):
        path = artifacts.evaluation(name)
        storage.write_json(path, json.loads(path.read_text()) | {"val": {"loss": 1.0}})


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def changed(path, **values):
    storage.write_json(path, storage.read_json(path) | values)


DAMAGES = {
    "no evaluation": (lambda: artifacts.evaluation("odd").unlink(), "no such file"),
    "no JSON": (lambda: cut(artifacts.evaluation("odd")), "not valid JSON"),
    "no number": (lambda: changed(artifacts.evaluation("odd"), test={"loss": "much"}), "loss: expected a number"),
    "no phase": (lambda: changed(artifacts.evaluation("odd"), val=None), "its metrics lack val or run"),
    "misshapen": (lambda: changed(artifacts.evaluation("odd"), test={"floors": 3}), "test.floors: expected a mapping"),
    "arrays": (lambda: cut(artifacts.scores("odd") / "arrays.safetensors"), "damaged or not a safetensors file"),
    "rows": (
        lambda: storage.write_csv(artifacts.scores("odd") / "examples.csv", [{"phase": "test", "index": 99}]),
        "has 1 rows",
    ),
    "history": (lambda: storage.write_text(artifacts.scores("odd") / "history.csv", ""), "damaged (EmptyDataError"),
    "diagnosis": (lambda: storage.write_json(artifacts.diagnosis("odd"), {"findings": 3}), "damaged (TypeError"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_run_is_named_and_the_others_are_compared(kind):
    damage, said = DAMAGES[kind]
    damage()
    results, missing = collect_readable()
    assert [one.run.name for one in results] == ["fine"]
    assert [one.run for one in missing] == ["odd"]
    assert said in missing[0].why


def test_without_a_sound_run_the_first_is_told_of():
    for name in ("fine", "odd"):
        artifacts.evaluation(name).unlink()
    with pytest.raises(InputError, match=r"fine\.json: no such file"):
        collect_readable()


def test_a_run_that_fails_at_work_is_left_out():
    def work(results, missing):
        if any(one.run.name == "odd" for one in results):
            raise IndexError("fewer rows than scores")
        return f"{[one.run.name for one in results]}, without {[one.run for one in missing]}"

    text, missing = settled(*collect_readable(), work)
    assert text == "['fine'], without ['odd']"
    assert "damaged (IndexError: fewer rows than scores)" in missing[0].why
    with pytest.raises(ZeroDivisionError):  # the fault of no run alone
        settled(*collect_readable(), lambda results, missing: str(1 / (2 - len(results))))


def test_a_failed_run_has_its_reason_and_what_to_do_though_older_numbers_are_there():
    folder = artifacts.failed("odd")
    storage.write_json(folder / "nonfinite.json", {"step": 12})
    storage.write_json(folder / "training.json", {"reason": "the loss was NaN in step 12"})
    storage.write_json(artifacts.diagnosis("odd"), ill(result("odd"), "not_finite").diagnosis)
    _, missing = collect_readable()
    told = told_of(missing)
    assert "Not compared: odd." in told
    assert "Its training had to stop: the loss was NaN in step 12." in told
    assert "Training broke off: a number was not finite." in told
    assert "Try: dvc exp run -S '++runs.odd.loss.beta=0.3'" in told


def test_another_missing_run_has_its_reason_and_a_command():
    told = told_of([Missing("odd", "odd.json: not valid JSON")])
    assert "odd.json: not valid JSON. dvc repro diagnose@odd compare" in told


def told_of(missing):
    results = [ill(result("good"))]
    text = text_report(results, judge_all(results, Compare()), entries_of(results), missing=missing)
    return " ".join(text.split())
