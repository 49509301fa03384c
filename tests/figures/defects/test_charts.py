"""Charts of scores: histograms, curves, kinds of defect, rates by percentile."""

import warnings

import numpy as np
import pytest
from figures.drawings import random, texts

from vaelab.anomaly import curves as points
from vaelab.anomaly.patch_measures import Patches
from vaelab.anomaly.percentiles import Percentiles
from vaelab.figures.canvas import files
from vaelab.figures.defects import rates, scores


def pools(defects=40, clean=100, test=60):
    return (
        random().normal(0, 1, 80),
        random(1).normal(0, 1, test),
        random(2).normal(0.5, 1, clean),
        3 + random(3).normal(0, 1, defects),
    )


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_histogram_holds_every_patch_once_and_flags_right_of_the_threshold():
    figure = scores.score_histogram(*pools(), 1.5, "score, log-z")
    axes = figure.axes[0]
    lines = [patch for patch in axes.patches if not patch.get_fill()]
    assert len(lines) == 4
    for values, line in zip(pools(), lines, strict=True):
        shares, edges, _ = line.get_data()
        assert shares.sum() == pytest.approx(1)
        assert np.abs(edges - 1.5).min() < 1e-9
        assert shares[edges[:-1] > 1.5 - 1e-9].sum() == pytest.approx((values > 1.5).mean())
    assert labels(figure)[3] == f"patches with a defect: 40, {(pools()[3] > 1.5).mean():.1%} flagged"
    assert labels(figure)[4].startswith("threshold 1.5:")
    assert axes.get_xlabel().startswith("score, log-z (outermost bars")


@pytest.mark.parametrize("empty", ["defects", "clean", "test"])
def test_a_histogram_leaves_empty_pools_out(empty, tmp_path):
    figure = scores.score_histogram(*pools(**{empty: 0}), None, "score")
    assert len(labels(figure)) == 3
    files.save_png(figure, tmp_path / "a.png")


def test_a_histogram_of_equal_or_no_scores_is_drawn(tmp_path):
    nothing = np.zeros(0)
    for values, threshold in ((np.ones(5), None), (np.ones(5), 1.0), (np.ones(1), 2.0), (nothing, 1.0)):
        figure = scores.score_histogram(values, nothing, nothing, nothing, threshold, "score")
        files.save_png(figure, tmp_path / "a.png")
    assert texts(figure) == ["no scored patches"]


def test_scores_over_many_magnitudes_have_a_logarithmic_axis():
    figure = scores.score_histogram(*(np.exp(3 * values) for values in pools()), 20.0, "score")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    shares, edges, _ = axes.patches[0].get_data()
    assert shares.sum() == pytest.approx(1)
    assert np.abs(edges / 20 - 1).min() < 1e-9


def measured(name, **values):
    row = {"score": name, "defect": name, "defects": 7}
    for key, value in {"roc_auc": 0.9, "average_precision": 0.5, "recall": 0.7, **values}.items():
        row |= {key: value, f"{key}_low": value - 0.1, f"{key}_high": value + 0.05}
    return row


def test_curves_are_the_points_that_are_given_and_baselines_are_dashed(tmp_path):
    label = np.arange(60) % 3 == 0
    patches = Patches(label, ~label, np.arange(60), np.zeros(60, int), label.astype(int))
    found = {"combined": random().normal(size=60) + label, "pca": random(1).normal(size=60)}
    roc, pr = points.roc(patches, found), points.precision_recall(patches, found)
    rows = [measured("combined"), measured("pca", roc_auc=float("nan"))]
    figure = scores.roc_and_precision(roc, pr, rows, ["pca"])
    for axes, given, names in zip(figure.axes, (roc, pr), (("fpr", "tpr"), ("recall", "precision")), strict=True):
        assert [line.get_linestyle() for line in axes.lines] == ["-", "--", ":"]
        for line, score in zip(axes.lines, found, strict=False):
            expected = [[row[name] for name in names] for row in given if row["score"] == score]
            np.testing.assert_array_equal(line.get_xydata(), expected)
    first, second, chance = (text.get_text() for text in figure.axes[0].get_legend().get_texts())
    assert (first, second, chance) == (
        "combined: ROC AUC 0.900 (0.800–0.950)",
        "pca: ROC AUC undefined",
        "chance: ROC AUC 0.5",
    )
    assert figure.axes[1].get_legend().get_texts()[2].get_text().startswith("chance: average precision 0.333")
    files.save_png(figure, tmp_path / "a.png")


def test_kinds_of_defect_are_sorted_with_their_intervals_and_counts(tmp_path):
    rows = [measured("nep", roc_auc=0.95), measured("cut", roc_auc=0.6), measured("odd", roc_auc=float("nan"))]
    rows[1] |= {"roc_auc_low": 0.7, "roc_auc_high": 0.8}  # not around the value
    figure = rates.by_defect(rows)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["cut (7)", "nep (7)", "odd (7)"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.6, 0.95, 0]
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "0.600 (0.700–0.800)", "0.950 (0.850–1.000)", "undefined",
    ]  # fmt: skip
    ends = figure.axes[0].collections[0].get_segments()
    np.testing.assert_allclose(ends[0][:, 0], [0.7, 0.8])
    files.save_png(figure, tmp_path / "a.png")


def sweep(defects=10):
    label = np.arange(100) < defects
    patches = Patches(label, np.arange(100) >= 50, np.arange(100), np.zeros(100, int), label.astype(int))
    return points.sweep(
        patches,
        random().normal(size=100) + 2 * label,
        Percentiles(random(1).normal(size=200), None),
        (99.9, 85, 95, 95.1),
    )


def test_rates_are_drawn_against_the_percentile():
    rows = sweep()
    figure = rates.by_percentile(rows[::-1], 95.0)
    left, right = figure.axes
    for axes, keys in ((left, ("precision", "recall", "f1")), (right, ("fpr_normal", "fpr_clean", "fpr_nominal"))):
        for line, key in zip(axes.lines, keys, strict=False):
            np.testing.assert_allclose(line.get_xdata(), [100 - row["percentile"] for row in rows])
            np.testing.assert_array_equal(line.get_ydata(), [row[key] for row in rows])
        assert axes.lines[3].get_xdata()[0] == pytest.approx(5)
        assert axes.xaxis_inverted()
        assert [text.get_text() for text in axes.get_xticklabels()] == ["85", "95", "99.9"]  # 95.1 has no room


def test_without_defects_rates_say_so_and_there_are_no_curves(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = rates.by_percentile(sweep(0))
        files.save_png(figure, tmp_path / "a.png")
    assert texts(figure) == [scores.NOTHING]
    assert (len(figure.axes[0].lines), len(figure.axes[1].lines)) == (0, 3)
    for empty in (scores.roc_and_precision([], [], [measured("a")]), rates.by_defect([])):
        files.save_png(empty, tmp_path / "a.png")
        assert set(texts(empty)) == {scores.NOTHING}
    assert set(texts(rates.by_percentile([]))) == {"no percentiles"}


def test_without_clean_patches_there_is_no_rate_of_theirs():
    figure = rates.by_percentile([row | {"fpr_clean": float("nan")} for row in sweep()])
    shown = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert shown[1] == "clean patches of defective strips: none"


def test_one_percentile_is_drawn(tmp_path):
    figure = rates.by_percentile(sweep()[:1], 95.0)
    files.save_png(figure, tmp_path / "a.png")
    points = [line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(data) for data in points] == [1] * 3  # precision, recall and F1
