"""Runs a command on a Ray cluster of three nodes, two of them unfit, three times: python ray_faults.py MENDED WORDS...

The first time the command is killed when a run is done, the second time a run fails, the third time the file MENDED is
there. As ray_nodes.py it wants namespaces of its own; what the command says goes to standard output.
"""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import psutil
from ray.cluster_utils import Cluster
from ray_nodes import left_running, loopback_up


def main() -> None:
    """Start the nodes, and the command three times."""
    loopback_up()
    mended, *words = sys.argv[1:]
    node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    for changes in ({"TMPDIR": str(full_disk())}, {"PYTHONPATH": f"{other_torch()}:{os.environ['PYTHONPATH']}"}):
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, env_vars=changes)
    words += ["--on", "ray", "--address", cluster.address]
    say("killed", words, "(1 of ")
    print(f"left of tasks: {tasks_left()}", flush=True)
    say("again", words)
    Path(mended).touch()
    say("mended", words)
    cluster.shutdown()
    print(f"left running: {left_running()}")


def full_disk() -> Path:
    """Return a folder on a disk with no room."""
    folder = Path(mkdtemp())
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    return folder


def other_torch() -> Path:
    """Return a folder in which Python finds another version of torch, by its name alone."""
    folder = Path(mkdtemp())
    (folder / "torch-1.0.dist-info").mkdir()
    (folder / "torch-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")
    assert version("torch") != "1.0"
    return folder


def say(title: str, words: list[str], last: str = "") -> None:
    """Run the command and say what it says; killed after a line with `last`."""
    print(f"# {title}", flush=True)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as command:
        for line in command.stdout or ():
            print(line, end="", flush=True)
            if last and last in line:
                command.send_signal(signal.SIGKILL)
    print(f"ended with {command.returncode}", flush=True)


def tasks_left() -> list[str]:
    """Return what DVC and stages run still when tasks have had ten seconds to end."""
    end = time.monotonic() + 10
    while True:
        lines = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
        found = [line for line in lines if "dvc repro" in line or "stages/" in line]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


if __name__ == "__main__":
    main()
