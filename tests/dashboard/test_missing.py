"""What pages say of a project that is empty, half done, or lacks pieces."""

import os
from pathlib import Path

import pytest
from dashboards import bare, checked, opened, run_of, said, unchecked, without

from vaelab import artifacts, storage
from vaelab.dashboard import going
from vaelab.dashboard import project as projects
from vaelab.dashboard.frame import SHOWN


@pytest.mark.parametrize("name", SHOWN)
def test_an_empty_project_says_how_to_begin(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    page = opened(name)
    assert page.title[0].value == "No run yet"
    assert "dvc repro resolve" in said(page)


@pytest.mark.parametrize("name", SHOWN)
def test_a_project_of_which_nothing_was_trained(tmp_path, monkeypatch, name):
    monkeypatch.chdir(bare(tmp_path))
    wanted = {"samples": "evaluate@rows", "batch": "evaluate@rows", "latents": "evaluate@rows", "run": "train@rows",
              "overview": "train@rows", "defects": "threshold@rows", "own_images": "is of tags"}  # fmt: skip
    assert wanted[name] in said(opened(name, "rows"))


def going_on(made, root, epochs=4):
    """A training of `rows` in a project, on which this process works; return its history and all of its lines."""
    output = root / artifacts.SCRATCH / "rows-0123456789abcdef/output"
    (output / "checkpoints").mkdir(parents=True)
    output.parent.with_name("rows-0123456789abcdef.lock").write_text(f"{os.getpid()}\n")
    whole = (made / artifacts.models("rows") / "history.csv").read_text().splitlines()
    (output / "history.csv").write_text("\n".join(whole[:epochs]) + "\n")
    return output / "history.csv", "\n".join(whole) + "\n"


def test_a_training_that_goes_on_is_live(made, tmp_path, monkeypatch):
    monkeypatch.chdir(bare(tmp_path))
    history, whole = going_on(made, Path())
    assert projects.training_history("rows") == (history, True)
    page = opened("run", "rows")
    assert "training: 1 of 2 epochs" in said(page)
    history.write_text(whole)
    assert "training: 2 of 2 epochs" in said(checked(page.run()))
    history.parents[1].with_name("rows-0123456789abcdef.lock").unlink()
    assert "interrupted" in said(checked(page.run()))


def test_the_training_of_an_experiment_is_listed_and_its_curves_are_shown(project, tmp_path, monkeypatch):
    monkeypatch.chdir(without(project, tmp_path))
    root = tmp_path / ".dvc/tmp/exps/tmpqueued"
    storage.write_yaml(root / artifacts.resolved("rows"), run_of("rows").model_dump(mode="json"))
    going_on(project, root)
    page = opened("overview")
    assert "1 training not ended" in said(page)
    (one,) = going.trainings()
    assert (one.name, one.said) == ("rows@tmpqueued", "training: 1 of 2 epochs")
    assert [button.key for button in page.button] == ["going_rows@tmpqueued"]
    page = opened("run", "rows")
    assert page.selectbox(key="training_rows").options == ["rows@tmpqueued", "rows"]
    assert "Training ended:" in said(checked(page.selectbox(key="training_rows").set_value("rows").run()))


def test_a_finished_training_is_not_live(project):
    assert projects.training_history("rows") == (artifacts.models("rows") / "history.csv", False)


@pytest.mark.parametrize(
    ("gone", "name", "wanted"),
    [
        ("models/pictures", "samples", "as stage evaluate saved them; not computed now"),
        ("models/pictures", "latents", "train@pictures"),
        ("data/prepared/pictures/test-00000.safetensors", "samples", "not computed now"),
        ("data/scores/pictures", "samples", "evaluate@pictures"),
        ("metrics/diagnose/pictures.json", "run", "diagnose@pictures"),
        ("data/thresholds/pictures", "defects", "threshold@pictures"),
    ],
)
def test_a_piece_that_is_missing_is_named_with_its_stage(project, tmp_path, monkeypatch, gone, name, wanted):
    monkeypatch.chdir(without(project, tmp_path, gone))
    assert wanted.lower() in said(opened(name, "pictures")).lower()


@pytest.mark.parametrize(
    ("file", "text", "name", "wanted"),
    [
        ("metrics/evaluate/rows.json", "{", "run", "not valid JSON"),
        ("data/scores/rows/examples.csv", "", "batch", "not a table"),
        ("data/scores/rows/arrays.safetensors", "x", "samples", "damaged"),
        ("models/rows/model.safetensors", "x", "latents", "damaged"),
        ("data/runs/rows.yaml", "x: 1", "overview", "rows.yaml"),
    ],
)
def test_a_damaged_file_is_an_error_in_words(project, tmp_path, monkeypatch, file, text, name, wanted):
    monkeypatch.chdir(without(project, tmp_path))
    storage.write_text(tmp_path / file, text)
    page = unchecked(name, "rows").run()
    assert not page.exception
    assert wanted in page.error[0].value


def test_a_file_that_its_stage_has_not_written_yet_is_named(project, tmp_path, monkeypatch):
    monkeypatch.chdir(without(project, tmp_path, "data/scores/rows/examples.csv"))
    assert "examples.csv: no such file" in unchecked("samples", "rows").run().error[0].value


@pytest.mark.parametrize("name", ["batch", "samples"])
def test_names_of_the_data_cannot_load_anything(project, tmp_path, monkeypatch, name):
    monkeypatch.chdir(without(project, tmp_path))
    path = artifacts.prepared("rows") / "meta.json"
    evil = [f"![{colour}](http://evil.example/{colour}.png)" for colour in ("red", "green", "blue")]
    storage.write_json(path, storage.read_json(path) | {"groups": evil})
    page = opened(name, "rows")
    assert "![" not in said(page)
    assert "![" not in str([*page.table[0].value.index])
