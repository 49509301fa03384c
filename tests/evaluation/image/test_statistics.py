import math

import numpy as np
import pytest
import torch

from vaelab.evaluation.groups import metric_keys
from vaelab.evaluation.image.statistics import over_examples

NAN = math.nan
VALUES = {
    "mse": torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
    "psnr": torch.tensor([30.0, 28.0, 20.0, 22.0, 24.0, 26.0]),
    "sharpness_ratio": torch.tensor([0.5, NAN, 0.5, 0.7, NAN, 100.0]),
    "text_mse": torch.full((6,), NAN),
}
GROUP = torch.tensor([0, 0, 2, 2, 3, 3], dtype=torch.uint8)
NAMES = ("Colour", "never here", "Form A", "gray")


def test_means_leave_out_what_is_undefined():
    found = over_examples(VALUES, GROUP, NAMES)
    assert found["mse"] == pytest.approx(0.35)
    assert found["sharpness_ratio"] == pytest.approx((0.5 + 0.5 + 0.7 + 100) / 4)
    assert found["sharpness_ratio_median"] == pytest.approx(0.6)
    assert math.isnan(found["text_mse"])
    assert all(type(value) in (float, int) for value in found.values())


def test_spread_equals_numpy():
    found = over_examples(VALUES, GROUP, NAMES)
    psnr = VALUES["psnr"].double().numpy()
    assert found["psnr_std"] == pytest.approx(psnr.std())
    assert found["psnr_min"] == 20
    assert found["psnr_p05"] == pytest.approx(np.percentile(psnr, 5))
    assert "mse_std" not in found
    assert "ssim_std" not in found


def test_groups_are_compared():
    found = over_examples(VALUES, GROUP, NAMES)
    groups = {key: value for key, value in found.items() if key.startswith("psnr_group_")}
    nan = groups.pop("psnr_group_never_here")
    assert groups == {"psnr_group_colour": 29, "psnr_group_form_a": 21, "psnr_group_gray": 25, "psnr_group_gap": 8}
    assert math.isnan(nan)
    assert (found["worst_group_psnr"], found["worst_group"]) == (21, 2)
    assert found["sharpness_ratio_group_colour"] == 0.5
    assert found["sharpness_ratio_group_gray"] == 100


def test_one_group_has_no_gap():
    found = over_examples(VALUES, torch.zeros(6, dtype=torch.int64), ["all"])
    assert (found["psnr_group_gap"], found["worst_group"]) == (0, 0)
    assert found["worst_group_psnr"] == found["psnr"] == found["psnr_group_all"]


def test_a_phase_without_a_defined_psnr_has_no_worst_group():
    found = over_examples({"psnr": torch.full((2,), NAN)}, torch.zeros(2, dtype=torch.int64), ["all"])
    assert all(math.isnan(value) for value in found.values())


def test_the_order_of_the_images_does_not_matter():
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    one, other = (
        over_examples(VALUES, GROUP, NAMES),
        over_examples({k: v[order] for k, v in VALUES.items()}, GROUP[order], NAMES),
    )
    assert one == pytest.approx(other, nan_ok=True)


def test_names_of_groups_become_parts_of_metric_names():
    assert metric_keys(["Form A", "form-a", "été/1", "–", "ok_1"]) == ["form_a", "form_a_1", "t_1", "3", "ok_1"]
    assert metric_keys(["a_2", "a", "a", "gap"]) == ["a_2", "a", "a_2_2", "gap_3"]
