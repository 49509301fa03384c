"""The pipeline itself, in a temporary clone with a tiny data set: repro, experiments, the queue, bad input."""

import csv
import io
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from projects import ENVIRONMENT, call, make_project

TINY = {
    "datasets": {"grids": {"source": "arc_folder", "path": "data/raw/tasks", "canvas": 8}},
    "model": {"latent_dim": 4, "width": 4, "depth": 2},
    "loss": {"gamma": 2.0},
    "train": {"epochs": 2, "batch_size": 8, "checkpoint_samples": 3},
    "visualize": {"prior_samples": 4, "traversal_dimensions": 2, "traversal_steps": 3},
    "compare": {"samples": 4},
    "presets": {
        "option_a": {"loss": {"terms": {"focal": 1.0, "extent": 1.0}}},
        "option_c": {"loss": {"terms": {"focal": 1.0, "extent": 1.0}, "class_weights": "inverse", "gamma": 1.0}},
    },
    "suites": {"single": {"option_a": {"data": "grids"}}},
    "runs": {"option_a": {"data": "grids"}, "option_c": {"data": "grids"}},
}

pytestmark = pytest.mark.slow


def write_tasks(folder: Path) -> None:
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for task in range(12):
        pairs = [
            {side: random.integers(0, 4, random.integers(2, 7, 2)).tolist() for side in ("input", "output")}
            for _ in range(3)
        ]
        (folder / f"task_{task:02d}.json").write_text(json.dumps({"train": pairs[:2], "test": pairs[2:]}))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A clone with tiny data and params, committed, after its first `dvc repro`."""
    folder = make_project(tmp_path_factory.mktemp("project"), TINY)
    write_tasks(folder / "data" / "raw" / "tasks")
    call(folder, "dvc", "add", "-q", "data/raw/tasks")
    call(folder, "dvc", "repro")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "repro")
    return folder


def test_repro_makes_everything_and_git_keeps_only_what_is_small(project):
    for run in ("option_a", "option_c"):
        for path in (
            f"data/runs/{run}.yaml", f"models/{run}/model.safetensors", f"models/{run}/last.safetensors",
            f"models/{run}/history.csv", f"plots/runs/{run}/checkpoints/epoch_002.png", f"plots/runs/{run}/epochs.gif",
            f"plots/runs/{run}/filmstrip.png", f"metrics/headline/{run}.json", f"metrics/summary/{run}.json",
        ):  # fmt: skip
            assert (project / path).stat().st_size > 0, path
        summary = json.loads((project / f"metrics/summary/{run}.json").read_text())
        assert summary["config"] == yaml.safe_load((project / f"data/runs/{run}.yaml").read_text())
        assert {"train", "val", "test"} <= summary["metrics"].keys()
    assert "Recommended" in (project / "metrics/comparison_report.txt").read_text()
    tracked = call(project, "git", "ls-files", "data", "models", "metrics", "plots").split()
    assert not [path for path in tracked if path.endswith((".safetensors", ".png"))]
    assert "metrics/headline/option_a.json" in tracked
    assert not any((project / ".scratch").iterdir())


AGAIN = """
import runpy, shutil, sys
for stage in ("train", "evaluate", "visualize"):
    sys.argv[0] = stage
    runpy.run_path(f"stages/{stage}.py", run_name="__main__")
    if stage == "train":
        shutil.copytree("plots/runs/option_a/checkpoints", "drawn")
"""  # in one process: most of the time of each is that of its imports


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_again_in_python_itself_gives_the_same_bytes_and_training_draws_what_visualize_drew(project):
    models, scores, plots = (project / name / "option_a" for name in ("models", "data/scores", "plots/runs"))
    before, drawn = [contents(folder) for folder in (models, scores, plots)], contents(plots / "checkpoints")
    for path in (plots / "checkpoints").iterdir():
        path.unlink()
    facts, took = (project / f"metrics/{name}/option_a.json" for name in ("training", "seconds"))
    reason, seconds = facts.read_bytes(), took.read_bytes()
    call(project, sys.executable, "-c", AGAIN, "option_a")
    assert [contents(folder) for folder in (models, scores, plots)] == before
    assert contents(project / "drawn") == drawn
    shutil.rmtree(project / "drawn")
    assert facts.read_bytes() == reason
    assert took.read_bytes() != seconds  # which no digest follows: the lock is the same in each clone
    assert any(name.startswith("best_epoch") for name in drawn)


def test_a_second_repro_does_nothing(project):
    output = call(project, "dvc", "repro")
    assert "Data and pipelines are up to date" in output
    assert "Running stage" not in output


def test_an_experiment_retrains_only_what_its_value_reaches(project):
    output = call(project, "dvc", "exp", "run", "-S", "loss.gamma=1.5")
    assert "Running stage 'train@option_a'" in output
    assert "Running stage 'train@option_c'" not in output
    assert yaml.safe_load((project / "data/runs/option_a.yaml").read_text())["loss"]["gamma"] == 1.5
    assert "option_a" in call(project, "dvc", "metrics", "diff")
    call(project, "git", "checkout", "-q", ".")
    call(project, "dvc", "checkout")


def test_an_experiment_that_reaches_no_run_says_so(project):
    command = ("dvc", "exp", "run", "-S", "loss.gamma=1.5", "-S", "+presets.option_a.loss.gamma=2.0")
    output = call(project, *command)
    assert "warning: loss.gamma=1.5 has no effect" in output
    assert "Running stage 'train@" not in output
    call(project, "git", "checkout", "-q", ".")
    call(project, "dvc", "checkout")


def test_a_queued_experiment_runs_its_own_copy_of_the_code(project):
    target = ("evaluate@option_a",)  # every stage finds its code in the same way (test_pipeline.py)
    call(project, "dvc", "exp", "run", "--queue", "-S", "runs=${suites.single}", "-S", "model.latent_dim=2", *target)
    # as with an editable install of this very clone: python finds the live workspace unless a stage says otherwise
    live = ENVIRONMENT | {"PYTHONPATH": str(project / "src")}
    loop = project / "src/vaelab/training/loop.py"
    original = loop.read_text()
    loop.write_text("raise SystemExit('the live workspace was imported')\n")
    try:
        call(project, "dvc", "queue", "start", environment=live)
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            status = call(project, "dvc", "queue", "status")
            if "Queued" not in status and "Running" not in status:
                break
            time.sleep(2)
    finally:
        loop.write_text(original)
    assert status.count("Success") == 1, status
    shown = call(project, "dvc", "exp", "show", "--csv")
    rows = list(csv.DictReader(io.StringIO(shown[shown.index("Experiment") :])))
    found = {row["params.yaml:model.latent_dim"]: row for row in rows}
    assert {"2", "4"} <= found.keys()
    score = "metrics/headline/option_a.json:distortion"
    assert found["2"][score] != found["4"][score]
    assert "latent_dim" in call(project, "dvc", "exp", "show", "--only-changed", "--drop", ".*/.*", "--md")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("loss.gama=1.0", "did you mean 'gamma'"),
        ("loss.gamma=.nan", "expected a finite number"),
        ("runs.option_a.preset=option_x", "unknown preset 'option_x'"),
        ("runs.option_a.data=grid", "unknown data set 'grid'; did you mean 'grids'"),
    ],
)
def test_bad_params_end_with_one_message_and_change_nothing(project, change, message):
    path, value = change.split("=")
    params = yaml.safe_load((project / "params.yaml").read_text())
    *groups, last = path.split(".")
    block = params
    for name in groups:
        block = block[name]
    block[last] = yaml.safe_load(value)
    before = {p: p.read_bytes() for p in (project / "data/runs").iterdir()}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    output = call(project, sys.executable, "stages/resolve.py", code=2)
    assert message in output
    assert "Traceback" not in output
    assert {p: p.read_bytes() for p in (project / "data/runs").iterdir()} == before
    call(project, "git", "checkout", "-q", "params.yaml")


def test_a_typo_found_by_dvc_repro_leaves_the_resolved_runs_alone(project):
    before = contents(project / "data/runs")
    (project / "params.yaml").write_text((project / "params.yaml").read_text().replace("gamma: 2.0", "gama: 2.0", 1))
    output = call(project, "dvc", "repro", code=255)
    assert "loss.gama: unknown key; did you mean 'gamma'" in output
    assert "Traceback" not in output
    assert contents(project / "data/runs") == before
    call(project, "git", "checkout", "-q", "params.yaml")


def test_an_unknown_suite_is_named(project):
    output = call(project, "dvc", "exp", "run", "-S", "runs=${suites.nope}", code=255)
    assert "suites.nope" in output.replace("'", "")
    assert "Traceback" not in output
    call(project, "git", "checkout", "-q", ".")


def test_a_damaged_model_file_stops_evaluate_with_one_message(project):
    model = project / "models/option_a/model.safetensors"
    whole = model.read_bytes()
    model.unlink()
    model.write_bytes(whole[:1000])
    output = call(project, "python", "stages/evaluate.py", "option_a", code=2)
    assert "damaged" in output
    assert "Traceback" not in output
    model.write_bytes(whole)
