"""How a script ends, whatever the terminal can show."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaelab.errors import InputError, exit_on_input_error

SOURCES = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_the_terminal_lacks_is_written_as_an_escape(monkeypatch, encoding):
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)

    def main():
        print("σ → 8 × 8 \udc80")
        raise InputError("no column “σ”")

    with pytest.raises(SystemExit) as ended:
        exit_on_input_error(main)
    assert ended.value.code == 2
    out, said = (stream.buffer.getvalue() if not stream.flush() else b"" for stream in streams.values())
    if encoding == "ascii":
        assert out == b"\\u03c3 \\u2192 8 \\xd7 8 \\udc80\n"
        assert said == b"error: no column \\u201c\\u03c3\\u201d\n"
    assert out.endswith(b"\\udc80\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file of Linux")
def test_a_full_disk_behind_stdout_is_one_message():
    code = "from vaelab.errors import exit_on_input_error; exit_on_input_error(lambda: print('a table'))"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, env=SOURCES)
    assert done.returncode == 2
    assert done.stderr == "error: what is printed cannot be written: no space left where it goes\n"


def test_the_end_of_a_stage_says_all_and_does_what_is_registered():
    code = "import atexit; from vaelab.errors import end; atexit.register(print, 'done'); print('said'); end(); 1 / 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=SOURCES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said\ndone\n", "")


def test_a_stage_that_another_program_runs_does_not_end_that(tmp_path):
    (tmp_path / "stage.py").write_text("from vaelab.errors import end\nend()\n")
    code = "import runpy; runpy.run_path('stage.py', run_name='__main__'); print('goes on')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=SOURCES, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")
