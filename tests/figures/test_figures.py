"""Every picture of grids comes from small arrays, shows their numbers and reaches the disk."""

import numpy as np
import pandas as pd
import pytest
from helpers import CANVAS, grid_info, random_grids
from matplotlib.figure import Figure
from PIL import Image

from vaelab.figures import checkpoints, curves, latents
from vaelab.figures.canvas import files
from vaelab.figures.grid import GRID, cells
from vaelab.figures.kind import SameExamples
from vaelab.measures.snapshots import Snapshot

K = 10
INFO = grid_info(K)
NAMES = INFO.classes


def grids(count, seed=0):
    return random_grids(count, K, seed).numpy().astype(np.uint8)


def snapshot(epoch, best=False, count=6):
    values = np.linspace(0, 1, count)
    facts = {"epoch": epoch, "metric": "macro_f1", "val": 0.25}
    label = f"{'best_' * best}epoch_{epoch:03d}"
    return Snapshot(label, facts, np.arange(count), grids(count), grids(count, epoch), values, 100 * values)


def history(*runs):
    rows = [
        {"run": run, "phase": phase, "epoch": epoch, **dict.fromkeys(GRID.curves, epoch / 10)}
        for run in runs for phase in ("train", "val") for epoch in (1, 2, 3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def dimensions(active):
    table = pd.DataFrame({"dimension": range(4), "kl": [0.1, 3.0, 0.0, 2.0], "active": active})
    return pd.concat([table.assign(phase="train", kl=9.0), table.assign(phase="test")], ignore_index=True)


RECALL = [0.5, None, *np.linspace(0, 1, K - 2)]
RANDOM = np.random.default_rng(0).normal(size=(30, 4))
ACCURACIES = {"first": np.array([0.1, 0.2, 0.3]), "second": np.array([0.4, 0.5, 0.6])}
RECONSTRUCTIONS = {"first": grids(3, 1), "second": grids(3, 2)}
FIGURES = {
    "checkpoint": lambda: checkpoints.checkpoint_picture(snapshot(1), INFO),
    "checkpoint of one": lambda: checkpoints.checkpoint_picture(snapshot(1, best=True, count=1), INFO),
    "filmstrip": lambda: checkpoints.filmstrip([snapshot(1), snapshot(2, best=True), snapshot(2)], INFO),
    "recall": lambda: cells.recall_bars(RECALL, INFO.class_counts, NAMES, "test"),
    "recall by run": lambda: cells.recall_by_run({"first": RECALL, "second": RECALL[::-1]}, NAMES, "test"),
    "reconstructions": lambda: GRID.examples.by_run(
        SameExamples("tiny", "test", np.arange(3), grids(3), RECONSTRUCTIONS, ACCURACIES), INFO
    ),
    "curves": lambda: curves.training_curves(history("first", "second").query("run == 'first' or epoch == 1"), "grid"),
    "posterior": lambda: latents.posterior_histograms(RANDOM, RANDOM, "test"),
    "KL": lambda: latents.kl_per_dimension(dimensions([True, False, True, False]), "test"),
    "KL, all active": lambda: latents.kl_per_dimension(dimensions([True] * 4), "test"),
    "KL, none active": lambda: latents.kl_per_dimension(dimensions([False] * 4), "test"),
    "prior, one": lambda: GRID.examples.prior_samples(grids(1), "z ~ N(0, I)", INFO),
    "prior, two rows": lambda: GRID.examples.prior_samples(grids(13), "z ~ N(0, I)", INFO),
    "traversals": lambda: GRID.examples.traversals(
        grids(6).reshape(2, 3, CANVAS, CANVAS), [3, 1], [-3.0, 0.0, 3.0], "test grid 7", INFO
    ),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_a_figure_is_saved(draw, tmp_path):
    figure = draw()
    assert isinstance(figure, Figure)
    files.save_png(figure, tmp_path / "folder/figure.png")
    with Image.open(tmp_path / "folder/figure.png") as image:
        colours = image.convert("RGB").getcolors(2**24)
    assert image.size == pytest.approx(figure.get_size_inches() * files.DPI, abs=1)
    assert len(colours) > 5


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("name", ["checkpoint", "KL"])
def test_the_same_picture_has_the_same_bytes(name, tmp_path):
    for number in range(2):
        files.save_png(FIGURES[name](), tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.mark.parametrize("count", [1, 3])
def test_a_gif_has_a_frame_per_figure(count, tmp_path):
    shots = [snapshot(epoch, count=1) for epoch in range(1, count + 1)]
    for number in range(2):
        files.save_gif(checkpoints.animation(shots, INFO), tmp_path / f"{number}.gif", seconds=0.5)
    with Image.open(tmp_path / "0.gif") as image:
        assert image.n_frames == count
        durations = []
        for frame in range(count):
            image.seek(frame)
            durations.append(image.info["duration"])
    assert durations == [500] * (count - 1) + [1500]
    assert (tmp_path / "0.gif").read_bytes() == (tmp_path / "1.gif").read_bytes()


def test_the_animation_leaves_the_best_checkpoints_out():
    shots = [snapshot(1, count=1), snapshot(1, best=True, count=1), snapshot(2, count=1)]
    titles = [figure.get_suptitle() for figure in checkpoints.animation(shots, INFO)]
    assert [title.split(",")[0] for title in titles] == ["Epoch 1", "Epoch 2"]


def test_a_checkpoint_names_epoch_accuracy_and_loss():
    figure = checkpoints.checkpoint_picture(snapshot(7, best=True, count=2), INFO)
    assert (
        figure.get_suptitle()
        == "Epoch 7, best so far: training samples, macro_f1 on val 0.250 (accuracy: over all cells of the original)"
    )
    assert texts(figure) == [
        "original\ntrain 0",
        "accuracy 0.00\nloss 0",
        "original\ntrain 1",
        "accuracy 1.00\nloss 100.0",
    ]


def test_a_long_filmstrip_is_thinned_from_first_to_last():
    shown = texts(checkpoints.filmstrip([snapshot(epoch, count=1) for epoch in range(1, 41)], INFO))
    epochs = [int(text.split()[1]) for text in shown[1:]]
    assert len(epochs) == checkpoints.FILMSTRIP_COLUMNS
    assert (epochs[0], epochs[-1]) == (1, 40)
    assert epochs == sorted(epochs)


def test_recall_bars_have_their_heights_and_name_absent_classes():
    axes = FIGURES["recall"]().axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([0 if value is None else value for value in RECALL])
    assert [text.get_text() for text in axes.texts][:2] == ["0.50", "absent"]
    mean = np.mean([value for value in RECALL if value is not None])
    assert axes.get_legend().get_texts()[0].get_text() == f"balanced accuracy {mean:.2f}"


def test_recall_by_run_has_a_bar_per_run_and_class():
    axes = FIGURES["recall by run"]().axes[0]
    assert len(axes.patches) == 2 * K
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["first", "second"]


def test_reconstructions_say_how_much_is_right():
    original = grids(2)
    figure = GRID.examples.by_run(
        SameExamples("tiny", "test", np.array([4, 7]), original, {"same": original}, {"same": np.array([1.0, 0.25])}),
        INFO,
    )
    assert texts(figure)[:2] == ["original\ntest 4", "original\ntest 7"]
    assert texts(figure)[2:] == ["same\naccuracy 1.00", "same\naccuracy 0.25"]


def test_curves_have_a_line_per_run_and_phase():
    figure = FIGURES["curves"]()
    assert [len(axes.lines) for axes in figure.axes] == [4] * len(GRID.curves)
    assert figure.axes[0].lines[0].get_xydata().tolist() == pytest.approx(np.array([[1, 0.1], [2, 0.2], [3, 0.3]]))


def test_kl_is_sorted_and_counts_the_active():
    axes = FIGURES["KL"]().axes[0]
    active, inactive = (patch.get_data().values.tolist() for patch in axes.patches)
    assert active == [0.0, 0.0, 0.1, 0.0]
    assert inactive == [3.0, 2.0, 0.0, 0.0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["active: 2", "inactive: 2"]
    assert "5.1 nats in 4 dimensions" in axes.get_title()


def test_traversals_name_dimension_and_value():
    assert texts(FIGURES["traversals"]())[:3] == ["z[3] = -3.0", "z[3] = +0.0", "z[3] = +3.0"]


def test_prior_samples_name_their_size():
    grid = np.full((1, CANVAS, CANVAS), K)
    grid[0, :2, :5] = 3
    assert texts(GRID.examples.prior_samples(grid, "z ~ N(0, I)", INFO)) == ["2×5"]
