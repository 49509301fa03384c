"""How many runs go side by side."""

import os
import subprocess
from types import SimpleNamespace

import psutil

from vaelab.commands.repro import lanes
from vaelab.commands.repro.command import failure
from vaelab.commands.repro.turns import Turns


def test_as_many_runs_as_cores_and_memory_allow(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=5 * lanes.MEMORY + 1))
    assert [lanes.fitting(runs) for runs in (0, 3, 9)] == [1, 3, 5]
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1))
    assert lanes.fitting(9) == 1


def test_a_log_that_cannot_be_written_fails_its_run_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".scratch/logs").mkdir(parents=True)
    (tmp_path / ".scratch/logs/full.log").symlink_to("/dev/full")
    said = []

    def start(run):
        return subprocess.Popen(["echo", run], stdout=subprocess.PIPE, text=True)

    ended = lanes.Lanes(start, 1, said.append).reproduce(Turns(["full", "well"], {}))
    assert [(one.run, one.code) for one in ended] == [("full", 1), ("well", 0)]
    assert "logs/full.log: the disk is full" in failure(ended[:1])
    assert said == ["full: FAILED in its beginning (1 of 2 runs)", "well: was done before (2 of 2 runs)"]
