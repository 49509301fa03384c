"""`vaelab dashboard`: Streamlit as a process of its own, which listens to this machine alone and asks no other."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from vaelab.errors import InputError

APP = Path(__file__).with_name("app.py")
UPLOAD_MEGABYTES = 20  # of a file
HOSTS = ("127.0.0.1", "localhost")  # another name in a request is a page of the web that reaches for this machine
FLAGS = (
    "--server.address", "127.0.0.1",
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
    return [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port), *FLAGS]


def serve(port: int) -> int:
    """Serve the dashboard until it is interrupted; return the exit code.

    Raises:
        InputError: Streamlit is not installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise InputError("Streamlit is not installed; expected: pip install 'vaelab[dashboard]'")
    print(f"http://127.0.0.1:{port}  (Ctrl-C ends it)", flush=True)
    with subprocess.Popen(command_line(port)) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return 130
