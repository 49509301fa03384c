"""A training that is killed and started again ends with the same bytes as one that was left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import write_grids, write_images, write_tags
from warm.python import command as warm_python

CHILD = Path(__file__).with_name("child.py")
MOMENTS = (
    "before_the_first_state",
    "in_an_epoch_with_a_saved_step",
    "between_checkpoint_and_state",
    "while_a_checkpoint_is_written",
    "while_results_are_published",
)
WRITE = {
    "grid": write_grids,
    "grid_map": write_grids,
    "image": write_images,
    "tags": write_tags,
    "tags_without_dropout": write_tags,
}
CASES = [("grid", moment) for moment in MOMENTS] + [("image", moment) for moment in MOMENTS[:3]]
CASES += [("grid_map", "in_an_epoch_with_a_saved_step"), ("grid_map", "between_checkpoint_and_state")]
CASES += [("tags", "in_an_epoch_with_a_saved_step"), ("tags_without_dropout", "between_checkpoint_and_state")]

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHILD.parent)}
ALL = """
import os, sys
import child
words = iter(sys.argv[1:])
for run, folder in zip(words, words):
    os.chdir(folder)
    sys.argv[1:] = ["data", "models", run]
    child.main()
"""


def train(folder: Path, run: str, *when: str) -> subprocess.CompletedProcess:
    command = [str(warm_python()), str(CHILD), str(folder / "data"), str(folder / "models"), run, *when]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The files of each training, all made by one new Python, whose hashes of texts are not those of a fork."""
    folders = {run: tmp_path_factory.mktemp(run) for run in WRITE}
    for run, write in WRITE.items():
        write(folders[run] / "data", 40, 10, 10, seed=0)
    words = [word for run, folder in folders.items() for word in (run, str(folder))]
    result = subprocess.run([sys.executable, "-c", ALL, *words], capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 0, result.stderr
    assert not any(any((folder / ".scratch").iterdir()) for folder in folders.values())
    return {run: contents(folder / "models") for run, folder in folders.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("run", "moment"), CASES)
def test_killed_training_resumes_bit_for_bit(tmp_path, uninterrupted, run, moment):
    WRITE[run](tmp_path / "data", 40, 10, 10, seed=0)
    assert train(tmp_path, run, moment).returncode == -signal.SIGKILL
    resumed = train(tmp_path, run)
    assert resumed.returncode == 0, resumed.stderr
    assert ("resuming" in resumed.stderr) == (moment != "before_the_first_state")
    assert contents(tmp_path / "models") == uninterrupted[run]


@pytest.mark.slow
def test_killed_from_outside_three_times(tmp_path, uninterrupted):
    write_grids(tmp_path / "data", 40, 10, 10, seed=0)
    command = [str(warm_python()), str(CHILD), str(tmp_path / "data"), str(tmp_path / "models"), "grid", "slowly"]
    for epochs in (1, 2, 3):
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env=ENVIRONMENT) as child:
            wait_for_history(tmp_path, 1 + 2 * epochs)
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
            child.communicate()
        assert child.returncode == -signal.SIGKILL
    assert train(tmp_path, "grid").returncode == 0
    assert contents(tmp_path / "models") == uninterrupted["grid"]


def wait_for_history(folder: Path, rows: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in folder.glob(".scratch/*/output/history.csv"):
            if len(path.read_text().splitlines()) > rows and path.parents[1].joinpath("state.safetensors").exists():
                return
        time.sleep(0.01)
    raise AssertionError("the training wrote no history")
