"""Signs against numbers that are worked out by hand."""

from math import log, log10

import numpy as np
import pytest
from cases import defects, dimensions, history, image, run_of, tags

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Evidence, Reading, Sign
from vaelab.diagnosis.signs import calibration, data, decision, gain, inputs, objective, optimisation


def test_gain_is_the_share_of_the_way():
    assert gain.gain(image()).value == pytest.approx((-1000 - 1000) / (-900 - 1000))
    assert gain.gain(tags()).value == pytest.approx((15 - 41) / (11 - 41))


def test_gain_of_a_map_is_against_pca_of_patches_where_there_is_no_other():
    floors = {"mean_image": {"distortion": 0.0}, "patch_pca": {"distortion_at_mean": -2000.0}}
    found = gain.gain(image(test__floors=floors))
    assert found.value == pytest.approx(0.5)
    assert found.source.endswith("test.distortion")


def test_gain_is_unknown_where_pca_is_no_way_up():
    assert gain.gain(image(test__floors__pca__distortion_at_mean=1100.0)) is None
    assert gain.gain(image(test__floors={})) is None


def test_what_a_drawn_z_and_a_shuffled_z_leave():
    assert gain.drawn_share(image()).value == pytest.approx(2000 / 2016)
    assert gain.latent_share(image()).value == pytest.approx(1 + 500 / 2016)


def test_the_prior_gap_is_the_divergence_of_the_moments():
    case = image()._replace(dimensions=dimensions(0.5, 2.0))
    one = (0.25 + 4 - 1 - log(4)) / 2
    assert objective.prior_gap(case).value == pytest.approx(32 * one / 90)


def test_drawing_costs_half_a_nat_a_unit_at_the_optimum():
    assert objective.sampling_cost(image()).value == pytest.approx(1.0)


def test_a_jump_is_over_all_that_the_loss_fell_whatever_the_weight_of_kl_does():
    case = Case(run_of("tags"), history=history([40, 20, 35, 10], [40, 30, 26, 25], "distortion"))
    assert optimisation.loss_jump(case).value == pytest.approx(15 / 30)
    ramp = history([40, 30, 40, 60], [40, 30, 26, 25], "distortion")
    for row, weight in zip([row for row in ramp if row["phase"] == "train"], (0, 1, 2, 4), strict=True):
        row |= {"kl": "10", "kl_weight": str(weight), "kl_weighted": str(10 * weight)}
    assert optimisation.loss_jump(case._replace(history=ramp)).value == 0


def test_the_start_is_no_progress():
    rows = history([40, 30, 20, 10, 9], [40, 30, 20, 10, 9], "distortion")
    start = {"epoch": "0", "phase": "val", "loss": "4000", "distortion": "4000"}
    with_start, without = Case(run_of("tags"), history=[start, *rows]), Case(run_of("tags"), history=rows)
    assert optimisation.still_gaining(with_start).value == optimisation.still_gaining(without).value
    assert optimisation.still_gaining(without).value == pytest.approx(1 / 31)
    assert optimisation.epochs_since_best(without).value == 0


def test_a_start_from_pca_has_no_way_left():
    rows = history([4, 3, 3, 3, 3], [28.70, 28.69, 28.69, 28.69, 28.71], "psnr")
    started = run_of("image", model={"init": "pca"})
    assert optimisation.still_gaining(image()._replace(history=rows)).value == pytest.approx(1)
    assert optimisation.still_gaining(image()._replace(history=rows, run=started)).value == pytest.approx(0.01 / 16.71)
    assert optimisation.still_gaining(Case(started, history=rows)) is None  # while it trains


def test_the_way_is_the_sum_over_steps():
    case = Case(run_of("tags"), history=history([4, 3], [4, 3], "distortion", rate=1e-3))
    assert optimisation.distance(case).value == pytest.approx(200 * 1e-3)


def test_group_shares_are_ratios():
    groups = {"train": {"a": 10, "b": 90}, "test": {"a": 50, "b": 50, "c": 2}}
    assert data.group_share(image()._replace(groups=groups)).value == pytest.approx(0.1 / (50 / 102))


def test_the_sweep_names_its_best():
    sweep = [{"percentile": "90", "f1": "0.5"}, {"percentile": "95", "f1": "0.7"}, {"percentile": "99", "f1": "nan"}]
    assert decision.best_percentile(image()._replace(tables={"percentiles": sweep})) == (95.0, 0.7)


def test_an_interval_decides_how_sure_a_sign_is():
    sign = Sign("x", "x", 0.5, "below", lambda case: None)
    assert Evidence(sign, Reading(0.4, "", 0.3, 0.45), 0.5).certainty == "sure"
    assert Evidence(sign, Reading(0.4, "", 0.3, 0.6), 0.5).certainty == "possible"
    assert Evidence(sign, Reading(0.2, ""), 0.5).certainty == "sure"
    assert Evidence(sign, Reading(0.38, ""), 0.5).certainty == "likely"
    assert Evidence(sign, Reading(0.45, ""), 0.5).certainty == "possible"
    assert not Evidence(sign, Reading(0.5, ""), 0.5).holds


def test_an_overshoot_is_above_the_untrained_model_over_all_that_the_loss_fell():
    rows = history([50, 30, 20], [40, 30, 25], "distortion")
    for row, largest in zip([row for row in rows if row["phase"] == "train"], (70, 31, 22), strict=True):
        row["loss_max"] = str(largest)
    start = {"epoch": "0", "phase": "val", "loss": "40", "distortion": "39"}
    case = Case(run_of("tags"), history=[start, *rows])
    assert optimisation.overshoot(case).value == pytest.approx((70 - 40) / (40 - 20))
    assert optimisation.overshoot(case._replace(history=rows)) is None


def test_what_val_lost_again_is_a_share_of_the_way_from_knowing_nothing():
    case = tags()._replace(history=history([40, 30, 20], [30, 21, 31], "distortion"))
    assert optimisation.lost_again(case).value == pytest.approx(10 / (41 - 21))
    assert optimisation.train_rise(case).value == pytest.approx(-10 / 20)
    shown = image()._replace(history=history([3, 2, 1], [0.03, 0.006, 0.012], "mse"))
    assert optimisation.lost_again(shown).value == pytest.approx(log(2) / log(10))


def test_light_is_what_multiplies_mean_and_deviation():
    plain = {"mean": 0.5, "std": 0.2, "examples": 1000}
    assert inputs.factor({"mean": 0.25, "std": 0.1, "examples": 1000}, plain) == pytest.approx(2, rel=1e-4)
    assert inputs.factor(plain, {"mean": 0.25, "std": 0.08, "examples": 1000}) == pytest.approx(2, rel=1e-4)
    assert inputs.factor({"mean": 0.25, "std": 0.3, "examples": 1000}, plain) == pytest.approx(1, rel=1e-4)
    assert inputs.factor({"mean": 0.25, "std": 0.1, "examples": 6}, plain) == pytest.approx(2 / 1.25)


def test_noise_that_all_groups_share_is_no_shift_of_the_smoothest():
    def psnr(error):
        return -10 * log10(error)

    errors = {"gray": 1e-4, "colour": 5e-3}
    noisy = {f"test__psnr_group_{name}": psnr(error + 2e-3) for name, error in errors.items()}
    train = {f"train__psnr_group_{name}": psnr(error) for name, error in errors.items()}
    assert data.group_shift(image(**train, **noisy)).value == pytest.approx(0, abs=1e-6)
    assert data.group_shift(image(**train, test__psnr_group_gray=psnr(1e-3), test__psnr_group_colour=psnr(5e-3))
                            ).value == pytest.approx(10)  # fmt: skip


def test_p_of_several_scores_are_worth_less_the_more_there_are():
    case = defects(threshold__calibration_ks_p=0.3, threshold__calibration_ks_p_by_score={"a": 0.3, "b": 1e-4})
    assert calibration.shift_p(case).value == pytest.approx(2e-4)
    assert calibration.shift_p(case).source.endswith("by_score.b")


def test_auc_in_standard_errors_and_normals_above_the_threshold():
    case = defects(threshold__roc_auc=0.6, threshold__roc_auc_low=0.5, threshold__percentile_used=99.9)
    assert decision.auc_errors(case).value == pytest.approx(1.96)
    assert decision.normals_above(case).value == pytest.approx(0.1)


def test_a_rate_that_is_nothing_at_any_beta_is_asked_by_beta():
    assert objective.rate_asked(tags(run__rate_star=0.0, run__rate_star_1=0.0)).value == 0
    assert objective.rate_asked(tags(run__rate_star=1.0, run__rate_star_1=4.0)).value == 0.25
    assert objective.rate_asked(tags()) is None


def test_few_tags_a_row_need_a_lower_beta_than_one():
    case = tags(run__rate_star=0.3, run__rate_star_1=0.3)._replace(eigenvalues=np.array([2.0, 1.0, 0.1]))
    assert objective.rate_usual(case).value == pytest.approx(0.3 / (log(10) / 2 + log(5) / 2))
    assert objective.rate_usual(image(run__rate_star=0.3)) is None
