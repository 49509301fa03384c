"""Saved files of a run that are old, damaged or gone: a diagnosis of what is left, or one message."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import defects, dimensions, grid, history, image, tags

from vaelab import artifacts, storage
from vaelab.diagnosis.case import Case, read_case
from vaelab.diagnosis.engine import as_metrics, as_record, diagnose
from vaelab.diagnosis.report import text
from vaelab.errors import InputError

CASES = {"grid": grid, "image": image, "tags": tags, "defects": defects}
EVALUATION, META = artifacts.evaluation("some"), artifacts.prepared("data") / "meta.json"
SUMMARY, SETTINGS = (artifacts.thresholds("some") / name for name in ("summary.json", "settings.json"))
HISTORY = artifacts.models("some") / "history.csv"
STATISTICS = {"mean": 0.5, "std": 0.1, "min": 0.0, "max": 1.0, "examples": 50}
DATA = {
    "groups": ["gray", "colour"],
    "group_counts": {phase: {"gray": 50, "colour": 150} for phase in ("train", "val", "test")},
    "statistics": {phase: {"gray": STATISTICS, "colour": STATISTICS} for phase in ("train", "val", "test")},
    "near_duplicates": {"images": {"train": 200, "val": 200}, "exact": {"train-val": 0}, "near": {}, "alike": {}},
}


@pytest.fixture(params=CASES)
def saved(request, tmp_path, monkeypatch) -> Case:
    """A healthy run of each kind, as its stages save it."""
    monkeypatch.chdir(tmp_path)
    case = CASES[request.param]()
    for path, value in {EVALUATION: case.metrics, META: DATA}.items():
        storage.write_json(path, value)
    rows = [*case.history] or history([40, 30, 26, 25, 25, 25], [0.1, 0.3, 0.5, 0.6, 0.6, 0.6], "accuracy")
    table(HISTORY, [{**dict.fromkeys(rows[0] | rows[1], ""), **row} for row in rows])
    table(artifacts.scores("some") / "dimensions.csv", case.dimensions or dimensions(0.0, 1.0))
    storage.write_tensors(artifacts.scores("some") / "arrays.safetensors", {"z": np.zeros(3)})
    storage.write_json(SUMMARY, {"scored": False, **case.threshold})
    storage.write_json(SETTINGS, case.threshold.get("settings", {}))
    for name, lines in case.tables.items():
        folder = artifacts.threshold_plots("some") if name == "percentiles" else artifacts.thresholds("some")
        table(folder / f"{name}.csv", lines)
    return case


def table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(row) + "\n" for row in ([*rows[0]], *(row.values() for row in rows))))


def places(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*above, key)
        yield from places(inner, (*above, key))


def without(value: Any, place: tuple[str, ...], *instead: Any) -> Any:
    first, *rest = place
    if rest:
        return {**value, first: without(value[first], tuple(rest), *instead)}
    rest_of = {key: inner for key, inner in value.items() if key != first}
    return {**rest_of, first: instead[0]} if instead else rest_of


def diagnosed(case: Case) -> str:
    """What is said of a run, or the message."""
    try:
        found = read_case(case.run)
        diagnosis = diagnose(found)
        assert as_metrics(diagnosis)
        assert json.dumps(as_record(diagnosis, found))
        return text(diagnosis, found)
    except InputError as error:
        return f"error: {error}"


@pytest.mark.parametrize("path", [EVALUATION, META, SUMMARY, SETTINGS], ids=str)
def test_a_number_that_is_not_there_or_null_is_unknown(saved, path):
    whole = json.loads(path.read_text())
    for place in places(whole):
        for changed in (without(whole, place), without(whole, place, None)):
            path.write_text(json.dumps(changed))
            assert not diagnosed(saved).startswith("error"), place


@pytest.mark.parametrize("path", [EVALUATION, META, SUMMARY, SETTINGS], ids=str)
def test_a_number_that_is_something_else_is_unknown_or_said_with_its_file(saved, path):
    whole = json.loads(path.read_text())
    wrong = ("x", [], {}, True, 1e308, -5)
    for number, place in enumerate(places(whole)):
        path.write_text(json.dumps(without(whole, place, wrong[number % len(wrong)])))
        said = diagnosed(saved)
        assert "\n" not in said or not said.startswith("error")
        where = str(path) in said or "a saved number is outside of its range" in said
        assert not said.startswith("error") or (where and len(said) < 500), place


@pytest.mark.parametrize("path", [EVALUATION, META, SUMMARY, HISTORY], ids=str)
def test_a_file_that_is_cut_off_is_said_and_one_that_is_gone_is_not_looked_into(saved, path):
    whole = path.read_text()
    for end in (0, 1, len(whole) // 2, len(whole) - 4):
        path.write_text(whole[:end])
        said = diagnosed(saved)
        assert path.suffix == ".csv" or (said.startswith(f"error: {path}: ") and said.endswith("makes it again"))
        assert end or said.startswith(f"error: {path}: ")
    path.unlink()
    said = diagnosed(saved)
    if path == SUMMARY and saved.kind != "image":  # no cause of theirs reads it
        assert "not looked for" not in said
        return
    assert f"not looked for, since it was not saved (`dvc repro diagnose@some` saves it):\n    {path}: " in said


def test_columns_of_the_history_may_be_missing_or_hold_no_number(saved):
    header, *rows = [line.split(",") for line in HISTORY.read_text().splitlines()]
    for place, name in enumerate(header):
        kept = [[*row[:place], *row[place + 1 :]] for row in (header, *rows)]
        HISTORY.write_text("".join(",".join(row) + "\n" for row in kept))
        assert diagnosed(saved).startswith("error") == (name in ("epoch", "phase")), name
        for value in ("", "nan", "inf"):
            changed = [header, *([*row[:place], value, *row[place + 1 :]] for row in rows)]
            HISTORY.write_text("".join(",".join(row) + "\n" for row in changed))
            diagnosed(saved)


def test_a_healthy_run_lacks_nothing(saved):
    record = as_record(diagnose(found := read_case(saved.run)), found)
    assert record["healthy"]
    assert {place.partition(": ")[0] for place in record["unknown"].values()} <= {str(HISTORY)}, record["unknown"]
