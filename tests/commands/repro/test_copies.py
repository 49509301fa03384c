"""Folders of copies: gone with their process, or after it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import vaelab
from vaelab.commands.repro import copies

KILLED = """import os
from vaelab.commands.repro import copies
with copies.folder():
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_has_left_is_removed_by_the_next_and_what_is_in_use_is_not(tmp_path, monkeypatch):
    own = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(vaelab.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", KILLED], env=os.environ | own)
    other = tmp_path / "vaelab-other"
    other.mkdir()
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with copies.folder() as first, copies.folder() as second:
        assert {*tmp_path.iterdir()} == {first, second, other}
    assert list(tmp_path.iterdir()) == [other]
