"""Two processes with gloo train to the same weights as one, up to rounding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import write_grids

from vaelab.models.files import load_model

CHILD = Path(__file__).with_name("child.py")


def train(folder: Path, processes: int, *when: str) -> dict[str, torch.Tensor]:
    write_grids(folder / "data", 40, 10, 10, seed=0)
    settings = {"VAELAB_DEVICES": str(processes), "VAELAB_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(CHILD), "data", "models", *when]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **settings})
    assert result.returncode == 0, result.stderr
    return load_model(folder / "models" / "last.safetensors").model.state_dict()


@pytest.mark.slow
def test_one_process_equals_two(tmp_path):
    one, two = train(tmp_path / "one", 1, "with_group_norm"), train(tmp_path / "two", 2, "with_group_norm")
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, two[name], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_two_processes_with_batch_norm_agree_when_to_stop(tmp_path):
    assert train(tmp_path, 2, "with_patience")  # each process has its own batch statistics: the first one decides
