"""A project in a temporary folder: the repository's own stages and code under git and DVC, with tiny data."""

import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from warm.python import command as warm_python

ROOT = Path(__file__).resolve().parents[1]
MAIN = Path(__file__).with_name("warm") / "main.py"
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(warm_python().parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # each stage would compile the project's code anew
    "COLUMNS": "200",
    "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "t@example.org",
    "GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "t@example.org",
}  # fmt: skip
TAGS: dict[str, Any] = {  # a fraction of a second a training
    "datasets": {
        "tags": {"source": "tags", "rows": 120, "topics": 2, "topic_tags": 3, "exclusive_groups": 0, "tail_tags": 2}
    },
    "train": {"batch_size": 32, "checkpoint_samples": 3},
    "evaluate": {"tag_samples": 24},
    "visualize": {"prior_samples": 4, "traversal_dimensions": 2, "traversal_steps": 3},
    "compare": {"samples": 3},
    "presets": {
        "narrow": {"model": {"latent_dim": 2, "hidden": [8]}, "train": {"epochs": 1}},
        "wide": {"model": {"latent_dim": 8, "hidden": [24]}, "train": {"epochs": 1}},
    },
    "suites": {"sizes": {"narrow": {"data": "tags"}, "wide": {"data": "tags"}}},
    "runs": {"narrow": {"data": "tags"}},
}


NO_PICTURES = """import sys
from pathlib import Path
plots = Path("plots/runs", sys.argv[1])
plots.mkdir(parents=True, exist_ok=True)
(plots / "none.txt").write_text("")
"""  # drawing is two thirds of the time of a tiny run


def make_project(folder: Path, params: dict[str, Any] | None = None, *, pictures: bool = True) -> Path:
    """Return `folder`, now a project whose first commit has `params` (tiny tags) and nothing that was run.

    Without `pictures`, stage visualize writes an empty file: for tests of what runs when, not of what is drawn.
    """
    listed = call(ROOT, "git", "ls-files", "-co", "--exclude-standard", "stages", "src", ".dvc", ".gitignore").split()
    for name in [*listed, "dvc.yaml", ".dvcignore", "data/raw/.gitkeep", "metrics/treatments/.gitkeep"]:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "params.yaml").write_text(yaml.safe_dump(params or TAGS, sort_keys=False))
    if not pictures:
        (folder / "stages/visualize.py").write_text(NO_PICTURES)
    call(folder, "git", "init", "-q")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "first")
    return folder


def call(folder: Path, *command: str, code: int = 0, environment: dict[str, str] = ENVIRONMENT) -> str:
    """Return what a command prints, stdout before stderr; it must end with `code`."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_stages(folder: Path) -> None:
    """Run what dvc.yaml declares in this process, without DVC: its commands in its order, for each data set or run."""
    params, pipeline = (yaml.safe_load((folder / name).read_text()) for name in ("params.yaml", "dvc.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        for stage in pipeline["stages"].values():
            python, script, *arguments = shlex.split(stage.get("do", stage)["cmd"])
            assert python in ("python", "${LAUNCH:-python}")
            for key in params.get(stage["foreach"].strip("${}"), ()) if "foreach" in stage else [""]:
                patch.setattr(
                    sys, "argv", [script, *(key if word.endswith("${DVC_STAGE##*@}") else word for word in arguments)]
                )
                runpy.run_path(str(ROOT / script), run_name="__main__")


def vaelab(folder: Path, *words: str, code: int = 0) -> str:
    """Return what the command `vaelab` of the project's own code prints."""
    live = ENVIRONMENT | {"PYTHONPATH": str(folder / "src")}
    return call(folder, "python", str(MAIN), *words, code=code, environment=live)


def started(output: str, stage: str = "") -> list[str]:
    """Return the stages that DVC ran, those whose name begins with `stage`, in order."""
    lines = (line for line in output.splitlines() if line.startswith("Running stage"))
    names = [line.split("'")[1] for line in lines]
    return [name for name in names if name.startswith(stage)]
