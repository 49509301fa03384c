"""Whole strips: patches at their places, masks that are not lost, boxes around what is flagged."""

import numpy as np
import pytest
from figures.drawings import CELLS, SCALE, SIDE, count, drawn, random, texts

from vaelab.figures.canvas.mosaic import MARGIN
from vaelab.figures.defects import strips
from vaelab.figures.defects.overlay import CYAN, WHITE
from vaelab.figures.defects.strips import Strip, grain, stitch


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
    figure = strips.strip_view("title", [given], SCALE)
    assert [text for text in texts(figure) if text in ("5.13", "5.12", "9.00", "120", "0.0123")] == [
        "5.12",
        "120",
        "0.0123",
    ]
    none = strips.strip_view("title", [given._replace(flagged=np.zeros(4, bool))], SCALE)
    difference = count(drawn(figure, tmp_path), WHITE) - count(drawn(none, tmp_path), WHITE)
    assert difference > 3 * 4 * 50
    assert any("without it: 4 patches (3 flagged) · highest score 120" in text for text in texts(figure))


def test_overlapping_flagged_patches_have_one_box_with_the_highest_score():
    given = strip([(0, 0), (0, 32), (0, 160)], flagged=np.ones(3, bool), value=np.array([5.0, 7.0, 6.0]))
    figure = strips.strip_view("title", [given], SCALE)
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
    figure = strips.strip_view("title", [given], SCALE)
    assert expected in [text.replace(f"{given.value.max(initial=0):#.3g}", "8.00") for text in texts(figure)]
    assert count(drawn(figure, tmp_path), CYAN) == 0


def test_strips_stand_below_each_other_with_their_places_in_pixels(tmp_path):
    wide = strip([(0, 1400)], (64, 4096))
    wide.mask[0, 30, 30] = 1
    figure = strips.strip_view("title", [wide, strip([(0, 33)])], SCALE)
    pixels = drawn(figure, tmp_path)
    assert pixels.shape[1] == 2048 + 2 * MARGIN
    assert [text for text in texts(figure) if text.isdecimal()] == [*map(str, range(512, 4096, 512)), "128", "256"]
    assert count(pixels, CYAN) >= 8
    expected = wide.x[0, 0]
    columns = slice(MARGIN + 700, MARGIN + 732)
    found = [row for row in range(len(pixels) - 31) if (pixels[row : row + 32, columns, 0] == expected).all()]
    assert len(found) == 1
