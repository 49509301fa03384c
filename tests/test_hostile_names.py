"""Names of data sets and runs, which DVC expands before anything of ours runs, reach no shell and no path elsewhere."""

import pytest
import yaml
from projects import TAGS, call, make_project, started

SHELL = ["t; touch PWNED #", "t' ; touch PWNED ; '", '$(touch PWNED)" ; touch PWNED', "t\ntouch PWNED\n", "-c", "a b"]
PATHS = ["../../notes", "../notes", "../../../outside", "..", "a/b", "../../data/raw"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "project"
    folder.mkdir()
    for place in (folder / "notes", folder.parent / "outside"):
        place.mkdir()
        (place / "kept.txt").write_text("mine")
    return make_project(folder, pictures=False)


def plant(folder, names):
    """Give params.yaml data sets and runs of these names."""
    datasets, runs = (dict.fromkeys(names, entry) for entry in (TAGS["datasets"]["tags"], {"data": "tags"}))
    planted = TAGS | {"datasets": {**TAGS["datasets"], **datasets}, "runs": {**TAGS["runs"], **runs}}
    (folder / "params.yaml").write_text(yaml.safe_dump(planted, sort_keys=False))


def contents(folder):
    """What is not written by DVC itself."""
    own = (".git", ".dvc", "tmp", "__pycache__")
    paths = (path for path in folder.parent.rglob("*") if not set(own) & set(path.relative_to(folder.parent).parts))
    return {path: path.read_bytes() for path in paths if path.is_file() and path.name != "params.yaml"}


WAYS = [["repro"], ["repro", "-k"], ["repro", "-s", "-k"], ["exp", "run", "-S", "train.batch_size=16"]]
STAGES = [f"{stage}@{name}" for stage in ("prepare", "train") for name in (SHELL[0], *PATHS)]


@pytest.mark.parametrize("names", [SHELL, PATHS], ids=["shell", "paths"])
@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_no_way_to_run_the_pipeline_runs_or_removes_anything(project, words, names):
    plant(project, names)
    before = contents(project)
    output = call(project, "dvc", *words, code=255)
    said = "names start with a lower-case letter" if names is SHELL else "params.yaml' does not exist"
    assert said in output
    assert "Traceback" not in output
    assert set(started(output)) <= {"resolve"}
    assert contents(project) == before


@pytest.mark.parametrize("stage", STAGES)
def test_a_single_stage_removes_nothing(project, stage):
    plant(project, [*SHELL, *PATHS])
    before = contents(project)
    output = call(project, "dvc", "repro", "-f", "-s", stage, code=255)
    assert "Traceback" not in output
    assert contents(project) == before
