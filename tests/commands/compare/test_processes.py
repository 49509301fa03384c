"""A process that streams, and one that is as DVC with -k: it goes on with the next stage when one is interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vaelab.commands.compare.processes import KEPT, run

SOURCE = Path(__file__).resolve().parents[3] / "src"
STAGES = """
import signal, subprocess, sys
for number in range(3):
    stage = subprocess.Popen([sys.executable, "-c", "import time; print('stage', flush=True); time.sleep(30)"])
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    stage.wait()
    signal.signal(signal.SIGINT, old)
    sum(range(3_000_000))  # writes its lock files
print("ended by itself", flush=True)
sys.exit(255)
"""
RUN = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it
from vaelab.commands.compare.processes import run
try:
    run([sys.executable, "stages.py"], Path())
except KeyboardInterrupt:
    sys.exit(130)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_streams_go_through_and_the_end_of_stderr_is_kept(tmp_path, capfd):
    code = "import sys; print('out'); sys.stderr.write('é' * 30_000 + 'end'); sys.exit(3)"
    ended = run(python(code), tmp_path)
    assert ended.code == 3
    assert ended.said == ("é" * 30_000 + "end")[-KEPT:]
    said = capfd.readouterr()
    assert said.out == "out\n"
    assert said.err == "é" * 30_000 + "end"


WARNING = "WARNING: No file hash info found for '/p/models/{}'. It won't be created.\n"
SAYS = """import sys, time
for part in {!r}:
    sys.stderr.write(part), sys.stderr.flush(), time.sleep(0.05)
"""


def test_only_the_warnings_of_what_is_still_to_be_made_are_left_out(tmp_path, capfd):
    expected = [WARNING.format(name) for name in "abcd"]
    parts = ["one\n", *expected[:2], "WARNING: another\n", expected[2][:30], expected[2][30:] + "bar\r", "\x1b[33m",
             expected[3], "No file hash info found for 'x'. It won't be created.\n", "WARNING: the end"]  # fmt: skip
    rest = "one\nWARNING: another\nbar\r\x1b[33mNo file hash info found for 'x'. It won't be created.\nWARNING: the end"
    assert run(python(SAYS.format(parts)), tmp_path).said == capfd.readouterr().err == rest


def test_it_runs_in_the_folder(tmp_path, capfd):
    run(python("from pathlib import Path; print(Path.cwd())"), tmp_path)
    assert Path(capfd.readouterr().out.strip()) == tmp_path.resolve()


def test_a_command_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_of_ours_ends_all_stages(tmp_path, number):
    (tmp_path / "stages.py").write_text(STAGES)
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(python(RUN), cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "stage\n"
        process.send_signal(number)
        rest = process.stdout.read()  # ends when the last of its processes has ended
    assert process.returncode == 130
    assert rest.endswith("ended by itself\n")


def test_a_terminal_stays_one(tmp_path):
    pty = pytest.importorskip("pty")
    code = "import sys, os; sys.stderr.write(f'{os.isatty(2)} {os.get_terminal_size(2).columns}\\n')"
    script = RUN.replace('"stages.py"', f'"-c", {code!r}')
    ours, theirs = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    subprocess.run(["stty", "cols", "77"], stdin=theirs, check=True)
    done = subprocess.run(python(script), cwd=tmp_path, env=environment, stderr=theirs)
    assert done.returncode == 0
    assert os.read(ours, 100).decode().split() == ["True", "77"]
    os.close(ours)
    os.close(theirs)
