"""Runs a command on a Ray cluster of two nodes, one of which dies while it trains: python ray_nodes.py WORDS...

It wants to be alone in a network namespace, where nothing but loopback can be reached, and in one of process ids, so
that nothing outlives it. On standard output come the lines that the command says, then what was left running.
"""

import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil
from ray.cluster_utils import Cluster

BEGINS = re.compile(r"(\w+): begins on \S+/(\w+)")


def loopback_up() -> None:
    """Bring the interface lo up, as `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


def main() -> None:
    """Start the nodes, then the command, kill the second node when its run has saved its state, and follow the rest."""
    loopback_up()
    node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    words = [*sys.argv[1:], "--on", "ray", "--address", cluster.address]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as command:
        killed = False
        for line in command.stderr or ():
            print(line, end="", flush=True)
            found = BEGINS.match(line)
            if found and not killed and second.node_id.startswith(found[2]):
                saved(found[1])
                cluster.remove_node(second, allow_graceful=False)
                killed = True
                print(f"killed the node of {found[1]}", flush=True)
    cluster.shutdown()
    print(f"ended with {command.returncode}, left running: {left_running()}")


def left_running() -> list[str]:
    """Return what runs still when it has had ten seconds to end, but for this process and what began it."""
    own, end = {1, os.getpid(), os.getppid()}, time.monotonic() + 10
    while True:
        found = [each.info for each in psutil.process_iter(["pid", "name", "status"]) if each.pid not in own]
        names = [each["name"] for each in found if each["status"] != psutil.STATUS_ZOMBIE]
        if not names or time.monotonic() > end:
            return names
        time.sleep(0.1)


def saved(run: str) -> None:
    """Wait until a training has saved its state after an epoch."""
    end = time.monotonic() + 60
    while not any("val" in path.read_text() for path in Path(".scratch").glob(f"{run}-*/output/history.csv")):
        assert time.monotonic() < end, f"{run} has not begun to train"
        time.sleep(0.02)


if __name__ == "__main__":
    main()
