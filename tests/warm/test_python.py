"""The warm `python` is Python to a script: what it gets, what it says, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from warm.python import command

SEEN = """
import json, os, sys
found = {"argv": sys.argv[1:], "name": __name__, "file": __file__, "folder": os.getcwd(), "in": sys.stdin.read()}
found["environment"] = {name: value for name, value in os.environ.items() if name not in ("_", "PWD", "LC_CTYPE")}
found["path"] = sys.path
found["torch"] = __import__("torch").get_num_threads()
print(json.dumps(found))
print("é", file=sys.stderr)
"""
ENDS = {
    "pass": 0,
    "raise SystemExit(3)": 3,
    "raise SystemExit('a message')": 1,
    "raise ValueError('not caught')": 1,
    "import os; os.kill(os.getpid(), 9)": -9,
    "import atexit; atexit.register(print, 'at the end'); print('before', flush=False)": 0,
}


def run(python: Path, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    live = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    line = [str(python), *words]
    return subprocess.run(line, cwd=folder, env=live | environment, input="typed", capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"PYTHONPATH": f"/one{os.pathsep}/two", "MORE": "x=\n'é"}], ids=str)
def test_a_script_gets_what_python_gives_it(tmp_path, environment):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/script.py").write_text(SEEN)
    words = ("inner/script.py", "-a", "two words", "é")
    found, expected = (run(python, tmp_path, *words, **environment) for python in (command(), Path(sys.executable)))
    assert (found.returncode, found.stderr) == (0, "é\n") == (expected.returncode, expected.stderr)
    assert json.loads(found.stdout) == json.loads(expected.stdout)
    assert json.loads(found.stdout)["torch"] == 1


@pytest.mark.parametrize("code", ENDS)
def test_a_script_ends_as_in_python(tmp_path, code):
    (tmp_path / "script.py").write_text(code)
    found, expected = (run(python, tmp_path, "script.py") for python in (command(), Path(sys.executable)))
    assert found.returncode == expected.returncode == ENDS[code]
    assert found.stdout == expected.stdout
    assert found.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]


def test_nothing_of_vaelab_is_there_before_it_is_imported(tmp_path):
    (tmp_path / "script.py").write_text("import sys; print([name for name in sys.modules if 'vaelab' in name])")
    assert run(command(), tmp_path, "script.py").stdout == "[]\n"


def test_what_is_no_script_is_handed_on(tmp_path):
    assert run(command(), tmp_path, "-c", "print(1)").stdout == "1\n"
