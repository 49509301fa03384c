"""Pictures of anomaly detection: what is compared shares a scale, and no defect is too small to be outlined."""

import warnings

import numpy as np
import pytest
from PIL import Image

from vaelab.anomaly import curves as points
from vaelab.anomaly.measures import Patches
from vaelab.anomaly.percentiles import Percentiles
from vaelab.figures import anomalies, anomaly_curves, anomaly_histogram, anomaly_rates, anomaly_strips, files
from vaelab.figures.anomalies import Shown
from vaelab.figures.anomaly_overlay import CYAN, WHITE, outlined, overlay, overlay_colours, pooled, score_scale, whole
from vaelab.figures.anomaly_stitching import Strip, grain, stitch
from vaelab.figures.heat import Scale
from vaelab.figures.mosaic import MARGIN

SCALE = Scale(0.0, 8.0, "plasma", "score, log-z", "both")
SIDE, CELLS = 32, 16


def random(seed=0):
    return np.random.default_rng(seed)


def patch(number=0, mask=None, channels=1, caption=("0001_002_00, left 512 px", "nep, score 3.2")):
    x = random(number).integers(0, 256, (channels, SIDE, SIDE), dtype=np.uint8)
    score = random(number).uniform(-1, 9, (CELLS, CELLS)).astype(np.float32)
    return Shown(x, x // 2 + 60, score, mask, caption)


def one_pixel(side, row=5, column=7):
    mask = np.zeros((side, side), np.uint8)
    mask[row, column] = 1
    return mask


def drawn(figure, tmp_path):
    files.save_png(figure, tmp_path / "picture.png")
    return np.asarray(Image.open(tmp_path / "picture.png").convert("RGB"))


def count(pixels, colour):
    return int((pixels == colour).all(-1).sum())


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def bars(figure):
    return [axes for axes in figure.axes if axes.get_xlabel()]


@pytest.mark.parametrize(("n", "side"), [(16, 64), (5, 12), (64, 64), (100, 64), (256, 33)])
def test_pooling_keeps_every_single_cell(n, side):
    for row, column in random().integers(0, n, (20, 2)):
        found = pooled(one_pixel(n, row, column), side)
        assert found.shape == (side, side)
        assert found.max() == 1
        y, x = np.argwhere(found).mean(0)
        assert abs((y + 0.5) / side - (row + 0.5) / n) < 1 / min(n, side)
        assert abs((x + 0.5) / side - (column + 0.5) / n) < 1 / min(n, side)


def test_pooling_is_the_maximum_of_blocks_and_repeats_cells():
    values = random().normal(size=(64, 64)).astype(np.float32)
    np.testing.assert_array_equal(pooled(values, 16), values.reshape(16, 4, 16, 4).max((1, 3)))
    np.testing.assert_array_equal(pooled(values, 192), values.repeat(3, 0).repeat(3, 1))


def test_an_overlay_mixes_the_gray_original_with_the_colours_of_its_bar():
    gray = np.full((4, 4, 3), 127, np.uint8)
    colours = overlay_colours(SCALE)
    for value, level in ((-5.0, 0.0), (0.0, 0.0), (8.0, 1.0), (80.0, 1.0), (-np.inf, 0.0), (4.0, 128 / 255)):
        shown = overlay(gray, np.full((4, 4), value), SCALE)
        np.testing.assert_allclose(shown[0, 0] / 255, colours(level)[:3], atol=0.01)
    red = np.zeros((1, 1, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    same = np.full((1, 1, 3), 76, np.uint8)
    np.testing.assert_allclose(overlay(red, np.zeros((1, 1)), SCALE), overlay(same, np.zeros((1, 1)), SCALE), atol=1)


def test_an_overlay_shows_the_original_where_scores_are_low_and_the_score_where_they_are_high():
    black, white = (np.full((1, 1, 3), value, np.uint8) for value in (0, 255))
    low, high = (
        int(overlay(white, score, SCALE)[0, 0, 0]) - int(overlay(black, score, SCALE)[0, 0, 0])
        for score in (np.zeros((1, 1)), np.full((1, 1), 8.0))
    )
    assert low > 200
    assert 20 < high < 60


def test_the_outline_surrounds_the_defect_and_leaves_it_free():
    pixels = np.full((20, 20, 3), 90, np.uint8)
    shown = outlined(pixels, one_pixel(20, 10, 10))
    assert (shown[10, 10] == 90).all()
    assert count(shown, CYAN) == 5 * 5 - 1
    assert count(shown, (0, 0, 0)) == 7 * 7 - 5 * 5
    assert (pixels == 90).all()
    assert outlined(pixels, np.zeros((20, 20))) is pixels


def test_a_defect_at_the_edge_or_everywhere_has_a_closed_outline():
    pixels = np.full((20, 20, 3), 90, np.uint8)
    assert count(outlined(pixels, one_pixel(20, 0, 19)), CYAN) == 9
    everywhere = outlined(pixels, np.ones((20, 20)))
    assert count(everywhere, CYAN) == 20 * 20 - 16 * 16


def test_a_scale_goes_from_the_median_to_all_but_a_thousandth():
    maps = [np.linspace(-1, 1, 10001).reshape(1, -1), np.linspace(-1, 1, 10001).reshape(-1, 1)]
    scale = score_scale(maps, "score")
    assert (scale.low, scale.high, scale.beyond) == (pytest.approx(0), pytest.approx(0.998, abs=1e-3), "both")
    assert score_scale([np.full((3, 3), 2.0)], "score")[:2] == (2.0, 3.0)
    assert score_scale([], "score").beyond == "neither"


def test_patches_share_a_scale_of_each_kind(tmp_path):
    shown = [patch(0), patch(1)._replace(reconstruction=255 - patch(1).x), patch(2, channels=1)]
    figure = anomalies.patches("the first to be missed", shown, SCALE)
    error, spectrum, score = bars(figure)
    assert error.get_xlim()[0] == 0
    assert error.get_xlim()[1] > 0.9  # of the inverted one
    assert spectrum.get_xlim()[0] == -spectrum.get_xlim()[1]
    assert score.get_xlim() == (0, 8)
    assert score.get_xlabel() == "score, log-z"
    assert "share of the range" in error.get_xlabel().replace("\n", " ")
    assert "dB" in spectrum.get_xlabel()
    places = [axes.get_position().x0 * figure.bbox.width for axes in (error, spectrum, score)]
    assert np.diff(places) == pytest.approx([200, 200])
    figure.canvas.draw()
    for axes in (error, spectrum, score):
        place = axes.get_tightbbox()
        assert place.y0 >= 0
        assert 0 <= place.x0 < place.x1 <= figure.bbox.width
    assert drawn(figure, tmp_path).shape[:2] == (round(figure.bbox.height), round(figure.bbox.width))


def test_equal_scores_have_equal_colours_in_all_patches(tmp_path):
    gray = np.full((1, SIDE, SIDE), 100, np.uint8)
    scores = [np.full((CELLS, CELLS), 3.0, np.float32), np.zeros((CELLS, CELLS), np.float32)]
    scores[1][:8] = 3.0
    shown = [Shown(gray, gray, score, None, ["a"]) for score in scores]
    pixels = drawn(anomalies.patches("title", shown, SCALE), tmp_path)
    colour = overlay(np.full((1, 1, 3), 100, np.uint8), np.full((1, 1), 3.0), SCALE)[0, 0]
    assert count(pixels, colour) == 192 * 192 + 192 * 96


def test_a_patch_is_shown_as_it_is_with_what_is_known_of_it(tmp_path):
    figure = anomalies.patches("title", [patch(3, channels=3, caption=["strip $a$", "nep"])], SCALE)
    pixels = drawn(figure, tmp_path)
    expected = np.moveaxis(patch(3, channels=3).x, 0, -1).repeat(6, 0).repeat(6, 1)
    found = [
        row for row in range(len(pixels) - 191) if (pixels[row : row + 192, MARGIN : MARGIN + 192] == expected).all()
    ]
    assert len(found) == 1
    assert "\nstrip \\$a\\$\nnep" in texts(figure)
    assert any("frequency 0 in the" in text for text in texts(figure))


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.epochs])
@pytest.mark.parametrize("reduce", [1, 2, 4, 16])
def test_a_defect_of_one_pixel_has_an_outline(draw, reduce, tmp_path):
    side = reduce * SIDE
    with_defect = draw("title", [patch(mask=one_pixel(side, side // 2, side // 3))], SCALE)
    assert count(drawn(with_defect, tmp_path), CYAN) >= 24
    assert any(anomalies.OUTLINE in text for text in texts(with_defect))


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.epochs])
@pytest.mark.parametrize("mask", [None, np.zeros((SIDE, SIDE), np.uint8)], ids=["no mask", "empty mask"])
def test_without_a_defect_there_is_no_outline(draw, mask, tmp_path):
    figure = draw("title", [patch(mask=mask)], SCALE)
    assert count(drawn(figure, tmp_path), CYAN) == 0
    assert not any(anomalies.OUTLINE in text for text in texts(figure))


def test_frames_have_one_size_and_their_tiles_one_place(tmp_path):
    frames = [
        anomalies.epochs("Epoch 1", [patch(n, caption=[]) for n in range(5)], SCALE),
        anomalies.epochs("Epoch 2: AUROC 0.912 " * 30, [patch(n, caption=["a" * 300] * 4) for n in range(5)], SCALE),
    ]
    first, second = (drawn(frame, tmp_path) for frame in frames)
    assert first.shape == second.shape
    place = frames[0].axes[1].get_position().bounds
    assert place == pytest.approx(frames[1].axes[1].get_position().bounds)
    left, bottom = round(place[0] * first.shape[1]), round(place[1] * first.shape[0])
    rows = slice(len(first) - bottom - 128, len(first) - bottom)  # of the last tiles
    assert (first[rows, left : left + 128] == second[rows, left : left + 128]).all()
    assert frames[1].get_suptitle().endswith("…")
    files.save_gif(frames, tmp_path / "epochs.gif")
    with Image.open(tmp_path / "epochs.gif") as image:
        assert image.n_frames == 2


def test_the_same_picture_has_the_same_bytes(tmp_path):
    for number in range(2):
        figure = anomalies.patches("title", [patch(mask=one_pixel(SIDE))], SCALE)
        files.save_png(figure, tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.epochs, anomaly_strips.strip_view])
def test_of_nothing_the_picture_says_so(draw, tmp_path):
    figure = draw("defects that score lowest", [], SCALE)
    assert texts(figure) == ["There are none."]
    assert (drawn(figure, tmp_path) < 128).any()


def strip(corners, shape=(64, 320), reduce=2, mask=True, **fields):
    top, left = np.array(corners, np.int32).reshape(-1, 2).T
    n, side = len(top), reduce * SIDE
    x = random(1).integers(0, 250, (n, 1, SIDE, SIDE), dtype=np.uint8)
    score = random(2).uniform(0, 8, (n, CELLS, CELLS)).astype(np.float32)
    masks = np.zeros((n, side, side), np.uint8) if mask else None
    made = Strip("s", "00", "nep", shape, reduce, x, top, left, score, masks, np.zeros(n, bool), score.max((1, 2)))
    return made._replace(**fields)


def test_patches_are_put_back_where_they_were_cut():
    given = strip([(0, 33), (0, 97), (0, 161)])
    view = stitch(given, 1)
    assert view.pixels.shape == (64, 320, 3)
    for x, score, left in zip(given.x, given.score, given.left, strict=True):
        np.testing.assert_array_equal(view.pixels[:, left : left + 64, 0], x[0].repeat(2, 0).repeat(2, 1))
        np.testing.assert_array_equal(view.score[:, left : left + 64], score.repeat(4, 0).repeat(4, 1))
    covered = np.isfinite(view.score)
    assert covered.sum() == 64 * 3 * 64
    assert set(np.unique(view.pixels[~covered])) == {205, 255}  # hatched


def test_at_half_the_resolution_patches_stay_where_they_were_cut():
    given = strip([(0, 1400), (0, 1464)], (64, 4096))
    assert grain([given]) == 2
    view = stitch(given, 2)
    assert view.pixels.shape == (32, 2048, 3)
    np.testing.assert_array_equal(view.pixels[:, 700:732, 0], given.x[0, 0])
    np.testing.assert_array_equal(view.pixels[:, 732:764, 0], given.x[1, 0])
    assert not np.isfinite(view.score[:, :700]).any()


def test_a_strip_that_is_wider_still_is_shrunk_and_its_mask_is_not_lost():
    given = strip([(0, 0)], (64, 9000))
    given.mask[0, 3, 5] = 1
    size = grain([given, strip([(0, 0)])])
    assert size == 8
    view = stitch(given, size)
    assert view.pixels.shape == (8, 1125, 3)
    assert np.argwhere(view.mask).tolist() == [[0, 0]]


def test_where_patches_overlap_the_highest_score_and_all_of_the_mask_remain():
    given = strip([(0, 0), (0, 32)], (64, 96))
    given.mask[0, 10, 40] = given.mask[1, 20, 50] = 1
    view = stitch(given, 1)
    assert np.argwhere(view.mask).tolist() == [[10, 40], [20, 82]]
    of_both = [score.repeat(4, 0).repeat(4, 1) for score in given.score]
    np.testing.assert_array_equal(view.score[:, 32:64], np.maximum(of_both[0][:, 32:], of_both[1][:, :32]))


def test_flagged_patches_have_a_box_with_their_score(tmp_path):
    corners = [(0, 0), (0, 64), (0, 128), (0, 192)]
    flagged = np.array([True, False, True, True])
    given = strip(corners, flagged=flagged, value=np.array([5.125, 9.0, 120.4, 0.0123]))
    figure = anomaly_strips.strip_view("title", [given], SCALE)
    assert [text for text in texts(figure) if text in ("5.13", "5.12", "9.00", "120", "0.0123")] == [
        "5.12",
        "120",
        "0.0123",
    ]
    none = anomaly_strips.strip_view("title", [given._replace(flagged=np.zeros(4, bool))], SCALE)
    difference = count(drawn(figure, tmp_path), WHITE) - count(drawn(none, tmp_path), WHITE)
    assert difference > 3 * 4 * 50
    assert any("without it: 4 patches (3 flagged) · highest score 120" in text for text in texts(figure))


def test_overlapping_flagged_patches_have_one_box_with_the_highest_score():
    given = strip([(0, 0), (0, 32), (0, 160)], flagged=np.ones(3, bool), value=np.array([5.0, 7.0, 6.0]))
    figure = anomaly_strips.strip_view("title", [given], SCALE)
    assert [text for text in texts(figure) if text in ("5.00", "6.00", "7.00")] == ["7.00", "6.00"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            strip([(0, 0)], mask=False, defect="none"),
            "s · group 00 · no defect, 1 patch (0 flagged) · highest score 8.00",
        ),
        (strip([(0, 0)], mask=False), "s · group 00 · defect: nep, no mask, 1 patch (0 flagged) · highest score 8.00"),
        (strip([]), "s · group 00 · defect: nep, 0 patches (0 flagged) · without it: 0 patches (0 flagged)"),
    ],
    ids=["normal", "no mask", "no patch"],
)
def test_strips_without_a_mask_or_patches_are_drawn(given, expected, tmp_path):
    figure = anomaly_strips.strip_view("title", [given], SCALE)
    assert expected in [text.replace(f"{given.value.max(initial=0):#.3g}", "8.00") for text in texts(figure)]
    assert count(drawn(figure, tmp_path), CYAN) == 0


def test_strips_stand_below_each_other_with_their_places_in_pixels(tmp_path):
    wide = strip([(0, 1400)], (64, 4096))
    wide.mask[0, 30, 30] = 1
    figure = anomaly_strips.strip_view("title", [wide, strip([(0, 33)])], SCALE)
    pixels = drawn(figure, tmp_path)
    assert pixels.shape[1] == 2048 + 2 * MARGIN
    assert [text for text in texts(figure) if text.isdecimal()] == [*map(str, range(512, 4096, 512)), "128", "256"]
    assert count(pixels, CYAN) >= 8
    expected = wide.x[0, 0]
    columns = slice(MARGIN + 700, MARGIN + 732)
    found = [row for row in range(len(pixels) - 31) if (pixels[row : row + 32, columns, 0] == expected).all()]
    assert len(found) == 1


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
    figure = anomaly_histogram.histogram(*pools(), 1.5, "score, log-z")
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
    figure = anomaly_histogram.histogram(*pools(**{empty: 0}), None, "score")
    assert len(labels(figure)) == 3
    files.save_png(figure, tmp_path / "a.png")


def test_a_histogram_of_equal_or_no_scores_is_drawn(tmp_path):
    nothing = np.zeros(0)
    for values, threshold in ((np.ones(5), None), (np.ones(5), 1.0), (np.ones(1), 2.0), (nothing, 1.0)):
        figure = anomaly_histogram.histogram(values, nothing, nothing, nothing, threshold, "score")
        files.save_png(figure, tmp_path / "a.png")
    assert texts(figure) == ["no scored patches"]


def test_scores_over_many_magnitudes_have_a_logarithmic_axis():
    figure = anomaly_histogram.histogram(*(np.exp(3 * values) for values in pools()), 20.0, "score")
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


def test_curves_are_the_points_that_are_given_and_floors_are_dashed(tmp_path):
    label = np.arange(60) % 3 == 0
    patches = Patches(label, ~label, np.arange(60), np.zeros(60, int), label.astype(int))
    scores = {"combined": random().normal(size=60) + label, "pca": random(1).normal(size=60)}
    roc, pr = points.roc(patches, scores), points.precision_recall(patches, scores)
    rows = [measured("combined"), measured("pca", roc_auc=float("nan"))]
    figure = anomaly_curves.curves(roc, pr, rows, ["pca"])
    for axes, given, names in zip(figure.axes, (roc, pr), (("fpr", "tpr"), ("recall", "precision")), strict=True):
        assert [line.get_linestyle() for line in axes.lines] == ["-", "--", ":"]
        for line, score in zip(axes.lines, scores, strict=False):
            expected = [[row[name] for name in names] for row in given if row["score"] == score]
            np.testing.assert_array_equal(line.get_xydata(), expected)
    first, second, chance = (text.get_text() for text in figure.axes[0].get_legend().get_texts())
    assert (first, second, chance) == (
        "combined: AUROC 0.900 (0.800–0.950)",
        "pca: AUROC undefined",
        "chance: AUROC 0.5",
    )
    assert figure.axes[1].get_legend().get_texts()[2].get_text().startswith("chance: AP 0.333")
    files.save_png(figure, tmp_path / "a.png")


def test_kinds_of_defect_are_sorted_with_their_intervals_and_counts(tmp_path):
    rows = [measured("nep", roc_auc=0.95), measured("cut", roc_auc=0.6), measured("odd", roc_auc=float("nan"))]
    rows[1] |= {"roc_auc_low": 0.7, "roc_auc_high": 0.8}  # not around the value
    figure = anomaly_rates.by_defect(rows)
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
    figure = anomaly_rates.by_percentile(rows[::-1], 95.0)
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
        figure = anomaly_rates.by_percentile(sweep(0))
        files.save_png(figure, tmp_path / "a.png")
    assert texts(figure) == [anomaly_curves.NOTHING]
    assert (len(figure.axes[0].lines), len(figure.axes[1].lines)) == (0, 3)
    for empty in (anomaly_curves.curves([], [], [measured("a")]), anomaly_rates.by_defect([])):
        files.save_png(empty, tmp_path / "a.png")
        assert set(texts(empty)) == {anomaly_curves.NOTHING}
    assert set(texts(anomaly_rates.by_percentile([]))) == {"no percentiles"}


def test_without_clean_patches_there_is_no_rate_of_theirs():
    figure = anomaly_rates.by_percentile([row | {"fpr_clean": float("nan")} for row in sweep()])
    shown = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert shown[1] == "clean patches of defective strips: none"


def test_one_percentile_is_drawn(tmp_path):
    figure = anomaly_rates.by_percentile(sweep()[:1], 95.0)
    files.save_png(figure, tmp_path / "a.png")
    points = [line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(data) for data in points] == [1] * 3  # precision, recall and F1


def test_an_outline_goes_around_fragments_and_leaves_holes_out():
    pixels, mask = np.full((40, 40, 3), 90, np.uint8), np.zeros((40, 40))
    mask[10:20, 10:20] = 1
    without = outlined(pixels, mask)
    mask[12:18, 12:18] = 0  # a hole
    mask[10:20, 15] = 0  # a gap
    assert np.array_equal(outlined(pixels, whole(mask)), without)
    assert not np.array_equal(outlined(pixels, mask), without)


def test_pictures_that_belong_together_share_the_scales_of_errors():
    weak, strong = patch(0), patch(1)._replace(reconstruction=255 - patch(1).x)
    alone, together, other = (
        [axes.get_xlim() for axes in bars(anomalies.patches("title", shown, SCALE, among))[:2]]
        for shown, among in (([weak], []), ([weak], [weak, strong]), ([strong], [weak, strong]))
    )
    assert together == other
    assert together[0] > alone[0]
