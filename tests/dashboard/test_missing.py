"""What pages say of a project that is empty, half done, or lacks pieces."""

import pytest
from dashboards import bare, checked, opened, said, unchecked, without

from vaelab import artifacts, storage
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


def test_a_training_that_goes_on_is_live(made, tmp_path, monkeypatch):
    monkeypatch.chdir(bare(tmp_path))
    output = artifacts.SCRATCH / "rows-0123456789abcdef/output"
    (output / "checkpoints").mkdir(parents=True)
    whole = (made / artifacts.models("rows") / "history.csv").read_text().splitlines()
    (output / "history.csv").write_text("\n".join(whole[:4]) + "\n")
    assert projects.training_history("rows") == (output / "history.csv", True)
    page = opened("run", "rows")
    assert "training: 1 of 2 epochs" in said(page)
    (output / "history.csv").write_text("\n".join(whole) + "\n")
    assert "training: 2 of 2 epochs" in said(checked(page.run()))


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
