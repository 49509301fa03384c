"""Runs a command that starts Ray on this machine for itself: python ray_here.py WORDS...; as ray_nodes.py, alone."""

import subprocess
import sys

from ray_nodes import left_running, loopback_up

if __name__ == "__main__":
    loopback_up()
    done = subprocess.run(sys.argv[1:])
    print(f"ended with {done.returncode}, left running: {left_running()}")
