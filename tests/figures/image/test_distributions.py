"""Distributions, projections and spectra: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from vaelab.figures import latent_plane, latents
from vaelab.figures.canvas import files
from vaelab.figures.image import distributions

RANDOM = np.random.default_rng(0)


def examples(count=50):
    rows = {
        "psnr": RANDOM.normal(25, 2, 2 * count),
        "ssim": RANDOM.uniform(0.5, 1, 2 * count),
        "group": np.arange(2 * count) % 3,
    }
    table = pd.DataFrame({"phase": ["val"] * count + ["test"] * count, **rows})
    return table.assign(mse=10 ** (-table["psnr"] / 10))


BASELINES = {
    "blur": {"mse": 0.004, "psnr": 24.0, "ssim": 0.7},
    "white": {"mse": 0.5, "psnr": 3.0, "ssim": float("nan")},
}
POWER = {"n": RANDOM.normal(size=(6, 8)), "m": RANDOM.normal(size=(6, 8)) - 3}
FREQUENCY = np.arange(1, 9) / 16
FIGURES = {
    "histograms": lambda: distributions.metric_histograms(TABLE, BASELINES, "test"),
    "groups": lambda: distributions.psnr_by_group(TABLE, "abc", "test"),
    "projection": lambda: latent_plane.latent_projection(MEAN, np.arange(60) % 3, "abc", "test"),
    "spectra": lambda: distributions.radial_spectra(FREQUENCY, POWER["n"], POWER["m"], "test", {"blur": POWER["m"][0]}),
    "posterior": lambda: latents.posterior_histograms(MEAN, MEAN - 3, "test"),
}
TABLE, MEAN = examples(), RANDOM.normal(size=(60, 5)) * [4, 3, 1, 1, 1]


def labels(axes):
    return axes.get_legend_handles_labels()[1]


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_the_same_picture_has_the_same_bytes(draw, tmp_path):
    for number in range(2):
        files.save_png(draw(), tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_histograms_count_every_image_once():
    for axes in FIGURES["histograms"]().axes:
        heights = [patch.get_xy()[:, 1] for patch in axes.patches]
        assert all(np.isfinite(values).all() for values in heights)
    axes = FIGURES["histograms"]().axes[1]
    counts, _ = np.histogram(TABLE.query("phase == 'val'")["psnr"], np.histogram_bin_edges(TABLE["psnr"], 40))
    assert axes.patches[0].get_xy()[:, 1].max() == pytest.approx(counts.max() / 50)


def test_means_and_baselines_are_drawn_where_they_are():
    mse, psnr, ssim = FIGURES["histograms"]().axes
    means = TABLE.groupby("phase", sort=False)["psnr"].mean()
    assert [line.get_xdata()[0] for line in psnr.lines[:3]] == pytest.approx([means["val"], means["test"], 24.0])
    assert labels(psnr)[2:] == ["blur, test: 24", "white, test: 3 (off the axis)"]
    assert psnr.get_xlim()[0] > 3
    assert labels(mse)[3] == "white, test: 0.5 (off the axis)"
    assert len(labels(ssim)) == 3
    assert [axes.get_xlabel() for axes in (mse, psnr, ssim)] == ["mean squared error", "PSNR, dB", "SSIM"]


def test_values_that_are_not_finite_are_left_out():
    table = TABLE.assign(ssim=np.nan)
    table.loc[0, "psnr"], table.loc[1, "psnr"] = np.inf, np.nan
    _, psnr, ssim = distributions.metric_histograms(table).axes
    assert "(48 images)" in labels(psnr)[0]
    assert not ssim.patches


def test_groups_are_sorted_by_median_worst_first():
    axes = FIGURES["groups"]().axes[0]
    test = TABLE.query("phase == 'test'")
    medians = test.groupby("group")["psnr"].median().sort_values()
    counts = test["group"].value_counts()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"{'abc'[g]} ({counts[g]})" for g in medians.index
    ]
    assert axes.yaxis_inverted()
    assert labels(axes) == [f"mean of all 50 images: {test['psnr'].mean():.1f} dB"]


def test_of_many_groups_the_worst_are_shown():
    table = TABLE.assign(group=np.arange(100) % 40, psnr=np.arange(100) % 40 + 1.0)
    axes = distributions.psnr_by_group(table, [f"g{number}" for number in range(40)], "test").axes[0]
    shown = [label.get_text().split()[0] for label in axes.get_yticklabels()]
    assert shown == [f"g{number}" for number in range(30)]
    assert axes.get_title().endswith("the 30 worst of 40")


def test_groups_without_a_finite_psnr_give_an_empty_picture():
    axes = distributions.psnr_by_group(TABLE.assign(psnr=np.nan), "abc", "test").axes[0]
    assert not axes.lines


def test_the_projection_is_the_pca_of_scikit_learn():
    figure = FIGURES["projection"]()
    drawn = np.asarray(figure.axes[0].collections[0].get_offsets())
    pca = PCA(2).fit(MEAN)
    expected = pca.transform(MEAN)[np.random.default_rng(0).permutation(60)]
    np.testing.assert_allclose(np.abs(drawn), np.abs(expected), atol=1e-6)
    assert figure.axes[0].get_xlabel() == f"first component, {pca.explained_variance_ratio_[0]:.1%} of the variance"
    colours = figure.axes[0].collections[0].get_facecolors()
    assert len(np.unique(colours, axis=0)) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a (20)", "b (20)", "c (20)"]


def test_the_projection_is_that_of_all_examples_though_some_are_drawn(monkeypatch):
    monkeypatch.setattr(latent_plane, "MOST_POINTS", 10)
    figure = FIGURES["projection"]()
    assert len(figure.axes[0].collections[0].get_offsets()) == 10
    assert "60 test examples (10 drawn)" in figure.axes[0].get_title()


def test_of_many_groups_the_largest_have_a_panel():
    group = np.concatenate([np.arange(30), np.full(30, 7)])
    figure = latent_plane.latent_projection(MEAN, group, [f"g{number}" for number in range(30)], "test")
    shown = [axes.get_title() for axes in figure.axes]
    assert (shown[0], len(shown), shown[-1]) == ("g7 (31)", 12, "19 other groups (19)")
    gray, blue = figure.axes[0].collections
    assert (len(gray.get_offsets()), len(blue.get_offsets())) == (29, 31)


def test_a_point_far_off_does_not_squeeze_the_others():
    far = MEAN.copy()
    far[0] *= 1000
    figure = latent_plane.latent_projection(far, np.arange(60) % 3, "abc", "test")
    low, high = figure.axes[0].get_xlim()
    assert high - low < 0.1 * np.ptp(latent_plane.components(far, 0)[0][:, 0])
    assert "axes cut: 1 of 60 points lie beyond" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize("mean", [np.zeros((5, 3)), np.ones((1, 3)), np.arange(6.0).reshape(6, 1)], ids=str)
def test_collapsed_single_and_one_dimensional_means_are_drawn(mean, tmp_path):
    figure = latent_plane.latent_projection(mean.astype(np.float32), np.zeros(len(mean), dtype=np.uint8), ["a"], "test")
    files.save_png(figure, tmp_path / "a.png")
    assert "second component, 0.0% of the variance" in figure.axes[0].get_ylabel()


def test_spectra_are_means_with_a_band():
    axes = FIGURES["spectra"]().axes[0]
    for line, power in zip(axes.lines, (POWER["n"].mean(0), POWER["m"].mean(0), POWER["m"][0]), strict=True):
        np.testing.assert_allclose(line.get_xydata(), np.stack([FREQUENCY, power], 1))
    assert [label.split(",")[0] for label in labels(axes)] == ["originals"] * 2 + ["reconstructions"] * 2 + ["blur"]
    assert "cycles per pixel" in axes.get_xlabel()
    assert "dB" in axes.get_ylabel()
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(np.quantile(POWER["n"], 0.9, axis=0).max())


def test_posterior_deviations_are_shares():
    log_var = np.full((10, 2), -2.0)
    axes = latents.posterior_histograms(np.zeros((10, 2)), log_var, "test").axes[1]
    shares, edges, _ = axes.patches[0].get_data()
    place = int(shares.argmax())
    assert edges[place] <= np.exp(-1) <= edges[place + 1]
    assert sorted(shares)[-2:] == [0, 1]
    assert axes.get_xscale() == "log"
