"""docs/extending.md, followed to the letter in a copy: what it adds is valid, trains, is measured and documented."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
COPIED = (
    "src", "stages", "params.yaml", "dvc.yaml", "pyproject.toml", "docs/metrics", "docs/params.md",
    "tests/helpers.py", "tests/params/test_document.py",
)  # fmt: skip
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"^# (\S+\.\w+)(?:, (after|before|in place of): (.+))?\n", re.MULTILINE)
RUN = re.compile(r"`dvc exp run -S '\+runs\.(\w+)=(\{.*\})'`")
TINY = {
    "datasets": {"stripes": {"source": "stripes", "images": 30, "size": 16}},
    "model": {"name": "mlp", "latent_dim": 2, "width": 2, "depth": 1},
    "loss": {"terms": {"huber": 1.0}},
    "train": {"epochs": 1, "batch_size": 12, "checkpoint_samples": 2},
    "evaluate": {"samples": 8},
    "runs": {"tiny": {"data": "stripes"}},
}
CHECK = """
import sys
sys.path.insert(0, "src")
from vaelab.cli import app
for command in ("check", "docs"):
    app([command], standalone_mode=False)
"""
STAGES = """
import runpy, sys
for stage, *names in (["resolve"], ["prepare", "stripes"], ["train", "tiny"], ["evaluate", "tiny"]):
    sys.argv = [stage, *names]
    runpy.run_path(f"stages/{stage}.py", run_name="__main__")
import pytest
options = ["-n", "0", "-p", "no:cacheprovider"]
sys.exit(pytest.main([*options, "tests/measures/image/test_contrast_ratio.py", "tests/params/test_document.py"]))
"""


class Step(NamedTuple):
    """A file to make, or lines to put beside or in place of the one that begins with `anchor`."""

    file: str
    where: str | None
    anchor: str | None
    text: str


def steps(page: str) -> list[Step]:
    found = []
    for _, block in BLOCK.findall(page):
        headers = list(HEADER.finditer(block))
        assert headers, f"a block that does not say where it belongs:\n{block}"
        assert headers[0].start() == 0, block
        ends = [header.start() - 1 for header in headers[1:]] + [len(block)]  # less the empty line between two
        found += [Step(*header.groups(), block[header.end() : end]) for header, end in zip(headers, ends, strict=True)]
    return found


def follow(step: Step, root: Path) -> None:
    path = root / step.file
    if step.where is None:
        assert not path.exists(), f"{step.file} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.strip().startswith(step.anchor)]
    assert len(places) == 1, f"{step.file}: {len(places)} lines begin with {step.anchor!r}; expected one"
    start = places[0] + (step.where == "after")
    end = start + (step.where == "in place of")
    lost = set(re.findall(r"\w+", "".join(lines[start:end]))) - set(re.findall(r"\w+", step.text))
    assert not lost, f"{step.file}: what replaces {step.anchor!r} has lost {lost}"
    path.write_text("".join([*lines[:start], step.text, *lines[end:]]), encoding="utf-8")


def call(folder: Path, code: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    for step in steps(PAGE):
        follow(step, folder)
    return folder


@pytest.fixture(scope="module")
def checked(project):
    """What `vaelab check` prints of the page's own runs; `vaelab docs` has written docs/params.md."""
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["runs"] |= {name: yaml.safe_load(run) for name, run in RUN.findall(PAGE)}
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    return call(project, CHECK)


@pytest.fixture(scope="module")
def trained(project, checked):
    """A tiny run with the new model, term and source, evaluated; the page's test and that of docs/params.md pass."""
    (project / "params.yaml").write_text(yaml.safe_dump(TINY, sort_keys=False), encoding="utf-8")
    call(project, STAGES)
    return project


def test_the_page_has_a_run_for_each_of_model_term_and_source():
    assert [name for name, _ in RUN.findall(PAGE)] == ["mlp", "huber", "stripes"]
    assert {step.where for step in steps(PAGE)} == {None, "after", "before", "in place of"}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step("code.py", "after", "three", ""), "0 lines begin with 'three'"),
        (Step("code.py", "before", "one", ""), "2 lines begin with 'one'"),
        (Step("code.py", "in place of", "two", "    two = 2"), "has lost {'old'}"),
        (Step("code.py", None, None, "new"), "is there already"),
    ],
)
def test_a_step_that_no_longer_fits_is_noticed(tmp_path, step, message):
    (tmp_path / "code.py").write_text("one\n    two = old\n  one = 1\n")
    with pytest.raises(AssertionError, match=re.escape(message)):
        follow(step, tmp_path)


@pytest.mark.slow
def test_params_with_the_new_names_are_valid(checked):
    for line in ("mlp: data photos", "huber: data photos", "stripes: data stripes"):
        assert line in checked


@pytest.mark.slow
def test_the_new_names_are_in_the_options(project, checked):
    text = (project / "docs/params.md").read_text(encoding="utf-8")
    for part in ("`conv`, `local`, `mlp`", "`loss.terms.huber`", "`source: stripes`"):
        assert part in text


@pytest.mark.slow
def test_the_new_source_is_prepared(trained):
    meta = json.loads((trained / "data/prepared/stripes/meta.json").read_text(encoding="utf-8"))
    assert meta["examples"] == {"train": 24, "val": 3, "test": 3}
    assert meta["shape"] == [1, 16, 16]
    assert meta["groups"] == ["lying", "upright"]


@pytest.mark.slow
def test_the_new_model_trains_with_the_new_term(trained):
    config = json.loads((trained / "metrics/summary/tiny.json").read_text(encoding="utf-8"))["config"]
    assert config["model"]["name"] == "mlp"
    with (trained / "models/tiny/history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["phase"] for row in rows] == ["train", "val"]
    assert all(float(row["huber"]) > 0 for row in rows)


@pytest.mark.slow
def test_the_new_metric_is_in_the_evaluation_beside_the_baselines(trained):
    metrics = json.loads((trained / "metrics/evaluate/tiny.json").read_text(encoding="utf-8"))
    assert all(metrics[phase]["contrast_ratio"] > 0 for phase in ("train", "val", "test"))
    reached = {name: values["contrast_ratio"] for name, values in metrics["test"]["floors"].items()}
    assert reached["mean_image"] < reached["blur"] < 1
