"""The benchmark of diagnosis: how it counts, and that its own plants are runs whose labels are causes."""

import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import plant_data
import plant_scores
from plant_options import read_plan
from plant_report import report, write

from vaelab import storage
from vaelab.diagnosis.causes.across import OF_COMPARISON
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.params.resolve import resolve

FILES = ("own", "real")


def diagnosis(*found, severity="costs"):
    return {"findings": [{"cause": cause, "severity": severity, "certainty": "sure"} for cause in found]}


EXPECTED = {
    "h_a": [],
    "h_b": [],
    "high_4": ["beta_too_high"],
    "high_9": ["beta_too_high"],
    "two_x": ["leakage", "unstable"],
}
FOUND = {
    "h_a": diagnosis(),
    "h_b": diagnosis("unstable"),
    "high_4": diagnosis("unfinished"),
    "high_9": diagnosis("unfinished", "beta_too_high"),
    "two_x": diagnosis("leakage"),
}
STRENGTH, DIALS = {"high_9": 9, "high_4": 4}, {"high": ["β", "higher"]}


@pytest.mark.parametrize(("count", "of", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (0, 0, 0, 1)])
def test_wilson_interval(count, of, low, high):
    assert plant_scores.Share(count, of).interval == pytest.approx((low, high), abs=2e-4)


def test_shares():
    shares = plant_scores.shares_of(EXPECTED, FOUND)
    assert shares["root named"] == (2, 3)
    assert shares["root named first"] == (1, 3)
    assert shares["healthy accused"] == (1, 2)
    assert shares["of two causes both named"] == (0, 1)
    assert shares["a finding beside what was expected"] == (3, 5)


def test_a_note_accuses_nobody_and_names_a_root():
    noted = {"h_a": diagnosis("prior_hole", severity="note"), "hole_4": diagnosis("prior_hole", severity="note")}
    shares = plant_scores.shares_of({"h_a": [], "hole_4": ["prior_hole"]}, noted)
    assert (shares["healthy accused"].count, shares["root named"].count) == (0, 1)


def test_recall_and_false_accusations_of_each_cause():
    recalls = plant_scores.recalls_of(EXPECTED, FOUND)
    assert recalls == {"beta_too_high": ((1, 2), (0, 3)), "leakage": ((1, 1), (0, 4))}


def test_a_series_begins_with_the_least_ill():
    (series,) = plant_scores.series_of(EXPECTED, FOUND, STRENGTH, DIALS)
    assert [(point.strength, point.named) for point in series.points] == [(4, False), (9, True)]
    (turned,) = plant_scores.series_of(EXPECTED, FOUND, STRENGTH, {"high": ["β", "lower"]})
    assert [point.strength for point in turned.points] == [9, 4]
    assert [share for _, share in plant_scores.curve_of([series])] == [(0, 1), (0, 0), (1, 1), (0, 0)]


def test_confusion():
    pairs = plant_scores.confusion_of(EXPECTED, FOUND)
    assert pairs[("beta_too_high", "beta_too_high")] == pairs[("beta_too_high", "unfinished")] == 1
    assert pairs[("healthy", "nothing")] == pairs[("healthy", "unstable")] == 1


def test_tables_and_figure(tmp_path):
    series = plant_scores.series_of(EXPECTED, FOUND, STRENGTH, DIALS)
    assert "4, **9**" in report(EXPECTED, FOUND, series)
    write(tmp_path / "plants_some", "Some", EXPECTED, FOUND, {"strength": STRENGTH, "dials": DIALS}, "command")
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".json", ".svg"}
    assert storage.read_json(tmp_path / "plants_some.json")["missed"] == ["high_4"]


@pytest.mark.parametrize("name", FILES)
def test_plants_are_runs_and_their_labels_are_causes(name, tmp_path):
    plan = read_plan(ROOT / "benchmarks" / "plants" / f"{name}.yaml")
    edited = {data: plan["datasets"][how["of"]] for data, how in plan.get("edits", {}).items()}
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params |= {"datasets": plan["datasets"] | edited, "runs": plan["runs"], "suites": {}}
    storage.write_yaml(tmp_path / "params.yaml", params)
    runs = resolve(tmp_path / "params.yaml").runs
    assert {*runs} == {*plan["expected"]}
    assert {cause for labels in plan["expected"].values() for cause in labels} <= {*CAUSES}
    for run, origin in plan.get("share", {}).items():
        assert runs[run].model == runs[origin].model
        assert runs[run].train == runs[origin].train
        assert runs[run].loss == runs[origin].loss
    for run in plan.get("strength", {}):
        assert plan["expected"][run]
        assert plan["dials"][run.rsplit("_", 1)[0]][1] in ("higher", "lower")


def test_our_plants_are_enough():
    plan = read_plan(ROOT / "benchmarks" / "plants" / "own.yaml")
    labels = plan["expected"].values()
    assert sum(bool(causes) for causes in labels) >= 60
    assert sum(not causes for causes in labels) >= 40
    alone = {*CAUSES} - {cause.id for cause in OF_COMPARISON}
    assert {causes[0] for causes in labels if causes} == alone


@pytest.mark.parametrize(
    "how",
    [
        {"what": "figures", "count": 6},
        {"what": "tasks", "count": 3},
        {"what": "arrays", "count": 10},
        {"what": "pictures", "names": ["brick"], "copies": 0.5},
        {"what": "scratches", "names": ["brick"], "side": 128},
    ],
    ids=lambda how: how["what"],
)
def test_raw_data_are_made_the_same_each_time(how, tmp_path):
    made = []
    for place in (tmp_path / "one", tmp_path / "two"):
        plant_data.make({**how, "seed": 3}, place)
        made.append({str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*.*")})
    assert made[0] == made[1]
    assert made[0]
