"""`vaelab dashboard`: one process, of this machine alone, which a signal ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaelab.dashboard import command, server
from vaelab.errors import InputError

SOURCE = Path(__file__).resolve().parents[2] / "src"
HERE = "http://127.0.0.1:"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`vaelab dashboard` in an empty project, which answers."""
    (tmp_path / "params.yaml").write_text("compare: {}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    port = free_port()
    words, live = (
        [sys.executable, "-m", "vaelab", "dashboard", "--port", str(port)],
        os.environ | {"PYTHONPATH": str(SOURCE)},
    )
    process = subprocess.Popen(words, cwd=tmp_path, env=live, text=True, stdout=subprocess.PIPE)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{HERE}{port}/_stcore/health", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield process, port
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_signal_ends_the_server_and_only_its_own_address_is_answered(started):
    process, port = started
    ask = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(ask.encode())
        assert " 403 " in connection.recv(100).decode().splitlines()[0]
    with pytest.raises(InputError, match=f"--port {port}: "):
        command.check_free(port)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline().startswith(f"{HERE}{port}")
    assert process.wait(20) == 0
    command.check_free(port)  # no process has it any more


def test_a_taken_port_is_refused_before_an_address_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(os, "execv", lambda *words: pytest.fail("started"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="in use; name another one"):
            command.serve(taken.getsockname()[1])
    assert not capsys.readouterr().out


def test_without_a_wish_the_next_free_port_is_taken(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(command, "FIRST", taken.getsockname()[1])
        assert command.FIRST < command.free_port() < command.FIRST + command.TRIED
        monkeypatch.setattr(command, "TRIED", 1)
        with pytest.raises(InputError, match="are taken; name another one with --port"):
            command.free_port()


def test_a_foreign_origin_is_refused_without_a_look_at_the_web(monkeypatch):
    from streamlit import net_util
    from streamlit.web.server.server_util import is_url_from_allowed_origins

    for name in ("get_external_ip", "get_internal_ip"):
        monkeypatch.setattr(net_util, name, lambda: pytest.fail("this machine's address was looked up"))
    server.keep_to_itself()
    assert not is_url_from_allowed_origins("http://evil.example")


def test_it_listens_to_this_machine_alone():
    words = command.command_line(8501)
    assert words[words.index("--server.address") + 1] == "127.0.0.1"
    assert words[0] == sys.executable
    assert words.count("--server.allowedHosts") == 2


def test_without_streamlit_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"vaelab\[dashboard\]"):
        command.serve(8501)
