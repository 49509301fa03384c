"""Parts of the dashboard on their own: reading, numbers, command, what is imported."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaelab import artifacts, storage
from vaelab.dashboard import charts, command, curves, reading
from vaelab.dashboard.numbers import plain, printed, short, title
from vaelab.dashboard.runs import first_run

PAGES = ("overview", "run", "samples", "batch", "latents", "defects", "own_images")


def test_rows_are_those_of_the_whole_array(tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    storage.write_tensors(tmp_path / "a.safetensors", {"x": x, "ids": np.arange(50)})
    assert (reading.rows(tmp_path / "a.safetensors", "x", [7, 0, 49]) == x[[7, 0, 49]]).all()
    assert reading.count(tmp_path / "a.safetensors", "x") == 50
    assert reading.names(tmp_path / "a.safetensors") == {"x", "ids"}


def test_a_long_array_is_read_at_even_places(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_VALUES", 30)
    x = np.arange(300, dtype=np.float32).reshape(100, 3)
    storage.write_tensors(tmp_path / "long.safetensors", {"x": x})
    found, places = reading.spread(tmp_path / "long.safetensors", "x")
    assert places.tolist() == [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]
    assert (found == x[places]).all()


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    assert reading.table(path)["a"].tolist() == [1]
    path.write_text("a\n1\n2\n")
    assert reading.table(path)["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("psnr", 22.098, "22.10 dB"), ("ssim", 0.61734, "0.617"), ("mse", 0.00616123, "0.00616"),
     ("rate", 2271.8, "2,272"), ("active_units", 1536.0, "1,536"), ("mse", float("nan"), "–"),
     ("mse", float("inf"), "∞"), ("psnr", -float("inf"), "−∞ dB"), ("mse", None, "–")],
)  # fmt: skip
def test_numbers_are_printed_in_few_digits(name, value, text):
    assert printed(name, value) == text


def test_titles_of_metrics_and_scores():
    assert (title("psnr"), short("psnr")) == ("PSNR, dB", "PSNR")
    assert title("pca_residual") == "anomaly score: PCA residual"


def test_a_histogram_counts_each_pool_once():
    found = charts.histogram({"a": np.array([0.0, 1, 1, np.nan]), "b": np.array([2.0])}, bins=4)
    assert found.groupby("pool")["count"].sum().to_dict() == {"a": 3, "b": 1}
    assert found.groupby("pool")["share"].sum().to_dict() == pytest.approx({"a": 1, "b": 1})
    assert len(charts.histogram({"a": np.array([np.nan])})) == 0


def test_epoch_zero_is_drawn_where_it_does_not_flatten_the_rest():
    table = pd.DataFrame({"epoch": [0, 1, 2], "phase": "val", "value": [3.0, 2.0, 1.0]})
    drawn, beyond = curves.within(table)
    assert (drawn["epoch"].tolist(), beyond) == ([0, 1, 2], "")
    drawn, beyond = curves.within(table.assign(value=[300.0, 2.0, 1.0]))
    assert (drawn["epoch"].tolist(), beyond) == ([1, 2], ", 300 on val; beyond the axis")
    assert curves.within(table.head(1))[0]["epoch"].tolist() == [0]


def test_a_curve_has_the_title_and_unit_of_its_metric():
    history = pd.DataFrame(columns=["kl", "kl_weight", "kl_weighted", "focal_error", "focal_error_weighted", "psnr"])
    titles = [curves.column_title(name, history) for name in ("kl", "kl_weight", "focal_error", "psnr", "loss_max")]
    expected = [title("rate"), "weight of the rate", "term focal error, unweighted", "PSNR, dB", "loss max"]
    assert titles == expected


def test_small_groups_are_others():
    names = pd.Series([*"aaabbc"])
    assert charts.grouped(names, 2).tolist() == ["a", "a", "a", "b", "b", charts.OTHER]


def test_no_page_loads_torch_before_it_needs_it():
    code = f"import sys\nfrom vaelab.dashboard import {', '.join(PAGES)}, frame\nassert 'torch' not in sys.modules"
    source = Path(command.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(source), "PATH": ""})


def test_names_of_the_data_are_no_markdown():
    assert plain("![x](http://evil.example/x.png)") == r"\!\[x\]\(http\://evil\.example/x\.png\)"
    assert plain("a b") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"faces": {"best": "gone", "score": 1}, "rows": {"best": "long", "score": 2}}', "long"),
        ('{"faces": {"best": null}}', "compact"), ("[]", "compact"), ("{", "compact"), (None, "compact"),
    ],
)  # fmt: skip
def test_the_first_run_is_the_recommended_one(tmp_path, monkeypatch, text, expected):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        storage.write_text(artifacts.BEST, text)
    assert first_run(["compact", "long"]) == expected
