import math
import subprocess
import sys

import pytest
import torch
from comparisons import nested

from vaelab.comparison import verdict as module
from vaelab.comparison.verdict import Criterion, overall, remarks, verdict
from vaelab.errors import InputError
from vaelab.evaluation.image.baselines import fit_baselines
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.metrics.tables import METRICS
from vaelab.params.blocks import VERDICT, Limits

LISTED = ("mean_image", "pca", "white_page")


def judge_all(values, limits):
    metrics = nested(values)
    return verdict(metrics, limits, {name: reached for name, reached in metrics["floors"].items() if name in LISTED})


def judge(metrics: dict[str, float | None], limits: dict[str, Limits] = VERDICT) -> dict[str, Criterion]:
    return {criterion.metric: criterion for criterion in judge_all(metrics, limits)}


@pytest.mark.parametrize(
    ("metric", "value", "rating"),
    [
        ("psnr", 25.0, "good"), ("psnr", 20.0, "good"), ("psnr", 19.9, "fair"), ("psnr", 15.0, "poor"),
        ("psnr", 3.0, "poor"), ("mse", 0.05, "good"), ("mse", 0.051, "fair"), ("mse", 0.1, "poor"), ("mse", 7, "poor"),
    ],
)  # fmt: skip
def test_ratings_follow_the_limits_in_the_direction_of_the_metric(metric, value, rating):
    assert judge({metric: value})[metric].rating == rating


def test_without_a_poor_limit_nothing_is_poor():
    assert judge({"psnr": -50.0}, {"psnr": Limits(good=20)})["psnr"].rating == "fair"


def test_the_overall_rating_is_the_worst():
    assert overall(verdict({"psnr": 30, "mse": 0.07, "ssim": 0.9}, VERDICT, {})) == "fair"
    assert overall(verdict({"psnr": 30, "mse": 0.07, "ssim": 0.1}, VERDICT, {})) == "poor"
    assert overall(verdict({"psnr": 30}, VERDICT, {})) == "good"
    assert overall([]) is None


def test_what_was_not_measured_is_left_out():
    found = judge({"psnr": None, "mse": math.nan, "ssim": 0.9, "floor_pca_ssim": None, "floor_mean_image_ssim": 0.5})
    assert list(found) == ["ssim"]
    assert found["ssim"] == Criterion("ssim", 0.9, "good", 0.8, 0.3, "mean_image", 0.5, True, None)


def test_each_number_stands_beside_the_best_baseline():
    baselines = {
        "floor_mean_image_psnr": 18.0,
        "floor_pca_psnr": 26.0,
        "floor_mean_image_mse": 0.01,
        "floor_pca_mse": 0.02,
    }
    found = judge({"psnr": 25.0, "mse": 0.005, "psnr_group_gap": 1.0, **baselines})
    assert found["psnr"][5:] == ("pca", 26.0, False, 0.875)
    assert found["mse"][5:] == ("mean_image", 0.01, True, None)
    assert found["psnr_group_gap"][5:] == (None, None, None, None)


@pytest.mark.parametrize("metric", ["psnr", "mse"])
def test_equal_to_the_baseline_is_not_better(metric):
    assert judge({metric: 0.01, f"floor_pca_{metric}": 0.01})[metric].better_than_baseline is False


def test_an_unlisted_baseline_does_not_count():
    assert judge({"psnr": 25.0, "floor_patch_pca_psnr": 30.0})["psnr"].baseline is None


def test_a_good_psnr_that_a_white_page_beats_is_called_out():
    """Pages with a few thin lines: a grayish page without any ink passes PSNR > 20, and so does a white one."""
    pages = torch.full((8, 1, 64, 64), 255, dtype=torch.uint8)
    pages[:, :, 12:60:16, 10:20] = 0
    x = pages.float() / 255
    measured = {name: float(value.mean()) for name, value in image_metrics(x, torch.full_like(x, 0.97)).items()}
    baselines = fit_baselines(pages.roll(20, 3), None, latent_dim=4, cell=None, documents=True, seed=0)
    reached = {
        name: {"psnr": float(image_metrics(x, baseline(x))["psnr"].mean())} for name, baseline in baselines.items()
    }
    assert 20 < measured["psnr"] < reached["white_page"]["psnr"]
    assert verdict(measured, VERDICT, reached)[1].better_than_baseline is False
    found = verdict(measured, {"psnr": VERDICT["psnr"]}, {name: reached[name] for name in ("mean_image", "white_page")})
    assert found[0].rating == overall(found) == "good"
    assert found[0].baseline == "white_page"
    (remark,) = remarks(found)
    assert remark.startswith("PSNR")
    assert " dB is good by its limit 20, but means nothing here: white page reaches " in remark


def test_remarks_name_what_is_no_better_than_trivial_and_nothing_else():
    metrics = {"psnr": 17.0, "floor_pca_psnr": 18.0, "ssim": 0.9, "floor_pca_ssim": 0.8, "mse": 0.01}
    assert remarks(judge_all(metrics, VERDICT)) == ["PSNR 17 dB is fair, and no better than trivial: PCA reaches 18 dB"]


def test_a_metric_without_a_direction_is_better_towards_its_good_limit():
    upward, downward = {"rate": Limits(good=10, poor=5)}, {"rate": Limits(good=5, poor=10)}
    assert [judge({"rate": 12.0}, limits)["rate"].rating for limits in (upward, downward)] == ["good", "poor"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"psnnr": Limits(good=1)}, r"evaluate\.verdict\.psnnr: no such metric; known: .*psnr"),
        ({"psnr": Limits(good=15, poor=20)}, r"evaluate\.verdict\.psnr: good 15 and poor 20 are swapped; higher is"),
        ({"mse": Limits(good=0.1, poor=0.05)}, r"evaluate\.verdict\.mse: .*swapped; lower is better"),
        ({"rate": Limits(good=1)}, r"evaluate\.verdict\.rate: give a poor limit"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits, message):
    with pytest.raises(InputError, match=message):
        verdict(dict.fromkeys(limits, 1.0), limits, {})


def test_the_default_limits_make_sense():
    criteria = verdict(dict.fromkeys(VERDICT, 1.0), VERDICT, {})
    assert {criterion.metric for criterion in criteria} == set(VERDICT) <= set(METRICS)


def test_the_verdict_needs_no_torch():
    code = f"import sys; import {module.__name__}; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


BELOW_PCA = {"floor_mean_image_psnr": 12.0, "floor_pca_psnr": 32.0}


@pytest.mark.parametrize(("psnr", "way", "said"), [(36.0, 1.2, False), (30.0, 0.9, False), (13.0, 0.05, True)])
def test_a_model_a_little_below_pca_is_not_called_trivial(psnr, way, said):
    found = judge_all({"psnr": psnr, **BELOW_PCA}, {"psnr": Limits(good=20, poor=15)})
    assert found[0].way == pytest.approx(way)
    assert bool(remarks(found)) == said


def test_the_way_counts_down_where_lower_is_better():
    reached = {"floor_mean_image_mse": 0.05, "floor_pca_mse": 0.01}
    assert judge({"mse": 0.02, **reached})["mse"].way == pytest.approx(0.75)
    worse_than_nothing = {"floor_mean_image_mse": 0.01, "floor_pca_mse": 0.05}
    assert judge({"mse": 0.02, **worse_than_nothing})["mse"].way is None


def test_a_blurred_original_is_no_baseline():
    reached = {"mean_image": {"psnr": 12.0}, "blur": {"psnr": 45.0}}
    (found,) = verdict({"psnr": 30.0}, {"psnr": VERDICT["psnr"]}, reached)
    assert (found.baseline, found.better_than_baseline) == ("mean_image", True)


def test_a_page_that_nobody_can_read_is_poor_whatever_its_psnr():
    reached = {"white_page": {"ocr_cer": 1.0, "psnr": 39.9}, "patch_pca": {"ocr_cer": 0.5}}
    found = {c.metric: c for c in verdict({"psnr": 31.4, "ocr_cer": 0.74}, VERDICT, reached)}
    assert (found["psnr"].rating, found["ocr_cer"].rating) == ("good", "poor")
    assert found["ocr_cer"].better_than_baseline is False
    assert found["ocr_cer"].way == pytest.approx(0.52)
    assert judge({"ocr_cer": 0.08})["ocr_cer"].rating == "good"


@pytest.mark.parametrize("gap", [3.0, 6.5, 19.0, 20.8])  # of healthy runs
def test_groups_of_unlike_difficulty_are_no_fault(gap):
    assert judge({"psnr_group_gap": gap})["psnr_group_gap"].rating == "good"


HEALTHY = (  # measured on test: photos with a sharp map, fabrics cell by cell, textures as PCA of 128 numbers has them
    {"mse": 0.0008, "psnr": 36.7, "ssim": 0.87, "extreme_share": 0.0037, "psnr_group_gap": 6.5},
    {"mse": 0.0012, "psnr": 34.4, "ssim": 0.94, "extreme_share": 0.0002, "psnr_group_gap": 20.8},
    {"mse": 0.0116, "psnr": 21.5, "ssim": 0.44, "extreme_share": 0.0, "psnr_group_gap": 3.6},
)


@pytest.mark.parametrize("metrics", HEALTHY)
def test_the_default_limits_call_no_healthy_run_poor(metrics):
    found = verdict(metrics, VERDICT, {"mean_image": {"psnr": 12.3, "ssim": 0.37}})
    assert overall(found) in ("good", "fair")
    assert {c.metric: c.rating for c in found}["extreme_share"] == "good"
    assert not remarks(found)
