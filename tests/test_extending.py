"""docs/extending.md, followed to the letter in a copy: what it adds is valid, trains, is measured and documented."""

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from warm.python import command as warm_python

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
COPIED = (
    "src", "stages", "docs", "tests", "params.yaml", "dvc.yaml", "pyproject.toml", "README.md", "CONTRIBUTING.md",
)  # fmt: skip
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"^# (\S+\.\w+)(?:, (after|before|in place of): (.+))?\n", re.MULTILINE)
RUN = re.compile(r"`dvc exp run -S '\+runs\.(\w+)=(\{.*\})'`")
TINY = {
    "datasets": {
        "stripes": {"source": "stripes", "images": 30, "size": 16},
        "waves": {"source": "waves", "signals": 200, "length": 32},
    },
    "model": {"latent_dim": 2, "width": 2, "depth": 1},
    "evaluate": {"samples": 8},
    "visualize": {"examples": 5, "prior_samples": 4, "traversal_steps": 3},
    "runs": {
        "tiny": {
            "data": "stripes",
            "model": {"name": "dense"},
            "loss": {"terms": {"huber": 1.0}},
            "train": {"epochs": 1, "batch_size": 12, "checkpoint_samples": 2},
        },
        "waves": {
            "data": "waves",
            "model": {"hidden": [32]},
            "train": {"epochs": 15, "batch_size": 8, "learning_rate": 0.003, "checkpoint_every": 15},
        },
    },
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
def run(stage, *names):
    sys.argv = [stage, *names]
    runpy.run_path(f"stages/{stage}.py", run_name="__main__")
run("resolve")
for data, name in (("stripes", "tiny"), ("waves", "waves")):
    run("prepare", data)
    for stage in ("train", "evaluate", "visualize", "threshold", "diagnose"):
        run(stage, name)
run("compare")
"""
TESTS = """
import sys
import pytest
for tests in (
    ["tests/measures/image/test_contrast_ratio.py", "tests/metrics", "tests/figures/test_kinds.py"],
    ["tests/params/test_document.py", "tests/params/test_cross_checks.py", "tests/data/sources/test_rooms.py"],
    [f"tests/comparison/test_{name}.py" for name in ("judge", "summary", "table")],
    ["tests/test_docs.py", "-k", "signal or extending or one_paragraph"],
):
    if pytest.main(["-n", "0", "-p", "no:cacheprovider", *tests]):
        sys.exit(1)
"""
PICTURES = {  # of each run, whatever its kind; of groups; those that only signals have
    "curves", "filmstrip", "interpolations", "kl_per_dimension", "posterior_histograms", "prior_samples", "traversals",
    "latent_projection", "reconstructions",
}  # fmt: skip


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
    (folder / "script.py").write_text(code, encoding="utf-8")
    command = [str(warm_python()), "script.py"]
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
    """A tiny run with the new model, term and source, and one on the new kind of data, up to their comparison."""
    (project / "params.yaml").write_text(yaml.safe_dump(TINY, sort_keys=False), encoding="utf-8")
    call(project, STAGES)
    return project


@pytest.fixture(scope="module")
def signals(trained):
    """The metrics of the reported phase of the run on the new kind of data."""
    return json.loads((trained / "metrics/evaluate/waves.json").read_text(encoding="utf-8"))["test"]


def test_the_page_has_a_run_for_each_of_model_term_source_and_kind():
    assert [name for name, _ in RUN.findall(PAGE)] == ["dense", "huber", "stripes", "waves"]
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
    for line in ("dense: data photos", "huber: data photos", "stripes: data stripes", "waves: data waves"):
        assert line in checked


@pytest.mark.slow
def test_the_new_names_are_in_the_options(project, checked):
    text = (project / "docs/params.md").read_text(encoding="utf-8")
    names = "`conv`, `filtered`, `local`, `dense`, `mlp`"
    for part in (names, "`loss.terms.huber`", "`source: stripes`", "`source: waves`"):
        assert part in text
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    for option, prefix in {
        "loss.terms.huber": "Images: ",
        "loss.terms.mse": "Images, signals: ",
        "loss.terms.gaussian": "Images, signals: ",
        "model.hidden": "Signals, tags, and `local`: ",
        "visualize.examples": "Images, signals, tags: ",
    }.items():
        assert f"| {prefix}" in rows[option]
    assert "signals" not in rows["loss.terms.ssim"]
    for option, default in {
        "model.name": "mlp (signals)",
        "train.metric": "snr (signals)",
        "compare.metric": "snr (signals)",
    }.items():
        assert default in rows[option]


@pytest.mark.slow
def test_what_is_added_passes_the_tests_of_registries_and_pages(checked, project):
    call(project, TESTS)


@pytest.mark.slow
def test_the_new_source_is_prepared(trained):
    meta = json.loads((trained / "data/prepared/stripes/meta.json").read_text(encoding="utf-8"))
    assert meta["examples"] == {"train": 24, "val": 3, "test": 3}
    assert meta["shape"] == [1, 16, 16]
    assert meta["groups"] == ["lying", "upright"]


@pytest.mark.slow
def test_the_new_model_trains_with_the_new_term(trained):
    config = json.loads((trained / "metrics/summary/tiny.json").read_text(encoding="utf-8"))["config"]
    assert config["model"]["name"] == "dense"
    with (trained / "models/tiny/history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["phase"] for row in rows] == ["val", "train", "val"]  # of the untrained model, of the one epoch
    assert all(float(row["huber"]) > 0 for row in rows)


@pytest.mark.slow
def test_the_new_metric_is_in_the_evaluation_beside_the_baselines(trained):
    metrics = json.loads((trained / "metrics/evaluate/tiny.json").read_text(encoding="utf-8"))
    assert all(metrics[phase]["contrast_ratio"] > 0 for phase in ("train", "val", "test"))
    reached = {name: values["contrast_ratio"] for name, values in metrics["test"]["floors"].items()}
    assert reached["mean_image"] < metrics["test"]["references"]["blur"]["contrast_ratio"] < 1


@pytest.mark.slow
def test_the_new_kind_of_data_is_prepared(trained):
    meta = json.loads((trained / "data/prepared/waves/meta.json").read_text(encoding="utf-8"))
    assert (meta["kind"], meta["shape"], meta["groups"]) == ("signal", [32], ["slow", "fast"])
    assert meta["examples"] == {"train": 160, "val": 20, "test": 20}


@pytest.mark.slow
def test_the_new_kind_of_data_trains(trained):
    config = json.loads((trained / "metrics/summary/waves.json").read_text(encoding="utf-8"))["config"]
    assert (config["kind"], config["model"]["name"], config["train"]["metric"]) == ("signal", "mlp", "snr")
    assert config["loss"]["terms"]["gaussian"] == 1
    with (trained / "models/waves/history.csv").open(newline="") as file:
        snr = [float(row["snr"]) for row in csv.DictReader(file) if row["phase"] == "val"]
    assert len(snr) == 16  # the untrained model and 15 epochs
    assert max(snr) > snr[0] + 1


@pytest.mark.slow
def test_the_new_kind_of_data_has_its_metrics_baselines_and_ablations(trained, signals):
    reached, without = signals["floors"], signals["ablations"]
    assert reached.keys() == {"mean_signal", "pca"}
    assert without.keys() == {"shuffled_z", "zero_z"}
    assert all(values.keys() == {"mse", "snr"} for values in (*reached.values(), *without.values()))
    assert reached["pca"]["mse"] < reached["mean_signal"]["mse"]
    assert signals["snr"] > max(reached["mean_signal"]["snr"], without["shuffled_z"]["snr"]) + 0.5
    assert abs(signals["negative_elbo"] - signals["distortion"] - signals["rate"]) < 1e-3
    headline = json.loads((trained / "metrics/headline/waves.json").read_text(encoding="utf-8"))
    assert list(headline) == ["snr", "mse", "rate", "active_units"]


@pytest.mark.slow
def test_the_new_kind_of_data_has_all_pictures(trained):
    folder = trained / "plots/runs/waves"
    assert {path.stem for path in folder.glob("*.png")} == PICTURES
    assert (folder / "checkpoints/epoch_015.png").is_file()
    assert (folder / "epochs.gif").is_file()
    compared = trained / "plots/comparison/pictures"
    assert {path.name for path in compared.glob("*_waves.png")} == {"curves_waves.png", "reconstructions_waves.png"}


@pytest.mark.slow
def test_the_new_kind_of_data_is_compared(trained):
    text = (trained / "metrics/comparison_report.txt").read_text(encoding="utf-8")
    report = " ".join(text.partition("Data set waves")[2].split())
    assert "- waves: ill: training stopped too early (unfinished, costs quality" in report
    for part in (
        "mean signal", "baseline: PCA", "signal-to-noise ratio, dB", "PCA with as many components as waves",
        "Recommended: waves",
    ):  # fmt: skip
        assert part in report
    threshold = json.loads((trained / "data/thresholds/waves/summary.json").read_text(encoding="utf-8"))
    assert threshold == {"scored": False}
