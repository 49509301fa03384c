"""`vaelab tensorboard`: its messages, its processes, and what is seen in a browser."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from browser import opened
from following import assert_as_in_history, train

import vaelab
from vaelab import artifacts
from vaelab.commands import extras
from vaelab.commands.tensorboard import server
from vaelab.commands.tensorboard.command import tensorboard
from vaelab.commands.tensorboard.follower import LOGS
from vaelab.errors import InputError

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1])}
VAELAB = [sys.executable, "-c", "from vaelab.cli import main; main()", "tensorboard"]
FOLLOW = "from vaelab.commands.tensorboard.follower import Follower; Follower().update(); print('done')"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_once_writes_what_is_there_and_says_where(capsys):
    train()
    tensorboard([], once=True, port=None)
    assert capsys.readouterr().out.startswith("tiny: written to .scratch/tensorboard/")
    assert_as_in_history()


def test_a_run_that_cannot_be_read_is_said_and_not_among_what_was_written(capsys):
    train()
    (artifacts.models("tiny") / "history.csv").write_text("")
    tensorboard([], once=True, port=None)
    said = capsys.readouterr()
    assert said.out.startswith("no training: written")
    assert "left out until it changes: models/tiny/history.csv: damaged" in said.err


def test_an_unknown_run_is_refused():
    train()
    with pytest.raises(InputError, match="no run 'tinny'; did you mean 'tiny'"):
        tensorboard(["tinny"], once=True, port=None)


def test_only_one_process_writes_events():
    LOGS.parent.mkdir()
    with LOGS.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="follows here already"):
            tensorboard([], once=True, port=None)


def test_a_port_that_is_taken_is_said_before_anything_else(capsys):
    train()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is taken"):
            tensorboard([], once=False, port=port)
    assert capsys.readouterr().out == ""
    assert not LOGS.exists()


STANDS_IN = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
SERVES = """
import time
from pathlib import Path
from vaelab.commands.tensorboard import server
server.MODULE = "stands_in"
with server.served(Path("logs"), server.free_port(None)) as served:
    print(served.address, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def stands_in(folder, monkeypatch):
    """Another server in place of TensorBoard, which starts in a tenth of the time."""
    (folder / "stands_in.py").write_text(STANDS_IN)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(server, "MODULE", "stands_in")


@pytest.mark.parametrize("moment", ["wait", "check"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_any_moment_ends_the_server(stands_in, monkeypatch, capsys, number, moment):
    started = []

    def check(self):
        started.append(self.process)
        os.kill(os.getpid(), number)

    earlier = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it
    monkeypatch.setattr(server.Server, moment, check)
    try:
        tensorboard([], once=False, port=None)
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
    assert capsys.readouterr().out.endswith(f"ended; the events stay in {LOGS}/\n")
    assert started[0].poll() is not None


def test_the_server_ends_where_the_command_is_killed(stands_in, folder):
    live = os.environ | {"PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}{os.pathsep}{folder}"}
    with subprocess.Popen([sys.executable, "-c", SERVES], env=live, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        (child,) = psutil.Process(process.pid).children()
        process.kill()
    assert psutil.wait_procs([child], timeout=20)[1] == []


def test_a_port_that_another_process_is_quicker_to_take_is_no_server_of_ours(stands_in, folder):
    (folder / "stands_in.py").write_text("raise SystemExit('the port is in use')")
    LOGS.mkdir(parents=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(InputError, match="ended with code 1:\nthe port is in use"),
            server.served(LOGS, taken.getsockname()[1]),
        ):
            pass


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'vaelab\[tensorboard\]'"):
        extras.need("tensorboard", "tensorboard")


@pytest.fixture(scope="module")
def long_one(tmp_path_factory):
    """A training of many epochs."""
    place = tmp_path_factory.mktemp("long")
    train("grid", root=place, train={"epochs": 12})
    return place


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0.02, 0.1])
def test_a_follower_killed_at_any_moment_goes_on_and_needs_no_torch(long_one, folder, wait):
    shutil.copytree(long_one, folder, dirs_exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", FOLLOW], env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not list(LOGS.rglob("*tfevents*")) and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(wait)
        process.kill()
    check = f"{FOLLOW}; import sys; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", check], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert_as_in_history()


@pytest.fixture
def served():
    """The command as a user starts it: its process and its address."""
    train("image", loss={"beta": 0.5})
    Path("params.yaml").touch()
    process = subprocess.Popen([*VAELAB], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    yield process, line.removeprefix("TensorBoard: ").split(" ")[0]
    process.kill()
    process.communicate()


def numbers(address, name, tag):
    with urllib.request.urlopen(f"{address}data/plugin/scalars/scalars?run={name}&tag={tag}") as answer:
        return [step for _, step, _ in json.load(answer)]


@pytest.mark.slow
def test_what_is_seen_in_a_browser_is_live_and_asks_no_other_machine(served):
    process, address = served
    assert address.startswith("http://127.0.0.1:")
    with opened() as (page, foreign):
        page.goto(f"{address}#images")
        pictures = page.locator("tf-image-loader img")
        pictures.first.wait_for(timeout=60_000)
        assert pictures.count() == 4  # three samples, and all of them together
        assert pictures.first.evaluate("image => image.naturalWidth") > 200
        page.goto(f"{address}#scalars")
        page.get_by_text("tag: latents/active_units").wait_for(timeout=60_000)
        page.goto(f"{address}#hparams")
        page.get_by_text("loss.beta").first.wait_for(timeout=60_000)
        assert foreign == []
    train("image", name="later")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            assert numbers(address, "later/val", "measures/psnr") == [0, 1, 2]
            break
        except OSError:  # 404: not seen yet
            time.sleep(0.5)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(f"{address}data/runs", headers={"Host": "example.org"}))
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not child.is_running()
