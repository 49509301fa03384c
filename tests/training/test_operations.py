"""Killed, told to end, or refused by the disk at any operation on files: then the same command makes the same bytes."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers import write_tags
from warm.python import command as warm_python

SCRIPT = Path(__file__).with_name("operations.py")
FILES = {"model.safetensors", "last.safetensors", "history.csv", "checkpoints/epoch_002.safetensors"}


@pytest.fixture
def disturbed(tmp_path):
    """The report of operations.py, in which nothing is left of any training but its result."""

    def run(what: str) -> dict:
        write_tags(tmp_path / "data", 16, 8, 8, seed=0)
        command = [str(warm_python()), str(SCRIPT), "data", what]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert result.returncode == 0, result.stderr
        report = json.loads(result.stdout.splitlines()[-1])
        assert set(report["files"]) > FILES
        assert len(report["points"]) > 10
        assert [point for point in report["points"] if point["again"] or not point["same"]] == []
        assert all(point["ended"] for point in report["points"])
        assert [point for point in report["points"] if point["left"] != [".scratch"]] == []
        return report

    return run


@pytest.mark.slow
@pytest.mark.parametrize("what", ["kill", "killed_then_removed", "kill_elsewhere"])
def test_killed_at_any_operation(disturbed, what):
    report = disturbed(what)
    assert report["count"] > 60
    assert {point["code"] for point in report["points"]} == {-9}
    assert what != "kill" or len(report["points"]) == report["count"]


@pytest.mark.slow
def test_told_to_end_at_any_operation(disturbed):
    points = disturbed("signal")["points"]
    assert {point["code"] for point in points} == {0, 130, 143}  # 0: when all was trained
    for point in points:
        lines = point["said"].splitlines()
        assert (point["code"] == 0) or lines[-1].startswith("interrupted: ")
        assert (point["code"] == 0) or "run the same command again to go on" in lines[-1]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["error", "error_elsewhere"])
def test_refused_by_the_disk_at_any_operation(disturbed, what):
    points = disturbed(what)["points"]
    codes = {point["code"] for point in points}
    assert codes in ({2}, {0, 2})  # 0: a folder that was there, a lock's file that stays
    for point in points:
        errors = [line for line in point["said"].splitlines() if line.startswith("error: ")]
        assert len(errors) == (point["code"] == 2)
        assert all("the disk is full" in line or "cannot be written: [Errno 30]" in line for line in errors)
        assert "Traceback" not in point["said"]
