"""A process that streams, and one that is as DVC with -k: it goes on with the next stage when one is interrupted."""

import os
import signal
import subprocess
import sys
import time
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


def test_all_is_kept_however_slowly_it_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.stderr, "write", lambda text: time.sleep(0.06))
    assert run(python("import sys; sys.stderr.write('x' * 65_000 + 'end')"), tmp_path).said.endswith("xend")


def test_a_child_that_lives_on_is_not_waited_for(tmp_path, capfd):
    code = "import subprocess, sys; subprocess.Popen(['sleep', '20']); sys.stderr.write('end')"
    began = time.monotonic()
    assert run(python(code), tmp_path).said == "end"
    assert time.monotonic() - began < 15


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


EARLY = """
import os, signal, subprocess, sys
start = subprocess.Popen
def interrupted(*words, **options):
    process = start(*words, **options)
    os.kill(os.getpid(), signal.SIGTERM)  # before anybody waits for it
    return process
subprocess.Popen = interrupted
"""


def test_an_interrupt_that_comes_while_it_starts_ends_it_too(tmp_path):
    (tmp_path / "stages.py").write_text(STAGES)
    environment, began = os.environ | {"PYTHONPATH": str(SOURCE)}, time.monotonic()
    done = subprocess.run(python(EARLY + RUN), cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert time.monotonic() - began < 40


def test_what_is_ignored_stays_ignored(tmp_path, monkeypatch):
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code = f"import os, signal; os.kill({os.getpid()}, signal.SIGHUP)"
        assert run(python(code), tmp_path).code == 0
    finally:
        signal.signal(signal.SIGHUP, earlier)


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
