"""Runs side by side: here, and on a Ray cluster of two nodes of which one dies; the same as one after the other."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from projects import ENVIRONMENT, MAIN, TAGS, call, make_project, started, vaelab

TESTS = Path(__file__).resolve().parents[2]
ALONE = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
PARAMS = TAGS | {
    "runs": {name: {"data": "tags", "preset": "narrow", "train": {"seed": seed}} for seed, name in enumerate("abcd")},
    "presets": {"narrow": {"model": {"latent_dim": 2, "hidden": [8]}, "train": {"epochs": 60}}},
    "suites": {},
}
FAILS = """import sys
from pathlib import Path
if sys.argv[1] == "b" and not Path("{}").exists():
    sys.exit("b is broken")
"""  # before the rest of a stage

pytestmark = pytest.mark.slow
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None
    or shutil.which("unshare") is None
    or subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0,
    reason="no extra [ray], or this machine gives no namespaces, in which Ray listens on loopback alone",
)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """A project after `dvc repro`."""
    folder = make_project(tmp_path_factory.mktemp("serial"), PARAMS, pictures=False)
    call(folder, "dvc", "repro")
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """The digests of what the stages of all runs have made, and of the comparison."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return {
        out["path"]: out["md5"] for name, stage in stages.items() if "@" in name or name == "compare"
        for out in stage["outs"] if not out["path"].startswith("plots/")
    }  # fmt: skip


def test_a_run_that_fails_stops_no_other_and_the_same_command_goes_on(serial, tmp_path):
    project = make_project(tmp_path, PARAMS, pictures=False)
    stage = project / "stages/diagnose.py"
    whole = stage.read_text()
    stage.write_text(FAILS.format("mended") + whole)
    said = vaelab(project, "repro", "-j", "2", code=1)
    assert "failed: diagnose@b; all other runs are done and kept" in said
    assert "b is broken" in said
    assert (project / ".scratch/logs/b.log").is_file()
    assert sorted(path.stem for path in (project / "metrics/diagnose").glob("*.json")) == ["a", "c", "d"]
    stage.write_text(whole)
    said = vaelab(project, "repro", "c", "b")
    assert "2 of 2 runs to bring up to date" in said  # the script is another one for all of them
    assert {line.split(":")[0] for line in said.splitlines() if "done in" in line} == {"b", "c"}
    assert started(vaelab(project, "repro")) == ["compare"]
    assert outputs(project) == outputs(serial)


def test_many_runs_have_copies_of_the_project(serial, tmp_path):
    project = make_project(tmp_path, PARAMS, pictures=False)
    many = "import sys; from vaelab import cli; from vaelab.commands.repro import command; command.MANY = 1; cli.main()"
    source = ENVIRONMENT | {"PYTHONPATH": str(project / "src")}
    said = call(project, sys.executable, "-c", many, "repro", "-j", "2", environment=source)
    assert len([line for line in said.splitlines() if "done in" in line]) == 4
    assert [stage.partition("@")[0] for stage in started(said)] == ["resolve", "prepare", "compare"]
    assert outputs(project) == outputs(serial)
    assert "up to date" in call(project, "dvc", "status")


@pytest.mark.parametrize("words", [("nobody",), ("a", "nobody")])
def test_a_run_that_is_not_there_is_named(serial, words):
    assert "no run 'nobody' in params.yaml; known: a, b, c, d" in vaelab(serial, "repro", *words, code=2)


def on_nodes(project: Path, script: str, *words: str) -> str:
    """What a script says that starts a cluster, in namespaces of its own, and calls `vaelab` with the words."""
    own = {"PYTHONPATH": str(project / "src"), "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    return call(project, *ALONE, sys.executable, str(TESTS / script), *words, environment=ENVIRONMENT | own)


@needs_ray
def test_a_node_of_ray_that_dies_costs_nothing_but_time(serial, tmp_path):
    project = tmp_path / "on Ray"
    project.mkdir()
    make_project(project, PARAMS, pictures=False)
    said = on_nodes(project, "ray_nodes.py", sys.executable, str(MAIN), "repro")
    died = next(line.split()[-1] for line in said.splitlines() if line.startswith("killed the node of"))
    assert f"{died}: " in next(line for line in said.splitlines() if "has died; again on" in line)
    assert "(4 of 4 runs)" in said
    assert "ended with 0, left running: []" in said
    assert "resuming after epoch" in (project / ".scratch" / "logs" / f"{died}.log").read_text()
    assert outputs(project) == outputs(serial)


@needs_ray
def test_what_goes_wrong_on_ray_is_said_and_the_same_command_goes_on(serial, tmp_path):
    """And so where machines share no folder, but a remote: each task has a cache of its own, which goes with it."""
    (project := tmp_path / "project").mkdir()
    make_project(project, PARAMS | {"runs": {"narrow": {"data": "tags"}}}, pictures=False)
    call(project, "dvc", "remote", "add", "--local", "-d", "storage", str(tmp_path / "storage"))
    stage, mended = project / "stages/diagnose.py", tmp_path / "mended"
    stage.write_text(FAILS.format(mended) + stage.read_text())
    runs = [("--config", name, "data=tags", "preset=narrow", f"seed={seed}") for seed, name in enumerate("ab")]
    words = [str(mended), sys.executable, str(MAIN), "compare", *(word for run in runs for word in run)]
    words.append("--via-remote")
    killed, again, done = on_nodes(project, "ray_faults.py", *words).split("\n# ")
    assert "(1 of 2 runs)\nended with -9\nleft of tasks: []" in killed
    for said in (killed, again):  # each node that is unfit is named once, and what it was given goes elsewhere
        assert said.count("the project cannot be copied there: No space left on device") == 1
        assert said.count("torch 1.0, expected ") == 1
        assert "has died" not in said
    assert "error: failed: diagnose@b; all other runs are done and kept" in again
    assert "b is broken\n" in again
    assert "ended with 1" in again
    assert "a: was done before on " in done
    assert "ended with 0\nleft running: []" in done
    assert not started(done, "train")
    assert not started(done, "evaluate")
    of_both = {path: digest for path, digest in outputs(serial).items() if Path(path).stem in ("a", "b")}
    assert len(of_both) > 20
    assert of_both.items() <= outputs(project).items()
