"""Commands that are called elsewhere than at the root of the project."""

import sys

import pytest

from vaelab import cli

COMMANDS = [["check"], ["where"], ["clean"], ["docs"], ["show", "a"], ["compare", "--collect-only"], ["quality", "a"],
            ["embed", "a", "b", "--out", "c.npy"], ["compare", "--before", "a", "--after", "b"],
            ["score", "a", "b", "--out", "c.csv"], ["export", "a", "--out", "c"]]  # fmt: skip


@pytest.mark.parametrize("words", [["where"], ["open"], ["tensorboard"], ["notebook"], ["dashboard"]], ids=" ".join)
def test_where_no_project_is_that_is_said_and_nothing_written(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vaelab", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {tmp_path}: no project here (params.yaml and dvc.yaml are missing): cd to ")
    assert said.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_inside_of_a_project_the_root_is_named(tmp_path, monkeypatch, capsys, words):
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).touch()
    folder = tmp_path / "notebooks/deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["vaelab", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert f"notebooks/deep/ is a folder of the project {tmp_path}: cd there first" in capsys.readouterr().err
    assert not list(folder.iterdir())
