"""Two processes that Fabric starts, as VAELAB_DEVICES says, train to the same weights as one, up to rounding."""

import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import torch
from helpers import write_grids, write_images
from warm.python import command as warm_python

from vaelab.models.files import load_model

CHILD = Path(__file__).with_name("child.py")


def train(folder: Path, processes: int, run: str) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Train a run of child.py; return its last weights and its history."""
    write = write_images if run.startswith("image") else write_grids
    write(folder / "data", 40, 10, 10, seed=0)
    settings = {"VAELAB_DEVICES": str(processes), "VAELAB_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    command = [str(warm_python()), str(CHILD), "data", "models", run]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **settings})
    assert result.returncode == 0, result.stderr
    weights = load_model(folder / "models" / "last.safetensors").model.state_dict()
    return weights, pd.read_csv(folder / "models" / "history.csv")


@pytest.mark.slow
@pytest.mark.parametrize("run", ["grid_with_group_norm", "image_to_share"])
def test_one_process_equals_two(tmp_path, run):
    (one, history), (two, other) = train(tmp_path / "one", 1, run), train(tmp_path / "two", 2, run)
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, two[name], rtol=1e-4, atol=1e-5)
    pd.testing.assert_frame_equal(history, other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_processes_agree_when_to_stop(tmp_path):
    _, history = train(tmp_path, 2, "grid_with_patience")
    assert len(history)
