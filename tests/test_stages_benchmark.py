"""The benchmark of stages: what a process does is found in its stack, and sums go to stages and parts."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import stages
from sampled.sitecustomize import part

from vaelab.errors import InputError
from vaelab.storage import read_json


def test_the_part_is_seen_in_the_stack(tmp_path):
    path = tmp_path / "missing.json"
    with pytest.raises(InputError) as error:
        read_json(path)
    last = error.tb
    while last.tb_next is not None:
        last = last.tb_next
    assert part(last.tb_frame) == "files"
    assert part(sys._getframe()) == "other"


def test_seconds_add_up_by_stage():
    words = [["x/stages/train.py", "a"], ["stages/train.py", "b"], ["/bin/dvc", "repro"]]
    found = stages.by_stage(
        [{"words": w, "cpu": 2.0, "wall": 3.0, "parts": {"training": [1.0, 1.5]}} for w in words], 7.0
    )
    assert list(found) == ["train", "dvc", "start and end"]
    assert found["train"] == {"processes": 2, "cpu": 4.0, "wall": 6.0, "parts": {"training": [2.0, 3.0]}}
    assert found["start and end"]["cpu"] == 1.0
    result = {"command": "c", "cpu": 7.0, "wall": 5.0, "stages": found}
    assert "| train | 2 | 6.0 | 4.0 | 2.0 |" in stages.table(result)
    assert stages.ratio(result)["cpu_ratio"] == 3.5
