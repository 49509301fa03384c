"""`vaelab compare` from the words to the report: one DVC experiment, which fails, goes on, and is found again."""

import json

import pandas as pd
import pytest
import yaml
from projects import call, make_project, started, vaelab
from typed import typed

from vaelab.commands.compare.experiments import SHOW

pytestmark = pytest.mark.slow
FIRST = ["--config", "a", "preset=narrow", "--config", "b", "preset=wide", "lr=5e-3", "epochs=2", "--name", "first"]
LAUNCH = """#!/bin/sh
test "$2" = b && test ! -e mended && echo "b is broken" >&2 && exit 3
exec python "$@"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("compared"), pictures=False)
    launch = folder / ".git" / "launch.sh"
    launch.write_text(LAUNCH)
    launch.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def first(project):
    """What is printed when one of two runs fails, and when the same command is given again."""
    launch = str(project / ".git" / "launch.sh")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vaelab.__globals__["ENVIRONMENT"], "LAUNCH", launch)
        failed = vaelab(project, "compare", *FIRST, code=1)
    return failed, vaelab(project, "compare", *FIRST)


def test_a_failed_run_is_named_and_the_others_are_done(project, first):
    failed, _ = first
    assert "b is broken" in failed
    assert "error: failed: train@b, for the reason above. The rest is done and kept" in failed
    assert "evaluate@a" in started(failed)
    assert "No file hash info" not in failed


def test_the_same_command_goes_on_from_there(project, first):
    _, output = first
    assert started(output, "train") == ["train@b"]
    line = next(line for line in output.splitlines() if line.startswith("running: "))
    assert line.startswith("running: dvc exp run -k -n first -S '~runs' -S '+runs={a: {data: tags, preset: narrow}")
    for part in (
        "2 configurations",
        "metrics/comparison_report.txt",
        "metrics/comparison.csv",
        f"first; all of them: {SHOW}",
    ):
        assert part in output
    table = pd.read_csv(project / "metrics/comparison.csv")
    assert list(table["configuration"]) == ["a", "b"]
    assert table["hamming_loss"].notna().all()


def test_it_is_one_experiment_with_its_params(project, first):
    shown = json.loads(call(project, "dvc", "exp", "show", "--json"))
    experiments = [exp for commit in shown for exp in commit["experiments"] or []]
    assert [exp["name"] for exp in experiments] == ["first"]
    runs = experiments[0]["revs"][0]["data"]["params"]["params.yaml"]["data"]["runs"]
    assert runs == {
        "a": {"preset": "narrow", "data": "tags"},
        "b": {"preset": "wide", "data": "tags", "train": {"learning_rate": 5e-3, "epochs": 2}},
    }
    resolved = yaml.safe_load((project / "data/runs/b.yaml").read_text())
    assert (resolved["train"]["learning_rate"], resolved["train"]["epochs"]) == (5e-3, 2)


def test_a_name_that_is_taken_is_refused_before_anything_runs(project, first):
    output = typed(project, "compare", *FIRST, code=2)
    assert output.startswith("error: an experiment is named first already")


def test_results_of_earlier_experiments_are_collected_without_training(project, first):
    output = vaelab(project, "compare", "--preset", "sizes", "latent_dim=3", "--seeds", "4")
    assert sorted(started(output, "train")) == ["train@narrow_seed4", "train@wide_seed4"]
    assert {path.stem for path in (project / "metrics/summary").iterdir()} == {"narrow_seed4", "wide_seed4"}
    collected = typed(project, "compare", "--collect-only")
    assert not started(collected)
    table = pd.read_csv(project / "metrics/collected/comparison.csv")
    assert sorted(table["configuration"]) == ["a", "b", "narrow_seed4", "wide_seed4"]
    assert "metrics/collected/comparison_report.txt" in collected
    changes = typed(project, "compare", "--before", "a", "--after", "wide_seed4")
    assert changes.startswith("From a to wide_seed4")
    assert "exact" in changes
    only = typed(project, "compare", "--collect-only", "--metrics-dir", "metrics/summary", "--out", "kept")
    assert "kept/comparison.csv" in only
    assert sorted(pd.read_csv(project / "kept/comparison.csv")["configuration"]) == ["narrow_seed4", "wide_seed4"]


def test_what_ran_already_is_not_run_again(project, first):
    output = vaelab(project, "compare", *FIRST[:-2])
    assert not started(output, "train")
    assert not started(output, "evaluate")


def test_it_can_wait_in_the_queue(project, first):
    before = (project / "params.yaml").read_bytes()
    output = vaelab(
        project, "compare", "--preset", "sizes", "--queue", "--name", "later", "-S", "train.batch_size=16,32"
    )
    assert not started(output)
    assert "dvc queue start" in output
    status = call(project, "dvc", "queue", "status")
    assert "later-1" in status
    assert "later-2" in status
    assert (project / "params.yaml").read_bytes() == before
    call(project, "dvc", "queue", "remove", "--queued")


def test_a_sweep_runs_its_combinations_side_by_side_and_restores_them(project, first):
    output = vaelab(project, "sweep", "narrow", "lr=1e-3,5e-3", "hidden=[8,4]", "--name", "lr", "-j", "2")
    runs = ["narrow_lr_1e_3", "narrow_lr_5e_3"]
    assert started(output.partition("Reproducing experiment")[2]) == ["resolve", "compare"]
    assert output.count("is cached - skipping run, checking out outputs") >= 5 * len(runs)
    logs = "".join((project / f".scratch/logs/{run}.log").read_text() for run in runs)
    assert started(logs, "train") == [f"train@{run}" for run in runs]
    resolved = [yaml.safe_load((project / f"data/runs/{run}.yaml").read_text()) for run in runs]
    assert [(run["train"]["learning_rate"], run["model"]["hidden"]) for run in resolved] == [
        (0.001, [8, 4]),
        (0.005, [8, 4]),
    ]
    assert sorted(pd.read_csv(project / "metrics/comparison.csv")["configuration"]) == runs


def test_what_is_wrong_ends_with_one_message_and_code_2(project, first):
    for words, message in (
        (["--preset", "nope"], "preset nope: unknown suite or preset"),
        (["--config", "a", "gama=1"], "--config a: gama: unknown option; did you mean 'gamma'?"),
        (["--preset", "sizes", "-S", "train.batch_size=0"], "params.yaml with these runs has"),
        (["--before", "a", "--after", "nope"], "no result of nope"),
        (["--collect-only", "--metrics-dir", "nope"], "nope: no such folder"),
        ([], "expected --preset, --config or --seeds"),
        (["--preset", "sizes", "--queue", "-j", "2"], "expected --queue, or --on or -j"),
        (["--preset", "sizes", "--gpus", "1"], "expected --on ray with them"),
        (["--seeds", "x"], "--seeds x: expected numbers"),
        (["--seeds", ""], "--seeds : expected numbers"),
    ):
        output = typed(project, "compare", *words, code=2)
        assert output.startswith("error: ")
        assert message in output
        assert "Traceback" not in output


def test_outside_of_a_project_there_is_one_message(tmp_path):
    assert "no such file (run from the project's root)" in typed(tmp_path, "compare", "--preset", "all", code=2)
    assert "no results" in typed(tmp_path, "compare", "--collect-only", code=2)
