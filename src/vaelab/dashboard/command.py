"""`vaelab dashboard`: Streamlit in place of this process, which listens to this machine alone and asks no other."""

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from vaelab.errors import InputError

APP = Path(__file__).with_name("app.py")
FIRST, TRIED = 8501, 20  # ports
UPLOAD_MEGABYTES = 20  # of a file
HOSTS = ("127.0.0.1", "localhost")  # another name in a request is a page of the web that reaches for this machine
FLAGS = (
    "--server.address", HOSTS[0],
    "--server.headless", "true",
    "--server.fileWatcherType", "none",
    "--server.maxUploadSize", str(UPLOAD_MEGABYTES),
    "--browser.gatherUsageStats", "false",
    "--client.toolbarMode", "viewer",
    "--client.showErrorDetails", "none",
    *(word for host in HOSTS for word in ("--server.allowedHosts", host)),
)  # fmt: skip


def command_line(port: int) -> list[str]:
    """Return the command that serves the dashboard of the project in this folder."""
    return [sys.executable, "-m", "vaelab.dashboard.server", str(APP), "--server.port", str(port), *FLAGS]


def serve(asked: int | None) -> NoReturn:
    """Become the server of the dashboard: a signal to this process, or its end, leaves no other behind.

    Args:
        asked: port; None: 8501, or the next one that is free.

    Raises:
        InputError: Streamlit is not installed, or the port is taken.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise InputError("Streamlit is not installed; expected: pip install 'vaelab[dashboard]'")
    port = free_port() if asked is None else asked
    check_free(port)
    print(f"http://{HOSTS[0]}:{port}  (Ctrl-C ends it)", flush=True)
    os.execv(sys.executable, command_line(port))


def free_port() -> int:
    """Return the first port from 8501 on at which no program of this machine listens, of a few."""
    for port in range(FIRST, FIRST + TRIED):
        try:
            check_free(port)
        except InputError:
            continue
        return port
    raise InputError(f"ports {FIRST} to {FIRST + TRIED - 1} are taken; name another one with --port")


def check_free(port: int) -> None:
    """Raise an InputError where another program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just given back is free
        try:
            probe.bind((HOSTS[0], port))
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror}; name another one") from None
