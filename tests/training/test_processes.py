"""Several processes with gloo train to the weights and the history of one, up to rounding, and speak with one voice."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from helpers import write_grids, write_images, write_tags
from warm.python import command as warm_python

from vaelab.models.files import load_model

SHARE = Path(__file__).with_name("share.py")
RUNS = [
    *(f"{kind}{what}" for kind in ("grid", "image", "tags") for what in ("", "_total_correlation", "_mmd")),
    "grid_free_bits", "image_free_bits", "tags_more_free_bits", "grid_capacity", "image_capacity", "tags_more_capacity",
    "image_laplace", "image_mixed", "image_restless", "image_per_group", "grid_map", "tags_parts",
]  # fmt: skip
BY_TWO = [*(f"{kind}{what}" for kind in ("grid", "image", "tags") for what in ("", "_mmd")), "image_restless"]
ENVIRONMENT = {**os.environ, "VAELAB_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}


def write_data(folder: Path) -> Path:
    for name, write in {"grid": write_grids, "image": write_images, "tags": write_tags}.items():
        write(folder / "data" / name, 20, 8, 8, seed=0)
    return folder


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


class Processes:
    """As many processes as torchrun would start, each a warm fork, that run share.py in a folder with data."""

    def __init__(self, folder: Path, world: int, *words: str) -> None:
        together = {"WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world), "TORCHELASTIC_RUN_ID": "none"}
        together |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
        self.started = [
            subprocess.Popen(
                [str(warm_python()), str(SHARE), "data", f"of_{world}", *words], cwd=folder, text=True,
                env=ENVIRONMENT | together | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for rank in range(world)
        ]  # fmt: skip

    def ended(self) -> list[tuple[int, str]]:
        """How each process ends: its exit code, and what it said on stderr but for the progress bar."""
        said = [process.communicate(timeout=120)[1] for process in self.started]
        return [(process.returncode, text) for process, text in zip(self.started, said, strict=True)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """All runs by one and three processes, some by two, four steps of five examples each."""
    folder = write_data(tmp_path_factory.mktemp("processes"))
    for world, runs in ((1, RUNS), (2, BY_TWO), (3, RUNS)):
        for code, said in Processes(folder, world, *runs).ended():
            assert code == 0, said
    return folder


def left(folder: Path) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    weights = load_model(folder / "last.safetensors").model.state_dict()
    return weights, pd.read_csv(folder / "history.csv")


@pytest.mark.slow
@pytest.mark.parametrize(("run", "world"), [*((run, 3) for run in RUNS), *((run, 2) for run in BY_TWO)])
def test_several_processes_give_what_one_gives(trained, run, world):
    one, history = left(trained / "of_1" / run)
    several, other = left(trained / f"of_{world}" / run)
    assert history["step"].max() == 4
    for name, tensor in one.items():
        torch.testing.assert_close(several[name], tensor, rtol=0, atol=1e-5)
    pd.testing.assert_frame_equal(history, other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_torchrun_gives_what_one_process_gives(trained, tmp_path):
    script, python = Path(sys.executable).with_name("torchrun"), str(warm_python())
    torchrun = [python, str(script), "--nproc-per-node", "2", "--master-port", free_port(), "--no-python", python]
    command = [*torchrun, str(SHARE), str(trained / "data"), "out", "tags"]
    subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True, timeout=120)
    for name, tensor in left(tmp_path / "out/tags")[0].items():
        torch.testing.assert_close(tensor, left(trained / "of_1/tags")[0][name], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_a_batch_that_is_smaller_than_the_processes_is_one_message(tmp_path):
    ended = Processes(write_data(tmp_path), 2, "tags_one_by_one").ended()
    assert [code for code, _ in ended] == [2, 2]
    (message,) = [line for _, said in ended for line in said.splitlines() if "error" in line]
    assert message == "error: train.batch_size: 1 examples for 2 processes; expected one or more for each"


@pytest.mark.slow
def test_the_process_where_a_loss_is_not_finite_is_named_in_one_file(tmp_path):
    ended = Processes(write_data(tmp_path), 3, "image_broken").ended()  # example 2 of 5, in step 3
    assert [code for code, _ in ended] == [2, 2, 2]
    (message,) = [line for _, said in ended for line in said.splitlines() if "error" in line]
    assert "stopped before step 2 (epoch 1): inference.z is not finite in process 1" in message
    (path,) = tmp_path.rglob("nonfinite.json")
    report = json.loads(path.read_text())
    assert (report["process"], report["first_bad"]) == (1, "inference.z")
    assert len(report["examples"]) == 5
    assert len(report["examples_with_bad_loss"]) == 1
    assert report["examples_with_bad_loss"][0] in report["examples"]


@pytest.mark.slow
def test_several_processes_that_are_told_to_end_go_on_from_there(tmp_path, trained):
    shutil.copytree(trained / "data", tmp_path / "data")
    processes = Processes(tmp_path, 2, "tags_slowly")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("of_2/.scratch/*/output/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.01)
    for rank in range(2):
        os.kill(int((tmp_path / f"of_2/pid_{rank}").read_text()), signal.SIGTERM)
    (code, said), (other, silence) = processes.ended()
    assert code == 143
    assert other in (2, 143)
    assert "tags_slowly is saved after epoch" in said
    assert "Traceback" not in said + silence
    for code, _ in Processes(tmp_path, 2, "tags_slowly").ended():
        assert code == 0
    for code, _ in Processes(tmp_path, 1, "tags_slowly").ended():
        assert code == 0
    (one, history), (two, other) = (left(tmp_path / f"of_{world}/tags_slowly") for world in (1, 2))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-4)  # of more steps
    pd.testing.assert_frame_equal(history, other, rtol=1e-3, atol=1e-4)
