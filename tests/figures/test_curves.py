"""Training curves of images; those of grids are in test_figures.py."""

import numpy as np
import pandas as pd

from vaelab.figures import curves


def history(ssim):
    rows = [
        {"run": "r", "phase": phase, "epoch": epoch, "loss": -5.0 * epoch, "ssim": ssim[phase]}
        for phase in ("train", "val") for epoch in (0, 1, 2)[phase == "train" :]
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(psnr=20, mse=0.01, kl=3)


def test_curves_of_images_have_their_panels_and_leave_out_what_was_not_measured():
    figure = curves.training_curves(history({"train": np.nan, "val": 0.5}), "image")
    assert [axes.get_title() for axes in figure.axes[:3]] == ["objective, as trained", "PSNR, dB", "SSIM"]
    train, val = figure.axes[2].lines
    assert np.isnan(train.get_ydata()).all()
    assert val.get_xdata().tolist() == [0, 1, 2]  # from the untrained model
    assert val.get_ydata().tolist() == [0.5, 0.5, 0.5]
    assert "epoch 0: before training" in figure.get_suptitle()
    assert figure.axes[2].get_ylim() == (0, 1)
    assert figure.axes[0].get_ylim()[0] < -10


def test_negative_values_are_not_cut_off():
    figure = curves.training_curves(history({"train": -0.25, "val": 0.5}), "image")
    assert figure.axes[2].get_ylim() == (-0.25, 1)


def test_what_no_run_has_gets_no_panel_and_small_changes_are_seen():
    figure = curves.training_curves(history({"train": np.nan, "val": np.nan}), "image")
    assert "SSIM" not in [axes.get_title() for axes in figure.axes]
    moved = history({"train": 0.94, "val": 0.94})
    moved.loc[moved.index[-1], "ssim"] = 0.95
    low, high = curves.training_curves(moved, "image").axes[2].get_ylim()
    assert 0.93 < low < 0.94
    assert 0.95 < high < 0.96


def test_an_epoch_0_that_is_far_off_is_cut_off_and_said():
    far = history({"train": 0.5, "val": 0.5})
    far.loc[far["epoch"] == 0, "loss"] = 4000.0
    axes = curves.training_curves(far, "image").axes[0]
    assert axes.get_ylim()[1] < 0
    assert axes.get_xlabel() == "epoch (cut: 4e+03 at epoch 0)"
