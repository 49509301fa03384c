"""Prescriptions beside random changes: what counts as moved, and which weights a changed run takes over."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import plant_runs
import plant_treatments
from plant_trials import Trial, has_moved, opening, report

from vaelab import artifacts, storage

PLAN = {
    "datasets": {"some": {"source": "tags", "rows": 100}},
    "runs": {"ill": {"data": "some", "loss": {"beta": 20.0}}},
    "expected": {"ill": ["beta_too_high"]},
}


def trial(**values):
    given = {
        "plant": "ill",
        "name": "ill__p",
        "cause": "beta_too_high",
        "changes": {"loss.beta": 0.2},
        "metric": "gain",
    }
    return Trial(**{**given, "direction": "higher", "least": 0.3, "before": 0.1, **values})


@pytest.mark.parametrize(
    ("values", "after", "moved"),
    [
        ({}, 0.4, True),
        ({}, 0.39, False),
        ({"direction": "lower"}, -0.2, True),
        ({"direction": "lower"}, 0.4, False),
        ({"before": None}, 0.9, False),
        ({}, None, False),
    ],
)
def test_what_counts_as_moved(values, after, moved):
    assert has_moved(trial(**values), after) is moved


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plant_runs, "stage", lambda what, name="": resolve() if what == "resolve" else 0)


def resolve():
    from vaelab.outputs import write_run
    from vaelab.params.resolve import resolve as resolved

    for run in resolved(artifacts.PARAMS).runs.values():
        write_run(run)
    return 0


@pytest.mark.usefixtures("folder")
def test_the_first_prescription_stands_beside_random_changes():
    plant_runs.write_project(PLAN)
    first = {"changes": {"loss.beta": 0.2}, "metric": "gain", "direction": "higher", "least": 0.5}
    found = {"cause": "beta_too_high", "prescriptions": [first, {"changes": {"loss.free_bits": 0.1}}]}
    storage.write_json(artifacts.diagnosis("ill"), {"findings": [{"cause": "leakage", "prescriptions": []}, found]})
    prescribed, *drawn = plant_treatments.trials_of("ill", 3)
    assert (prescribed.cause, prescribed.changes, prescribed.before) == ("beta_too_high", {"loss.beta": 0.2}, None)
    assert len({one.name for one in (prescribed, *drawn)}) == 4
    assert {one.metric for one in drawn} == {"gain"}


@pytest.mark.usefixtures("folder")
def test_weights_are_taken_over_where_training_is_the_same():
    later = trial(name="ill__r0", changes={"evaluate.threshold": 0.3})
    treated = plant_treatments.with_trials(PLAN, [trial(), later])
    assert treated["share"] == {"ill__r0": "ill"}
    assert treated["runs"]["ill__p"]["loss"] == {"beta": 0.2}


@pytest.mark.usefixtures("folder")
def test_a_run_that_broke_off_is_taken_over_as_one_that_did():
    storage.write_json(artifacts.failed("ill") / "nonfinite.json", {"step": 3})
    plant_runs.run_plants(
        ["ill__r0"],
        {**PLAN, "runs": {**PLAN["runs"], "ill__r0": PLAN["runs"]["ill"]}, "share": {"ill__r0": "ill"}},
        [],
        1,
    )
    assert storage.read_json(artifacts.failed("ill__r0") / "nonfinite.json") == {"step": 3}
    assert not artifacts.models("ill__r0").exists()


@pytest.mark.usefixtures("folder")
def test_changes_that_are_no_run_are_refused():
    refused = plant_treatments._checked(trial(changes={"train.metric": "psnr"}), PLAN).refused
    assert "psnr" in refused
    assert not plant_treatments._checked(trial(), PLAN).refused


def test_report():
    made = {"after": 0.6, "gone": True, "cpu_seconds": 10.0}
    rows = [trial()._asdict() | made | {"moved": True}]
    rows += [trial(name="ill__r0", changes={"train.warmup": 1.0})._asdict() | made | {"moved": False, "gone": False}]
    text = report(rows)
    assert "| `beta_too_high` | 1 of 1 (0.21 to 1.00)   | 0 of 1 (0.00 to 0.79)" in text
    assert "+100" in text
    assert opening(3, rows, ["other"]).startswith("Of 3 ill plants 2 have")
    assert opening(3, rows, ["other"]).endswith("not all of their changes were run: other.")
