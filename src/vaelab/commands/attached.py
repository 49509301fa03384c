"""Runs a module as a program that ends with the process that started it, however that ends: a kill -9 too.

`python -P attached.py MODULE ARGUMENTS`, with a pipe as its standard input, of which the other process holds the end.
It imports nothing of vaelab: the module runs as it would by `python -m`.
"""

import os
import runpy
import subprocess
import sys
import threading
from typing import IO, Any


def start(module: str, *words: str, said: "int | IO[bytes]") -> "subprocess.Popen[Any]":
    """Start a module as a program that ends when this process does; what it says goes to `said`."""
    line = [sys.executable, "-P", __file__, module, *words]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=said, stderr=said)


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
