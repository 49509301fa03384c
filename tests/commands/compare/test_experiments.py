"""What is made of what DVC says when it fails."""

import subprocess

import pytest

from vaelab.commands.compare.experiments import StageError, _failure, keep_params
from vaelab.errors import InputError


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ("ERROR: failed to reproduce 'train@b'\n", StageError, "failed: train@b, for"),
        (
            "ERROR: failed to reproduce stages: 'train@a', 'train@b' and 'compare'\n",
            StageError,
            "train@a, train@b, compare,",
        ),
        ("ERROR: failed to reproduce 'train@a': [Errno 2] No such file: '/x/y'\n", StageError, "failed: train@a, for"),
        ("ERROR: something else, as 'this'\n", StageError, "DVC ended with an error, for the reason above"),
        ("ERROR: Unable to acquire lock. Most likely\n", InputError, "another DVC command is at work here"),
        ("ERROR: '/p/a' is busy, it is being blocked by:\n", InputError, "another DVC command is at work here"),
        (
            "WARNING: Unable to read RWLock-file '.dvc/tmp/rwlock'. JSON structure is corrupted\n",
            InputError,
            "delete .dvc/tmp/rwlock, then run the same command again",
        ),
    ],
)
def test_what_failed_and_what_to_do(said, kind, message):
    error = _failure(said)
    assert type(error) is kind
    assert message in str(error)


def test_params_that_git_does_not_have_are_copied_before_dvc_writes_into_them(tmp_path, capsys):
    params, git = tmp_path / "params.yaml", ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    params.write_text("runs: {}\n")
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    untracked = keep_params(tmp_path)
    subprocess.run([*git, "add", "params.yaml"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-qm", "first"], cwd=tmp_path, check=True)
    assert keep_params(tmp_path) is None
    params.write_text("runs: {mine: {data: photos}}\n")
    changed = keep_params(tmp_path)
    assert (tmp_path / untracked).read_text() == "runs: {}\n"
    assert (tmp_path / changed).read_text() == params.read_text()
    assert capsys.readouterr().err.endswith(
        f"note: params.yaml has changes that git does not have; {changed} is a copy\n"
    )
