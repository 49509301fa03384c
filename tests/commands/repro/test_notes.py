"""What DVC notes of a run, apart from the others and put together again."""

import hashlib
import subprocess

import pytest
import yaml

from vaelab.commands.repro import notes

STAGES = ("train", "evaluate")
PARAMS = {
    "datasets": {"tags": {"source": "tags"}},
    "presets": {"p": {"train": {"epochs": 1}}},
    "suites": {"all": {"a": {"data": "tags"}}},
    "starts": {"after_a": {"data": "tags", "run": "a"}, "after_b": {"data": "tags", "run": "b"}},
    "runs": {"a": {"data": "tags"}, "b": {"data": "tags"}, "c": {"data": "after_a", "loss": {"beta": 1e-5}}},
}


def lock(*names: str, digest: str = "0" * 32) -> str:
    """A dvc.lock as DVC writes it."""
    entry = "    cmd: x\n    outs:\n    - path: metrics/{}.json\n      hash: md5\n      md5: {}\n      size: 2\n"
    stages = "".join(f"  {name}:\n{entry.format(name.replace('@', '/'), digest)}" for name in names)
    return f"schema: '2.0'\nstages:\n{stages}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose DVC has nothing to check out, with a cache."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (tmp_path / "dvc.lock").write_text(lock("resolve", "prepare@tags", "train@a", "evaluate@a", "train@b", "train@c"))

    def dvc(command, **_):
        return subprocess.CompletedProcess(command, 0, str(tmp_path / "cache"))

    monkeypatch.setattr(notes.subprocess, "run", dvc)
    return tmp_path


def test_a_copy_has_one_run_and_what_it_starts_from(project):
    notes.reduce(project, "c", STAGES)
    params = yaml.safe_load((project / "params.yaml").read_text())
    assert params["runs"] == {name: PARAMS["runs"][name] for name in ("c", "a")}
    assert set(params["starts"]) == {"after_a"}
    assert params["presets"] == PARAMS["presets"]
    assert "suites" not in params
    assert (project / "dvc.lock").read_text() == lock("resolve", "prepare@tags", "train@a", "evaluate@a", "train@c")


def test_notes_of_copies_come_into_the_lock_and_nothing_else_changes(project):
    digest = hashlib.md5(b"{}").hexdigest()
    (project / f"cache/files/md5/{digest[:2]}").mkdir(parents=True)
    (project / f"cache/files/md5/{digest[:2]}/{digest[2:]}").write_text("{}")
    before = (project / "dvc.lock").read_text() + "datasets:\n- name: other\n"
    (project / "dvc.lock").write_text(lock("resolve", "train@b", "evaluate@b", digest=digest))
    notes.keep(project, "b", [f"{stage}@b" for stage in STAGES])
    (project / "dvc.lock").write_text(before)
    notes.take_in(["a", "b"])
    after = (project / "dvc.lock").read_text()
    assert after.endswith("datasets:\n- name: other\n")
    old, new = (yaml.safe_load(text)["stages"] for text in (before, after))
    assert list(new) == [*old, "evaluate@b"]
    assert {name for name in old if old[name] != new[name]} == {"train@b"}
    assert (project / "metrics/train/b.json").read_text() == (project / "metrics/evaluate/b.json").read_text() == "{}"
    assert not list((project / ".scratch/notes").iterdir())


def test_a_note_of_other_options_is_left_out(project):
    before = (project / "dvc.lock").read_text()
    notes.keep(project, "b", [f"{stage}@b" for stage in STAGES])
    (project / "data/runs").mkdir(parents=True)
    (project / "data/runs/b.yaml").write_text("data: others")
    (project / "dvc.lock").unlink()
    notes.take_in(["b"])
    assert not (project / "dvc.lock").exists()
    (project / "dvc.lock").write_text(before)
    notes.keep(project, "b", [f"{stage}@b" for stage in STAGES])
    (project / "dvc.lock").unlink()
    notes.take_in(["b"])
    assert (project / "dvc.lock").read_text() == lock("train@b")
