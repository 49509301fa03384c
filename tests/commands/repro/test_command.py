import subprocess
from types import SimpleNamespace

from vaelab.commands.repro.command import copies_do

PIPELINE = {"stages": {"resolve": {"deps": ["params.yaml"]}, "train": {"do": {"deps": ["src/lib", "data/${key}"]}}}}
NO_RUNS = SimpleNamespace(runs={}, datasets={})


def git(*words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@localhost", *words], check=True)


def test_runs_have_copies_only_where_git_has_all_that_stages_need(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    for name in ("params.yaml", "src/lib/old.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    git("add", "params.yaml", "src")
    assert not copies_do(PIPELINE, NO_RUNS)
    assert "git has no commit here" in capsys.readouterr().err
    git("commit", "-qm", "first")
    (tmp_path / "src/lib/old.py").write_text("changed = 1")  # which a copy has
    assert copies_do(PIPELINE, NO_RUNS)
    (tmp_path / "src/lib/new.py").write_text("")
    assert not copies_do(PIPELINE, NO_RUNS)
    assert "more than 12: git does not track src/lib/new.py" in capsys.readouterr().err.replace("\n", " ")
