"""Pictures that compare runs: what samples reach beside what data reach, and what seeds alone change."""

import numpy as np
import pandas as pd
import pytest
from comparisons import result
from helpers import random_tags, write_tags
from matplotlib.text import Text
from safetensors.numpy import save_file

from vaelab import artifacts
from vaelab.figures import curves
from vaelab.figures.canvas import files
from vaelab.figures.grid import cells
from vaelab.figures.groups import group_pictures, seeds_by_configuration
from vaelab.figures.tags import TAGS
from vaelab.figures.tags.samples import MEASURES, generation
from vaelab.params.schema import Compare

METRICS = dict(zip(MEASURES, (6.0, 80.0, 0.1, 0.9, 0.2), strict=True))
REAL = {f"real_{name}": value + 1 for name, value in METRICS.items()}
INDEPENDENT = {f"floor_independent_{name}": value - 1 for name, value in METRICS.items()}
MANY = [f"a_long_name_of_a_run_in_a_sweep_{number:02d}_with_a_learning_rate" for number in range(22)]


def test_generation_has_a_dot_per_run_between_data_and_independent_tags(tmp_path):
    runs = {"first": METRICS | REAL | INDEPENDENT, "second": METRICS | REAL | INDEPENDENT | {"entropy": None}}
    figure = generation(runs, "tiny", "test")
    files.save_png(figure, tmp_path / "figure.png")
    for axes, (name, value) in zip(figure.axes, METRICS.items(), strict=True):
        real, independent, dots = axes.lines
        assert set(real.get_xdata()) == {value + 1}
        assert set(independent.get_xdata()) == {value - 1}
        assert dots.get_xdata().tolist() == pytest.approx([value, np.nan if name == "entropy" else value], nan_ok=True)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["first", "second"]
    named = [axes.get_xlabel() for axes in figure.axes]
    assert named == ["closest to the black line"] * 3 + ["higher is better", "lower is better"]


def test_runs_whose_data_differ_have_a_broken_line():
    runs = {"first": METRICS | REAL, "second": METRICS | {name: 2 * value for name, value in REAL.items()}}
    line = generation(runs, "tiny", "test").axes[0].lines[0]
    assert line.get_xydata().tolist() == [[7, -0.5], [7, 0.5], [14, 0.5], [14, 1.5]]


def test_samples_that_were_not_measured_leave_empty_panels(tmp_path):
    figure = generation({"first": {}}, "tiny", "test")
    files.save_png(figure, tmp_path / "figure.png")
    drawn = [line.get_xdata() for axes in figure.axes for line in axes.lines]
    assert len(drawn) == 3 * len(figure.axes) > 0
    assert np.isnan(np.concatenate(drawn)).all()


def test_seeds_have_a_dot_each_and_mean_and_deviation(tmp_path):
    values = {"small": [0.5, 0.7, 0.6], "large": [0.8], "broken": [float("nan")]}
    figure = seeds_by_configuration(values, "LRAP", "val")
    files.save_png(figure, tmp_path / "figure.png")
    axes = figure.axes[0]
    assert [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "o"] == [
        [0.5, 0.7, 0.6],
        [0.8],
        [],
    ]
    (bar,) = axes.containers
    centre, (low, high) = bar.lines[0].get_xdata()[0], bar.lines[2][0].get_segments()[0][:, 0]
    assert (centre, low, high) == pytest.approx((0.6, 0.5, 0.7))
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["small\n0.6 ± 0.1 (3 seeds)", "large\n0.8 (1 seed)", "broken\nnothing measured, 1 not finite"]
    assert axes.get_xlabel() == "LRAP, on val"


@pytest.mark.parametrize("baseline", [True, False])
def test_the_first_run_stands_beside_its_best_baseline(tmp_path, monkeypatch, baseline):
    monkeypatch.chdir(tmp_path)
    write_tags(artifacts.prepared("rows"))
    x = random_tags(24).numpy()
    for name in ("one", "two"):
        folder = artifacts.scores(name)
        folder.mkdir(parents=True)
        arrays = {"test_x": x, "test_reconstruction": 255 * x, "test_ids": np.arange(24)}
        of_pca = {"pca_reconstruction": 100 * x, "pca_score": np.full(24, 0.25, np.float32)}
        save_file(arrays | (of_pca if baseline else {}), folder / "arrays.safetensors")
        pd.DataFrame({"phase": "test", "index": range(24), "jaccard_index": np.ones(24)}).to_csv(
            folder / "examples.csv", index=False
        )
    rows = pd.DataFrame({"run": "one", "phase": "val", "epoch": [1, 2], **dict.fromkeys(TAGS.curves, 0.5)})
    group = [result(name, "tags", "rows", floor_pca_lrap=0.9)._replace(history=rows) for name in ("one", "two")]
    drawn = group_pictures("rows", group, Compare(samples=3), "two")
    words = [text.get_text() for text in drawn["reconstructions"].figure.findobj(Text)]
    order = [word.split(" · ")[0] for word in words if " · " in word]
    assert order[: 2 + baseline] == (["two", "PCA", "one"] if baseline else ["two", "one"])
    assert ("PCA 0.25" in drawn["reconstructions"].seen) == baseline
    assert ("and by PCA, with as many numbers as two has latents" in drawn["reconstructions"].title) == baseline
    assert "one from 0.5 after epoch 1 to 0.5" in drawn["curves"].seen


def many_curves():
    columns = dict.fromkeys(TAGS.curves, 0.5)
    rows = [{"run": run, "phase": phase, "epoch": 1, **columns} for run in MANY for phase in ("train", "val")]
    return curves.training_curves(pd.DataFrame(rows), "tags")


PICTURES = {
    "curves": many_curves,
    "recall": lambda: cells.recall_by_run({run: [0.5, None] for run in MANY}, ["a", "b"], "test"),
    "generation": lambda: generation(dict.fromkeys(MANY, METRICS | REAL), "tiny", "test"),
    "seeds": lambda: seeds_by_configuration({run: [0.5, 0.6] for run in MANY}, "LRAP", "val"),
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_the_names_of_many_runs_are_short_differ_and_stay_in_the_picture(draw):
    figure = draw()
    figure.canvas.draw()
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    found = [text for legend in legends for text in legend.get_texts()]
    found += [tick for axes in figure.axes for tick in axes.get_yticklabels()]
    named = {text.get_text() for text in found if "…" in text.get_text()}
    assert len(named) == len(MANY)
    for legend in legends:
        box = legend.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1
