"""Pictures of anomaly detection: what is compared shares a scale, and no defect is too small to be outlined."""

import numpy as np
import pytest
from figures.drawings import CELLS, SCALE, SIDE, bars, count, drawn, one_pixel, patch, random, texts
from PIL import Image

from vaelab.figures.canvas import files
from vaelab.figures.canvas.mosaic import MARGIN
from vaelab.figures.defects import maps as anomalies
from vaelab.figures.defects import strips
from vaelab.figures.defects.maps import ShownPatch
from vaelab.figures.defects.overlay import CYAN, outlined, overlay, overlay_colours, pooled, score_scale, whole


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
    shown = [ShownPatch(gray, gray, score, None, ["a"]) for score in scores]
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


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.film_frame])
@pytest.mark.parametrize("reduce", [1, 2, 4, 16])
def test_a_defect_of_one_pixel_has_an_outline(draw, reduce, tmp_path):
    side = reduce * SIDE
    with_defect = draw("title", [patch(mask=one_pixel(side, side // 2, side // 3))], SCALE)
    assert count(drawn(with_defect, tmp_path), CYAN) >= 24
    assert any(anomalies.OUTLINE in text for text in texts(with_defect))


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.film_frame])
@pytest.mark.parametrize("mask", [None, np.zeros((SIDE, SIDE), np.uint8)], ids=["no mask", "empty mask"])
def test_without_a_defect_there_is_no_outline(draw, mask, tmp_path):
    figure = draw("title", [patch(mask=mask)], SCALE)
    assert count(drawn(figure, tmp_path), CYAN) == 0
    assert not any(anomalies.OUTLINE in text for text in texts(figure))


def test_frames_have_one_size_and_their_tiles_one_place(tmp_path):
    frames = [
        anomalies.film_frame("Epoch 1", [patch(n, caption=[]) for n in range(5)], SCALE),
        anomalies.film_frame(
            "Epoch 2: AUROC 0.912 " * 30, [patch(n, caption=["a" * 300] * 4) for n in range(5)], SCALE
        ),
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


@pytest.mark.parametrize("draw", [anomalies.patches, anomalies.film_frame, strips.strip_view])
def test_of_nothing_the_picture_says_so(draw, tmp_path):
    figure = draw("defects that score lowest", [], SCALE)
    assert texts(figure) == ["There are none."]
    assert (drawn(figure, tmp_path) < 128).any()


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
