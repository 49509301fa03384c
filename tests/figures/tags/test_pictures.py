"""Pictures of tags: tiles with the right cells, the right names with the right marks, and nothing read as a formula."""

from collections import Counter
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.cbook import is_math_text
from matplotlib.text import Text
from sklearn.metrics import precision_recall_fscore_support

from vaelab.data.format.info import tags_info
from vaelab.evaluation.latent.decoding import Decoded, Traversal
from vaelab.figures import checkpoints
from vaelab.figures.canvas import files
from vaelab.figures.canvas.tiles import TILE
from vaelab.figures.kind import RunMaterial, SameExamples
from vaelab.figures.run import run_pictures
from vaelab.figures.tags import TAGS, cooccurrence, outcomes, panels, points, samples, tiles
from vaelab.measures.snapshots import Snapshot

ODD = ["日本語のタグ", "$x^2$ and $y$", "line\nbreak", "a name that is much too long for any of these pictures to show"]
D, N = 12, 40
NAMES = [*ODD, *(f"tag {number}" for number in range(len(ODD), D))]
RANDOM = np.random.default_rng(0)
COUNTS = RANDOM.permutation(np.arange(1, D + 1)) * 3
INFO = tags_info(NAMES, COUNTS.tolist(), N, ("all",))
ROWS = (RANDOM.random((N, D)) < 0.4).astype(np.uint8)
DECODED = np.rint(255 * np.clip(0.6 * ROWS + 0.5 * RANDOM.random((N, D)), 0, 1)).astype(np.uint8)
SAMPLES = 255 * (RANDOM.random((30, D)) < 0.4).astype(np.uint8)


def info_of(size):
    return tags_info([f"t{number}" for number in range(size)], list(range(size, 0, -1)), size, ("all",))


def snapshot(epoch, count=4, best=False):
    values = np.linspace(0, 1, count)
    facts = {"epoch": epoch, "metric": "lrap", "val": 0.25}
    ids = np.arange(count) * 3
    return Snapshot(
        f"{'best_' * best}epoch_{epoch:03d}", facts, ids, ROWS[:count], DECODED[epoch:][:count], values, 9 * values
    )


def material(**without):
    index = np.arange(N)
    examples = pd.DataFrame({"phase": "test", "index": index, "group": 0, "jaccard_index": index / N})
    predicted = DECODED >= 128
    arrays = {
        "test_x": ROWS, "test_reconstruction": DECODED, "test_ids": index, "test_mean": RANDOM.normal(size=(N, 4)),
        "test_log_var": np.zeros((N, 4)), "test_group": np.zeros(N, int), "samples": SAMPLES,
        "tag_true": ROWS.sum(0, dtype=int), "tag_predicted": predicted.sum(0),
        "tag_hits": (predicted & (ROWS > 0)).sum(0), "sample_frequency": (SAMPLES > 0).mean(0),
    }  # fmt: skip
    arrays = {name: array for name, array in arrays.items() if name not in without.get("arrays", ())}
    metrics = {"test": {"best_threshold": 0.4, "tag_frequency_error": 0.1, "real_tag_frequency_error": 0.05}}
    evaluate, visualize = SimpleNamespace(threshold=0.5), SimpleNamespace(examples=5, seed=0)
    columns = dict.fromkeys(("loss", "lrap", "f1_micro", "predicted_tags", "kl"), 0.5)
    history = pd.DataFrame([{"run": "r", "phase": phase, "epoch": 1, **columns} for phase in ("train", "val")])
    dimensions = pd.DataFrame({"phase": "test", "dimension": range(4), "kl": 1.0, "active": True})
    way = np.stack([DECODED[:5], DECODED[5:10]])
    moved = Traversal(way, [2, 0], [-3, -1.5, 0, 1.5, 3], 7)
    decoded = Decoded(INFO, "test", SAMPLES[:6], "normal", moved, (way, np.array([[1, 2], [3, 4]])), {})
    return RunMaterial(
        SimpleNamespace(name="r", evaluate=evaluate, visualize=visualize), decoded, arrays, examples, dimensions,
        history, metrics if without.get("metrics", True) else {"test": {}},
    )  # fmt: skip


RECONSTRUCTIONS = {"first": DECODED[:3], "second": DECODED[3:6]}
SCORES = {"first": np.array([0.1, 0.2, 0.3]), "second": np.array([0.4, 0.5, 0.6])}
FIGURES = {
    "checkpoint": lambda: checkpoints.checkpoint_picture(snapshot(1), INFO),
    "filmstrip": lambda: checkpoints.filmstrip([snapshot(1), snapshot(2), snapshot(2, best=True)], INFO),
    "filmstrip of one": lambda: checkpoints.filmstrip([snapshot(1)], INFO),
    "by run": lambda: TAGS.examples.by_run(
        SameExamples("tiny", "test", np.arange(3), ROWS[:3], RECONSTRUCTIONS, SCORES), INFO
    ),
    "probabilities of samples": lambda: TAGS.examples.prior_samples(DECODED[:5], "z ~ N(0, I)", INFO),
}


@cache
def all_of_a_run():
    return dict(run_pictures(material()))


def drawn(name):
    return FIGURES[name]() if name in FIGURES else all_of_a_run()[name]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


PICTURES = [
    "prior_samples", "posterior_histograms", "kl_per_dimension", "traversals", "interpolations", "curves",
    "reconstructions", "threshold_curves", "tag_quality", "tag_frequencies", "cooccurrence", "combinations",
]  # fmt: skip


def test_a_run_has_these_pictures():
    assert list(all_of_a_run()) == PICTURES


@pytest.mark.parametrize("name", [*FIGURES, *PICTURES])
def test_a_figure_is_saved_and_no_name_is_a_formula(name, tmp_path):
    figure = drawn(name)
    files.save_png(figure, tmp_path / "figure.png")  # a missing glyph is a warning, and so an error
    assert (tmp_path / "figure.png").stat().st_size > 5000
    named = [text for text in texts(figure) if "\\$x" in text or "□" in text or "tag" in text]
    assert not any(is_math_text(text) for text in named)


@pytest.mark.parametrize("arrays", [("samples",), ("tag_hits",), ("tag_true", "tag_hits"), ("sample_frequency",)])
def test_what_was_not_saved_is_skipped(arrays):
    found = [name for name, _ in TAGS.of_run(material(arrays=arrays, metrics=False))]
    missing = set()
    if "samples" in arrays:
        missing = {"tag_frequencies", "cooccurrence", "combinations"}
    if "tag_hits" in arrays:
        missing = {"tag_quality"}
    assert found == [name for name in PICTURES[6:] if name not in missing]


@pytest.mark.parametrize("size", [1, 3, 22, 200, 983])
def test_a_tile_has_a_cell_for_each_tag_most_frequent_first(size):
    info = info_of(size)
    info = tags_info(info.classes, info.class_counts[::-1], size, ("all",))
    values = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)
    tile = tiles.tag_tiles([values], info)[0]
    assert tile.shape == (TILE, TILE, 3)
    columns = int(np.ceil(np.sqrt(size)))
    scale = TILE // columns
    places = [(place // columns * scale + 2, place % columns * scale + 2) for place in range(size)]
    assert [tuple(tile[place]) for place in places] == [(255 - value,) * 3 for value in values[::-1].tolist()]
    for place in range(size, columns * -(-size // columns)):
        assert tuple(tile[place // columns * scale + 2, place % columns * scale + 2]) == tiles.NO_TAG


def test_a_tile_of_more_tags_than_pixels_shows_means():
    values = np.random.default_rng(0).integers(0, 256, 20001).astype(np.uint8)
    tile = tiles.tag_tiles([values], info_of(20001))[0]
    means = [np.rint(part.mean()) for part in np.split(values, range(2, 20001, 2))]
    columns = int(np.ceil(np.sqrt(len(means))))
    block = tile[1 : columns + 1, 1 : columns + 1, 0].reshape(-1)[: len(means)]
    assert np.abs(255 - block - np.array(means)).max() == 0
    assert (tile[0, : columns + 2] == tiles.LINE).all()


def test_originals_and_reconstructions_are_on_one_scale():
    row = np.array([0, 1, 1], np.uint8)
    assert tiles.as_decoded(row).tolist() == [0, 255, 255]
    same = tiles.tag_tiles((tiles.as_decoded(row), np.array([0, 255, 255], np.uint8)), info_of(3))
    assert (same[0] == same[1]).all()


def test_outcomes_are_right_missed_and_invented():
    row, decoded = np.array([1, 1, 1, 0, 0, 1], np.uint8), np.array([128, 127, 255, 200, 0, 3], np.uint8)
    found = {sign: tags.tolist() for sign, tags in outcomes.outcomes(row, decoded, 0.5).items()}
    assert found == {outcomes.RIGHT: [2, 0], outcomes.MISSED: [1, 5], outcomes.INVENTED: [3]}
    lines = outcomes.outcome_lines(row, decoded, info_of(6), 0.5, 9, 100)
    assert [(line.sign, line.name, line.value) for line in lines] == [
        ("✓", "t2", "1.00"), ("✓", "t0", "0.50"), ("−", "t1", "0.49"), ("−", "t5", "0.01"), ("+", "t3", "0.78"),
    ]  # fmt: skip


def test_too_many_outcomes_are_shared_out_and_counted():
    row, decoded = np.repeat([1, 1, 0], 20).astype(np.uint8), np.repeat([200, 10, 200], 20).astype(np.uint8)
    lines = outcomes.outcome_lines(row, decoded, info_of(60), 0.5, 10, 100)
    assert Counter(line.sign for line in lines) == {"✓": 3, "−": 3, "+": 3, "": 1}
    assert lines[-1].name == "… and 17 ✓, 17 −, 17 +"
    nothing = outcomes.outcome_lines(row * 0, decoded * 0, info_of(60), 0.5, 10, 100)
    assert [line.name for line in nothing] == ["no tag, and none predicted"]


def test_a_checkpoint_names_epoch_score_and_loss_and_the_tags():
    shown = snapshot(1, count=2)
    figure = checkpoints.checkpoint_picture(shown, INFO)
    assert figure.get_suptitle().startswith("Epoch 1, checkpoint: training samples, lrap on val 0.250 (a cell per tag")
    found = texts(figure)
    assert f"original: {ROWS[1].sum()} tags\ntrain 3" in found
    assert "Jaccard 1.00\nloss 9" in found
    right = int(((shown.reconstruction >= 128) & (ROWS[:2] > 0)).sum())
    assert sum(text.startswith("✓ ") for text in found) == right


def test_frames_of_a_film_have_one_size():
    empty = snapshot(1)._replace(reconstruction=np.zeros((4, D), np.uint8), original=np.zeros((4, D), np.uint8))
    sizes = {tuple(figure.get_size_inches()) for figure in checkpoints.animation([snapshot(1), empty], INFO)}
    assert len(sizes) == 1


def test_panels_show_tags_that_are_there_and_those_that_nearly_were():
    row = np.zeros(30, np.uint8)
    row[[3, 8]] = 1
    decoded = np.zeros((2, 30), np.uint8)
    decoded[0, 20], decoded[1, [3, 8, 9]] = 255, (51, 102, 153)
    panel = panels.row_panel("title", ["a", "b"], row, decoded, info_of(30))
    assert list(panel.names)[:4] == ["t8", "t3", "t20", "t9"]
    assert list(panel.marks) == ["●"] * 2 + ["○"] * 10
    assert panel.values[:4] == pytest.approx(np.array([[0, 0.4], [0, 0.2], [1, 0], [0, 0.6]]))
    full = panels.row_panel("title", ["a", "b"], np.ones(30, np.uint8), decoded, info_of(30))
    assert (full.title, len(full.names)) == ("title, 12 of its 30 tags", 12)


def test_a_way_shows_the_tags_that_change_most_in_the_order_of_their_turn():
    decoded = np.zeros((3, 40), np.uint8)
    decoded[:, 5] = 255  # does not change
    decoded[0, 7], decoded[1, 6], decoded[2, 4] = 255, 250, 245
    panel = panels.path_panel("z[0]", ["a", "b", "c"], decoded, info_of(40))
    assert [name for name in panel.names if name in ("t4", "t6", "t7")] == ["t7", "t6", "t4"]
    assert len(panel.names) == panels.MOST
    decoded[0, 10:30] = 1  # more tags that change, if only a little, than there is room for
    assert "t5" not in panels.path_panel("z[0]", ["a", "b", "c"], decoded, info_of(40)).names


def test_runs_stand_side_by_side_with_the_score_of_the_row():
    title, *columns = (text.get_text() for text in drawn("by run").axes[0].texts[:3])
    assert title == "test 0"
    assert columns == ["first · 0.10", "second · 0.40"]


def test_samples_are_listed_with_their_number_of_tags():
    figure = TAGS.examples.prior_samples(SAMPLES[:2], "z ~ N(0, I)", INFO)
    found = texts(figure)
    assert sum(text.startswith("• ") for text in found) == int((SAMPLES[:2] > 0).sum())
    assert f"{(SAMPLES[0] > 0).sum()} tags" in found


def test_threshold_curves_agree_with_scikit_learn():
    found = outcomes.measures_by_threshold(ROWS, DECODED)
    for place in (0, 63, 127, 200):
        expected = precision_recall_fscore_support(
            ROWS.ravel(), (found.threshold[place] <= DECODED / 255).ravel(), average="binary"
        )
        assert (found.precision[place], found.recall[place], found.f1[place]) == pytest.approx(expected[:3])


def test_thresholds_in_use_and_best_are_marked():
    axes = outcomes.threshold_curves(ROWS, DECODED, "test", 0.5, 0.4).axes[0]
    f1 = outcomes.measures_by_threshold(ROWS, DECODED).f1
    marked = {line.get_label().split(":")[0]: line.get_xydata()[0].tolist() for line in axes.lines[4::2]}
    assert marked["in use"] == pytest.approx([0.5, f1[127]])
    assert marked["best F1 on val"] == pytest.approx([0.4, f1[101]])
    assert outcomes.threshold_curves(ROWS, DECODED, "test", 0.5, 0.01).axes[0].get_xscale() == "log"
    assert len(outcomes.threshold_curves(ROWS, DECODED, "test", 0.5, None).axes[0].lines) == 5


def test_quality_has_a_point_per_tag_and_names_the_worst_of_the_frequent():
    true, hits = np.array([20, 20, 20, 2, 0]), np.array([20, 5, 10, 0, 0])
    info = tags_info(list("abcde"), [50, 40, 30, 5, 1], 100, ("all",))
    axes, table = points.tag_quality(points.TagCounts(true, true, hits), info, "test", 0.5).axes
    shown = axes.collections[0].get_offsets()
    assert np.asarray(shown) == pytest.approx(np.array([[0.5, 1], [0.4, 0.25], [0.3, 0.5], [0.05, 0]]))
    assert axes.get_title() == "F1 of 4 tags at threshold 0.5; 1 neither there nor predicted"
    assert [text.get_text().split("\n")[0] for text in table.texts[1:]] == ["1. b", "2. c", "3. a"]


def test_frequencies_are_drawn_with_the_errors_and_the_largest_differences():
    real, sampled = np.array([0.5, 0.2, 0.0]), np.array([0.5, 0.0, 0.1])
    info = tags_info(list("abc"), [50, 20, 1], 100, ("all",))
    metrics = {"tag_frequency_error": 0.1, "real_tag_frequency_error": 0.02}
    figure = samples.tag_frequencies(real, sampled, info, "test", 100, metrics)
    axes, table = figure.axes
    shown = next(c for c in axes.collections if "a tag" in str(c.get_label())).get_offsets()
    assert np.asarray(shown) == pytest.approx(np.array([[0.5, 0.5], [0.2, 0.005], [0.005, 0.1]]))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend[2:] == ["a tag: mean error of the samples 0.1", "mean error of held-out data 0.02"]
    assert table.texts[1].get_text() == "1. b\n     data 20.0%, samples 0.00%"
    assert "1 in no sample" in axes.get_title()


def test_cooccurrence_maps_share_scale_and_order():
    figure = cooccurrence.cooccurrence(ROWS, SAMPLES, INFO, "test", {"cosine_similarity_off_diagonal": 0.5})
    images = [axes.images[0] for axes in figure.axes[:3]]
    assert len({(image.norm.vmin, image.norm.vmax) for image in images}) == 1
    assert figure.axes[1].get_title() == "30 samples: cosine 0.500"
    order = [[tick.get_text() for tick in axes.get_xticklabels()] for axes in figure.axes[:3]]
    assert order[0] == order[1] == order[2]
    place = {name: number for number, name in enumerate(order[0])}
    i, j = place["tag 5"], place["tag 9"]
    both = [((rows[:, 5] > 0) & (rows[:, 9] > 0)).mean() for rows in (ROWS, SAMPLES)]
    assert [image.get_array()[i, j] for image in images[:2]] == pytest.approx(both)
    assert images[2].get_array()[i, j] == pytest.approx(ROWS[:, 5].mean() * ROWS[:, 9].mean())


def test_tags_that_go_together_are_neighbours():
    rows = np.zeros((90, 6), np.uint8)
    for number, pair in enumerate(((0, 3), (1, 4), (2, 5))):
        rows[30 * number : 30 * number + 30, pair] = 1
    figure = cooccurrence.cooccurrence(rows, rows, info_of(6), "test", {})
    order = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert {frozenset(order[place : place + 2]) for place in (0, 2, 4)} == {
        frozenset({"t0", "t3"}), frozenset({"t1", "t4"}), frozenset({"t2", "t5"}),
    }  # fmt: skip


def test_combinations_are_counted_like_a_counter():
    expected = sorted(Counter(map(bytes, ROWS[:, :3])).values(), reverse=True)
    assert cooccurrence.combination_counts(ROWS[:, :3]).tolist() == expected
    axes = cooccurrence.combinations(ROWS[:, :3], SAMPLES[:, :3], "test").axes[0]
    first, second = (int(line.get_ydata().sum()) for line in axes.lines)
    assert first == second == len(SAMPLES)


def test_combinations_say_how_many_are_unique_and_their_entropy():
    rows = np.array([[0, 1], [0, 1], [1, 1], [1, 0]], np.uint8)
    figure = cooccurrence.combinations(rows, rows[:, ::-1] * 255, "test")
    label = figure.legends[0].get_texts()[0].get_text()
    assert label.startswith("test data: 75.0% unique, entropy 1.04 nats")
