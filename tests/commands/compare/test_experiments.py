"""What is made of what DVC says when it fails."""

import pytest

from vaelab.commands.compare.experiments import StageError, _failure
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
