"""Files that are damaged, or of other data than those beside them: said in words, and the rest is shown."""

import numpy as np
import pandas as pd
import pytest
from dashboards import checked, opened, said, unchecked, without

from vaelab import artifacts, storage
from vaelab.dashboard.frame import SHOWN

EVALUATION = "metrics/evaluate/rows.json"
EXAMPLES = artifacts.thresholds("cloth") / "examples.csv"


@pytest.fixture
def copy(project, tmp_path, monkeypatch):
    """A copy of the project, to be damaged."""
    monkeypatch.chdir(without(project, tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (EVALUATION, "{"),
        (EVALUATION, "[]"),
        (EVALUATION, '{"val": 3}'),
        (EVALUATION, '{"train": {}, "val": {}, "test": {"floors": 1}, "run": {}}'),
        ("data/runs/rows.yaml", "x: 1"),
        ("metrics/diagnose/rows.json", '{"findings": 3}'),
        ("data/scores/rows/history.csv", ""),
        ("data/thresholds/cloth/settings.json", "[]"),
        ("data/thresholds/cloth/scores.csv", "nothing\n1\n"),
    ],
)
def test_one_broken_run_is_named_with_its_file_and_the_others_are_shown(copy, file, text):
    storage.write_text(copy / file, text)
    page = unchecked("overview", None).run()
    assert not page.exception
    broken = "cloth" if "cloth" in file else "rows"
    assert [error.value.split(" ")[0] for error in page.error] == [f"**{broken}**"]
    assert broken in page.error[0].value.partition("left out. ")[2]
    assert {"puzzles", "pictures"} <= {header.value for header in page.header}
    for name in ("samples", "defects", "own_images"):  # of another run
        checked(unchecked(name, "pictures").run())


def test_samples_go_on_where_another_run_of_the_data_is_broken(copy):
    storage.write_text(copy / "data/scores/puzzles_b/arrays.safetensors", "x")
    page = unchecked("samples", "puzzles").run()
    assert "puzzles_b" in page.error[0].value
    assert "(1 is best)" in said(page)
    assert "Over epochs" in said(page)


def test_many_broken_runs_have_a_bounded_place(copy):
    for number in range(20):
        storage.write_text(copy / artifacts.resolved(f"broken_{number:02d}"), "x: 1")
    page = unchecked("overview", None).run()
    assert len(page.error) == 5
    assert "20 cannot be read" in said(page)


def test_groups_that_the_data_no_longer_have_keep_their_number(copy):
    path = artifacts.prepared("rows") / "meta.json"
    storage.write_json(path, storage.read_json(path) | {"groups": ["red"]})
    page = opened("samples", "rows")
    assert set(page.multiselect(key="groups").options) == {"red", "group 1", "group 2"}


@pytest.mark.parametrize(("name", "run"), [("samples", "rows"), ("latents", "rows"), ("batch", "rows")])
def test_fewer_rows_in_the_arrays_or_in_the_table_are_said(copy, name, run):
    path = artifacts.scores(run) / "examples.csv"
    table = pd.read_csv(path)
    for changed in (table[table["index"] < 3], pd.concat([table, table.assign(index=table["index"] + 1000)])):
        changed.to_csv(path, index=False)
        page = unchecked(name, run).run()
        assert not page.exception
        assert not [error.value for error in page.error if "Error:" in error.value]


def _changed(**columns):
    table = pd.read_csv(EXAMPLES)
    table.assign(**{name: make(table) for name, make in columns.items()}).to_csv(EXAMPLES, index=False)


def _some(value):
    return lambda table: table["combined"].where(table["id"] > 2, value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_left_out_and_counted(copy, value):
    _changed(combined=_some(value))
    page = opened("defects", "cloth")
    count = int((pd.read_csv(EXAMPLES)["id"] <= 2).sum())
    assert f"{count} patches are left out" in page.warning[0].value
    assert "Average precision" in said(page)


def test_without_normals_of_val_no_percentile_is_offered(copy):
    table = pd.read_csv(EXAMPLES)
    table[table["phase"] != "val"].to_csv(EXAMPLES, index=False)
    assert "no normals of val" in said(opened("defects", "cloth"))


def test_a_table_without_patches_has_nothing_to_measure(copy):
    pd.read_csv(EXAMPLES).head(0).to_csv(EXAMPLES, index=False)
    assert "nothing to measure" in said(opened("defects", "cloth"))


def test_equal_scores_still_have_a_threshold(copy):
    _changed(combined=lambda table: 0 * table["combined"])
    path = artifacts.thresholds("cloth") / "scores.csv"
    pd.read_csv(path).assign(threshold=0.0).to_csv(path, index=False)
    assert "Average precision" in said(opened("defects", "cloth"))


@pytest.mark.parametrize(
    ("file", "wanted"),
    [("scores.csv", "scores.csv: no such file"), ("examples.csv", "examples.csv: no such file"),
     ("settings.json", "settings.json")],
)  # fmt: skip
def test_the_page_of_defects_names_what_is_gone(copy, file, wanted):
    (artifacts.thresholds("cloth") / file).unlink()
    page = unchecked("defects", "cloth").run()
    assert not page.exception
    assert wanted in " ".join(error.value for error in page.error)


def test_score_maps_of_fewer_patches_leave_the_numbers_standing(copy):
    path = artifacts.score_maps(artifacts.scores("cloth"), "defects")
    arrays, facts = storage.read_tensors(path)
    storage.write_tensors(path, {name: values[:3] for name, values in arrays.items()}, facts)
    page = unchecked("defects", "cloth").run()
    assert not page.exception
    assert "3 patches" in page.error[0].value
    assert "Average precision" in said(page)


@pytest.mark.parametrize("name", SHOWN)
def test_a_half_written_model_or_array_is_no_traceback(copy, name):
    for file in ("models/pictures/model.safetensors", "data/scores/pictures/arrays.safetensors"):
        path = copy / file
        path.write_bytes(path.read_bytes()[:-100])
    page = unchecked(name, "pictures").run()
    assert not page.exception
    assert all("damaged" in error.value for error in page.error)
