"""Which conditions of train.stop_when hold, what left its healthy range, and how the progress line says it."""

import math

import pytest

from vaelab.params.blocks import Bounds, Train
from vaelab.training.conditions import holding, status, unhealthy

ROW = {"epoch": 3, "phase": "val", "psnr": 27.5, "kl": 400.0, "ssim": math.nan, "gradient_norm": ""}


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ({"min": 2}, 2.0, True),
        ({"min": 2}, 1.999, False),
        ({"max": 2}, 2.0, True),
        ({"max": 2}, 2.001, False),
        ({"min": 1, "max": 2}, 1.5, True),
        ({"min": 1, "max": 2}, 0.5, False),
        ({"min": 1, "max": 2}, 2.5, False),
        ({"min": 1}, math.nan, False),
        ({"max": 1}, math.nan, False),
        ({"min": 1}, math.inf, True),
    ],
    ids=str,
)
def test_a_range_has_both_its_ends_and_never_nan(bounds, value, expected):
    assert Bounds(**bounds).holds(value) is expected


def test_each_condition_is_judged_by_its_own_column():
    options = Train(stop_when={"psnr": {"min": 28}, "kl": {"max": 500}, "ssim": {"min": 0}})
    assert holding(ROW, options) == {"psnr": False, "kl": True, "ssim": False}
    assert holding(ROW | {"psnr": "28.5"}, options)["psnr"] is True  # as it comes back from a file
    assert holding(ROW, Train()) == {}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{"min": 20, "max": 450}], []),
        ([{"min": 500}], ["kl 400, healthy ≥ 500"]),
        ([{"max": 300}], ["kl 400, healthy ≤ 300"]),
        ([{"min": 20, "max": 300}], ["kl 400, healthy 20 to 300"]),
        ([{"start": 4, "max": 300}], []),
        ([{"start": 3, "max": 300}], ["kl 400, healthy ≤ 300"]),
        ([{"end": 2, "max": 300}], []),
        ([{"end": 3, "max": 300}], ["kl 400, healthy ≤ 300"]),
        ([{"start": 1, "end": 2, "max": 300}, {"start": 3, "max": 0.5}], ["kl 400, healthy ≤ 0.5"]),
        ([{"max": 300}, {"min": 500}], ["kl 400, healthy ≤ 300", "kl 400, healthy ≥ 500"]),
    ],
    ids=str,
)
def test_what_left_its_range_of_this_epoch_is_named(ranges, expected):
    assert unhealthy(ROW, Train(healthy={"kl": ranges})) == expected


def test_nan_is_never_healthy():
    assert unhealthy(ROW, Train(healthy={"ssim": [{"min": 0}]})) == ["ssim nan, healthy ≥ 0"]


def test_the_progress_line_says_which_conditions_hold_and_for_how_long():
    options = Train(stop_when={"psnr": {"min": 28}, "kl": {"max": 500}}, stop_epochs=4)
    assert status(ROW, options, held=0) == {"stop_when": "psnr✗ kl✓ (0/4)"}
    assert status(ROW | {"psnr": 29.0}, options, held=2) == {"stop_when": "psnr✓ kl✓ (2/4)"}


def test_the_progress_line_says_what_is_unhealthy():
    options = Train(healthy={"kl": [{"max": 300}], "psnr": [{"min": 30}]})
    assert status(ROW, options, held=0) == {"unhealthy": "kl 400, healthy ≤ 300; psnr 27.5, healthy ≥ 30"}
    assert status(ROW, Train(healthy={"kl": [{"min": 300}]}), held=0) == {}
    assert status(ROW, Train(), held=0) == {}
