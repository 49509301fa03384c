"""Runs scripts, each in a fork of this process, until its standard input ends: python server.py FOLDER LISTENER."""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress

BEFORE = (  # what stages import, but for vaelab
    "torch", "torch._dynamo", "lightning_fabric", "markdown_it.presets", "matplotlib.backends.backend_agg",
    "matplotlib.pyplot", "pandas", "PIL.ImageText", "pydantic.main", "pydantic.type_adapter", "safetensors.numpy",
    "safetensors.torch", "scipy.cluster.hierarchy", "scipy.ndimage", "scipy.optimize", "scipy.stats", "skimage.measure",
    "skimage.metrics", "skimage.morphology", "skimage.util", "sklearn.cluster", "sklearn.metrics", "sklearn.mixture",
    "tabulate", "tqdm", "wcwidth", "yaml",
)  # fmt: skip


def script(listener: socket.socket) -> str | None:
    """Return, in a new process for each that is asked for, the path of a script; in this one None in the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection = listener.accept()[0]
        for name in BEFORE:
            with suppress(ImportError):
                importlib.import_module(name)
        gc.freeze()  # a fork that walks over all objects copies them
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            return answer(connection)
        connection.close()
    return None


def _wait_for_end(child: int, connection: socket.socket) -> None:
    """Wait until the child has ended; where the one that asks for it is gone before, tell the child to end."""
    ended, ends = os.pidfd_open(child), select.poll()
    ends.register(ended, select.POLLIN)
    ends.register(connection, 0)  # POLLHUP alone: it has shut down its own side at once
    if ended not in dict(ends.poll()):
        os.kill(child, signal.SIGTERM)
    os.close(ended)


def answer(connection: socket.socket) -> str:
    """Return the path of the script in a new process; this one waits for that and says how it has ended."""
    _, streams, *_ = socket.recv_fds(connection, 1, 3)
    arguments, folder, environment = json.loads(connection.makefile().read())
    child = os.fork()
    if child:
        _wait_for_end(child, connection)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(BrokenPipeError):
            connection.sendall(str(code).encode())
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = arguments
    path = os.path.abspath(arguments[0])
    searched = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [os.path.dirname(os.path.realpath(path)), *filter(None, searched)]
    return path


def run(path: str) -> int:
    """Run the script; return its exit status. Python's own end, which frees all there is, takes seconds in a fork."""
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
        return end.code or 0 if isinstance(end.code, int | None) else 1
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    path = script(socket.socket(fileno=int(sys.argv[2])))
    if path:
        status = run(path)
        threading._shutdown()
        atexit._run_exitfuncs()
    else:
        status = 0
        shutil.rmtree(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
