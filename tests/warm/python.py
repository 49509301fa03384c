"""A `python` that starts a script in a tenth of the time: forked from a process that has imported torch already.

A script gets a process of its own, with the arguments, folder, environment, streams, search path and exit status that
Python would give it (test_python.py). Nothing of vaelab is imported beforehand: each project has its own copy.
"""

import functools
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SHIM = """#!/bin/sh
test -f "$1" && test "$OMP_NUM_THREADS" = 1 && exec {python} -I -S {client} {address} "$@"
exec {python} "$@"
"""  # anything but a script is Python's own business


@functools.cache
def command() -> Path:
    """Return the path of the command; it works until this process ends. Put its folder first in PATH."""
    shim = Path(tempfile.mkdtemp(prefix="warm_")) / "python"
    address = shim.with_name("socket")
    text = SHIM.format(python=sys.executable, client=HERE / "client.py", address=address)
    forks = sys.platform == "linux"  # elsewhere what torch brings may not survive a fork
    shim.write_text(text if forks else f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    shim.chmod(0o755)
    if forks:
        _serve(address)
    return shim


def _serve(address: Path) -> None:
    global _server  # lives as long as the other end of its standard input
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(16)
        _server = subprocess.Popen(
            [sys.executable, HERE / "server.py", address.parent, str(listener.fileno())],
            stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=environment | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
