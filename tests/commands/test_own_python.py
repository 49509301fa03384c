import os
import shutil
import subprocess
import sys
from pathlib import Path

from vaelab.commands.own_python import prefer_own_programs


def test_stages_find_the_python_of_vaelab_where_another_one_is_first(tmp_path, monkeypatch):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    prefer_own_programs()
    own = str(Path(sys.executable).with_name("python"))
    assert shutil.which("python") == own
    asked = subprocess.run(["python", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
    assert Path(asked.stdout.strip()).parent == Path(own).parent
    once = os.environ["PATH"]
    prefer_own_programs()
    assert os.environ["PATH"] == once
