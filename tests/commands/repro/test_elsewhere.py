"""What a machine checks before it works for another."""

import re
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from vaelab.commands.repro import elsewhere
from vaelab.commands.repro.elsewhere import tracked_now
from vaelab.commands.repro.machines import UnfitError, check_folders, check_versions, versions
from vaelab.errors import InputError


def test_a_machine_with_other_versions_says_which():
    same = dict(versions())
    check_versions(same)
    with pytest.raises(UnfitError, match=rf"^torch {re.escape(same['torch'])}, expected 1\.0: "):
        check_versions(same | {"torch": "1.0"})


def test_a_machine_that_does_not_reach_the_cache_makes_none(tmp_path):
    check_folders(str(tmp_path))
    with pytest.raises(UnfitError, match=r"cache: no such folder; expected DVC's cache"):
        check_folders(str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_raw_data_that_the_cache_lacks_is_named_with_what_helps(tmp_path, monkeypatch):
    dvc = tmp_path / "dvc"
    dvc.write_text("#!/bin/sh\necho ERROR: Checkout failed\nexit 1\n")
    dvc.chmod(0o755)
    monkeypatch.setattr(elsewhere, "dvc_beside", lambda: str(dvc))
    project = elsewhere.Project(b"", "", "", "/the/cache", "", (), (), remote=False)
    noted = Path("data/raw/a.csv.dvc")
    with pytest.raises(UnfitError, match=r"^DVC's cache /the/cache: .* `dvc add data/raw/a\.csv`"):
        elsewhere._fetch(tmp_path, noted, project)
    with pytest.raises(UnfitError, match=r"^DVC's default remote: .* `dvc push data/raw/a\.csv\.dvc`.*ERROR: Checkout"):
        elsewhere._fetch(tmp_path, noted, project._replace(remote=True))


def test_a_folder_that_git_refuses_is_said_in_its_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"expected a git repository with a commit, .*; git says: fatal: not a git"):
        elsewhere.packed(["train"])


def git(*words: str) -> str:
    own = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost"]
    return subprocess.run([*own, *words], capture_output=True, text=True).stdout


def test_a_copy_has_what_git_tracks_as_it_is_now(tmp_path, monkeypatch):
    """In a folder of a repository, in the middle of a merge, and with a file whose content git does not have yet."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    git("init", "-q", "-b", "one", "..")
    for name in ("both", "changed", "gone"):
        Path(name).write_text("old")
    git("add", ".")
    git("commit", "-qm", "first")
    for branch, text in (("two", "theirs"), ("one", "ours")):
        git("checkout", "-q", "-B", branch, "HEAD" if branch == "two" else "one")
        Path("both").write_text(text)
        git("commit", "-qam", branch)
    git("merge", "two")
    Path("changed").write_text("new")
    Path("gone").unlink()
    Path("noted").write_text("new")
    git("add", "-N", "noted")
    before = git("status", "--porcelain")
    with tarfile.open(fileobj=BytesIO(subprocess.check_output(["git", "archive", tracked_now()]))) as archive:
        found = {member.name: archive.extractfile(member).read().decode() for member in archive if member.isfile()}
    assert set(found) == {"both", "changed", "noted"}
    assert found["changed"] == found["noted"] == "new"
    assert "<<<<<<<" in found["both"]
    assert git("status", "--porcelain") == before
