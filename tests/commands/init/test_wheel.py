"""The wheel alone, built and installed: a project of a foreign table is made, trained, compared, changed and queued."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from projects import ENVIRONMENT, ROOT, call, started

from vaelab.commands.init.pipeline import pipeline_files

pytestmark = pytest.mark.slow
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
TINY = (
    "train.select_from=0", "train.epochs=1", "model.hidden=[8]", "evaluate.mixture_components=2",
    "visualize.prior_samples=4",
)  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package of the wheel, before all others on Python's path, and the environment for it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run(
        [*PIP, "install", "--no-deps", "--no-index", "--target", str(folder / "site"), str(wheel)], check=True
    )
    return folder / "site", ENVIRONMENT | {
        "PYTHONPATH": str(folder / "site"),
        "XDG_CACHE_HOME": str(folder / "cache"),  # of DVC: the project's path is not ASCII
    }


def test_a_project_of_the_wheel_alone(installed, raw, tmp_path):
    site, environment = installed
    folder = tmp_path / "my sóngs"

    def run(*command, code=0, place=folder):
        return call(place, *command, code=code, environment=environment)

    def vaelab(*words, **options):
        return run(sys.executable, "-m", "vaelab", *words, **options)

    where = run(sys.executable, "-c", "import vaelab; print(vaelab.__file__)", place=tmp_path)
    assert Path(where.strip()).is_relative_to(site)
    said = vaelab("init", str(folder), "--data", os.path.relpath(raw / "songs.csv", tmp_path), place=tmp_path)
    assert "tried: train" in said
    files = pipeline_files()
    assert {name: (folder / name).read_text() for name in files} == files
    assert vaelab("check").strip() == "songs: data songs, preset tags"
    params = yaml.safe_load((folder / "params.yaml").read_text())
    assert params.keys() == {"datasets", "runs", "presets", "compare"}
    changes = [word for change in TINY for word in ("-S", f"++runs.songs.{change}")]
    assert started(run("dvc", "exp", "run", *changes))[-1] == "compare"
    assert "Recommended" in (folder / "metrics/comparison_report.txt").read_text()
    assert not started(run("dvc", "repro"))
    assert "runs.other" in vaelab("add", "run", "other", "--data", "songs", "--preset", "vae_small", "epochs=1")
    run("git", "add", "-A")
    run("git", "commit", "-qm", "repro")
    run("dvc", "exp", "run", "--queue", "-S", "++runs.songs.train.seed=1", "resolve")
    run("dvc", "exp", "run", "--run-all")
    assert "Failed" not in run("dvc", "queue", "status")
    changed = site / "vaelab/evaluation/evaluate.py"
    changed.write_text(changed.read_text() + "# another version\n")
    assert "with other code of stages evaluate, visualize" in run("dvc", "repro", code=255)
    vaelab("upgrade")
    vaelab("docs")
    assert (folder / "docs/metrics/index.md").is_file()
    assert vaelab("check").count("vaelab.lock") == 0
