"""How many runs go side by side."""

import os
from types import SimpleNamespace

import psutil

from vaelab.commands.repro import lanes


def test_as_many_runs_as_cores_and_memory_allow(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=5 * lanes.MEMORY + 1))
    assert [lanes.fitting(runs) for runs in (0, 3, 9)] == [1, 3, 5]
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1))
    assert lanes.fitting(9) == 1
