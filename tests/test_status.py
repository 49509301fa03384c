"""What a change makes stale, what a removed run leaves behind, and `vaelab clean`."""

import json
from pathlib import Path

import pytest
import yaml
from projects import TAGS, call, make_project, started, vaelab

pytestmark = pytest.mark.slow
MADE_STALE = {  # by an edit of a file
    "src/vaelab/metrics/records.py": {
        "resolve", "visualize@narrow", "visualize@wide", "diagnose@narrow", "diagnose@wide", "compare",
    },  # titles
    "src/vaelab/diagnosis/report.py": {"diagnose@narrow", "diagnose@wide", "compare"},
    "src/vaelab/figures/latents.py": {"visualize@narrow", "visualize@wide", "compare"},
    "src/vaelab/evaluation/image/ocr.py": {
        "evaluate@narrow", "evaluate@wide", "visualize@narrow", "visualize@wide",
    },
    "src/vaelab/data/sources/grid/arc.py": {"prepare@tags"},
    "src/vaelab/comparison/advice.py": {"compare"},
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two runs, committed after their `dvc repro`."""
    params = TAGS | {"runs": {"narrow": {"data": "tags"}, "wide": {"data": "tags"}}}
    folder = make_project(tmp_path_factory.mktemp("project"), params, pictures=False)
    call(folder, "dvc", "repro")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "repro")


@pytest.mark.parametrize("name", MADE_STALE)
def test_an_edit_makes_stale_what_it_may_change_and_never_a_training(project, name):
    original = (project / name).read_text()
    (project / name).write_text(f"{original}# edited\n")
    assert set(json.loads(call(project, "dvc", "status", "--json"))) == MADE_STALE[name]
    (project / name).write_text(original)
    assert json.loads(call(project, "dvc", "status", "--json")) == {}


def test_another_source_prepares_the_same_again_and_nothing_follows(project):
    source = project / "src/vaelab/data/sources/grid/arc.py"
    original = source.read_text()
    source.write_text(f"{original}# edited\n")
    assert started(call(project, "dvc", "repro")) == ["prepare@tags"]
    source.write_text(original)
    call(project, "git", "checkout", "-q", "dvc.lock")


def test_data_that_change_reach_the_comparison_through_the_stamps(project):
    path = project / "params.yaml"
    original, runs = path.read_text(), (project / "data/runs/wide.yaml").read_bytes()
    path.write_text(original.replace("rows: 120", "rows: 130"))
    names = ("train", "evaluate", "visualize", "threshold", "diagnose")
    expected = {
        "resolve",
        "prepare@tags",
        "compare",
        *(f"{name}@{run}" for name in names for run in ("narrow", "wide")),
    }
    assert set(started(call(project, "dvc", "repro"))) == expected
    assert (project / "data/runs/wide.yaml").read_bytes() == runs  # compare had no other reason
    call(project, "git", "checkout", "-q", ".")
    call(project, "dvc", "checkout", "-q")
    assert json.loads(call(project, "dvc", "status", "--json")) == {}


def test_a_run_that_is_removed_leaves_a_fresh_clone_up_to_date(project, tmp_path):
    params = yaml.safe_load((project / "params.yaml").read_text())
    del params["runs"]["wide"]
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert started(call(project, "dvc", "repro")) == ["resolve", "compare"]
    assert "wide" not in (project / "metrics/comparison_report.txt").read_text()
    commit(project)
    clone = tmp_path / "clone"
    call(tmp_path, "git", "clone", "-q", str(project), str(clone))
    call(clone, "dvc", "cache", "dir", "--local", str(project / ".dvc/cache"))
    call(clone, "dvc", "checkout", "-q")
    assert json.loads(call(clone, "dvc", "status", "--json")) == {}
    assert "up to date" in call(clone, "dvc", "repro")


def test_clean_lists_and_removes_only_when_told(project):
    left = [
        "data/scores/wide", "data/thresholds/wide", "metrics/evaluate/wide.json", "metrics/headline/wide.json",
        "metrics/health/wide.json", "metrics/seconds/wide.json", "metrics/summary/wide.json",
        "metrics/threshold/wide.json", "metrics/training/wide.json", "models/wide",
        "plots/runs/wide", "plots/threshold/wide",
    ]  # fmt: skip
    (project / "data/prepared/old").mkdir()
    (project / "data/prepared/old/meta.json").write_text("{}")
    (project / "models/Notes").mkdir()  # no name that a run can have
    (project / "models/.keep").touch()
    said = vaelab(project, "clean")
    listed = [line.split()[-1] for line in said.splitlines()[:-1]]
    assert sorted(listed) == sorted([*left, "data/prepared/old"])
    assert said.splitlines()[-1].startswith("13 outputs of runs and data sets that params.yaml does not have")
    assert all((project / path).exists() for path in listed)
    vaelab(project, "clean", "--yes")
    assert not [path for path in listed if (project / path).exists()]
    assert (project / "models/Notes").is_dir()
    assert (project / "models/narrow/model.safetensors").exists()
    assert (project / "data/prepared/tags/meta.json").exists()
    assert "nothing is left" in vaelab(project, "clean")
    assert json.loads(call(project, "dvc", "status", "--json")) == {}
