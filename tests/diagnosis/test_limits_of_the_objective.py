"""Rules that need two numbers at once: what a capacity, dropout, a start from PCA or the size of PCA explains."""

import pytest
from cases import causes, defects, dimensions, grid, history, image, run_of, tags

from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import as_record, diagnose
from vaelab.diagnosis.prescriptions import capacity as sizes
from vaelab.diagnosis.prescriptions import objective as weights
from vaelab.diagnosis.prescriptions import optimisation as steps
from vaelab.diagnosis.report import text
from vaelab.diagnosis.signs import capacity, objective, optimisation

DEAD = {"test__distortion": 990.0, "test__distortion_at_mean": 985.0}


def of_capacity(nats, rate, **changes):
    held = run_of("image", loss={"capacity": nats})
    return image(test__rate=rate, run__rate_star_1=220.0, run__rate_star=29.0, **changes)._replace(run=held)


def with_rates(case, rates, psnr):
    rows = history([5.0 - epoch for epoch in range(len(rates))], psnr, "psnr")
    for row, rate in zip([row for row in rows if row["phase"] == "val"], rates, strict=True):
        row["kl"] = str(rate)
    return case._replace(history=rows)


def severities(case):
    return [(found.cause.id, found.severity) for found in diagnose(case).findings]


def test_beta_is_no_pressure_where_kl_is_held_at_a_capacity():
    assert objective.effective_beta(of_capacity(150.0, 131.0, run__effective_beta_measured=85.0)) is None
    assert objective.effective_beta(of_capacity(150.0, 230.0, run__effective_beta_measured=85.0)).value == 85
    assert objective.rate_asked(of_capacity(55.0, 50.0)).value == 0.25
    ramp = {"schedule": "linear", "start": 0.0, "end": 44.0}
    assert objective.capacity(image()._replace(run=run_of("image", loss={"capacity": ramp}))) == 44
    assert causes(of_capacity(150.0, 131.0, run__effective_beta_measured=85.0)) == []


def test_a_capacity_of_next_to_nothing_is_what_leaves_nothing_in_the_latents():
    starved = of_capacity(2.0, 2.0, **DEAD, run__effective_beta_measured=1.0)
    (found,) = diagnose(starved).findings
    assert found.cause.id == "beta_too_high"
    assert found.prescriptions[0].changes == {"loss.capacity": 220.0}
    assert weights.raise_capacity(of_capacity(240.0, 200.0)) is None
    assert weights.lower_beta(starved) is None
    assert as_record(diagnose(starved), starved)["findings"][0]["prescriptions"][0]["metric"] == "gain"


def test_losses_that_jump_with_dropout_alone_are_not_learned():
    heavy = run_of("image", model={"dropout": 0.9})
    jumping = history([40, 30, 60, 29, 28, 27], [12, 12, 12, 12, 12, 12], "psnr")
    assert causes(image(**DEAD)._replace(run=heavy, history=jumping)) == ["not_learned"]
    assert causes(image(**DEAD)._replace(history=jumping)) == ["unstable"]
    assert causes(image()._replace(run=heavy, history=jumping)) == ["unstable"]
    assert optimisation.swamped(image(**DEAD)._replace(run=heavy)).value == 1


def test_a_rate_that_grew_while_val_did_not_is_a_note_of_a_low_beta():
    low = image(run__effective_beta_measured=3e-4)
    grown, settled = [118, 119, 140, 180], [119, 119, 119, 119]
    case = with_rates(low, grown, [25.9, 25.8, 25.6, 25.5])
    assert optimisation.RATE_GREW(case).reading.value == pytest.approx(180 / 118)
    assert severities(case) == [("beta_too_low", "note")]
    assert diagnose(case).healthy
    assert weights.raise_beta(case._replace(dimensions=dimensions(0.0, 1.0))).metric == "rate_grew"
    assert severities(with_rates(low, settled, [25.9, 25.8, 25.6, 25.5])) == []
    assert severities(with_rates(low, grown, [20.0, 25.7, 25.8, 25.9])) == []  # val became better all along
    assert severities(with_rates(image(), grown, [25.9, 25.8, 25.6, 25.5])) == []


def test_few_steps_explain_a_model_far_behind_pca():
    poor = {"test__distortion": 300.0, "test__distortion_at_mean": 290.0}
    few = image(**poor)._replace(history=history([4, 3, 3, 3], [18, 18.1, 18.0, 18.0], "psnr", rate=2e-4))
    assert optimisation.distance(few).value == pytest.approx(0.08)
    assert causes(few) == ["unfinished"]
    assert diagnose(few).findings[0].explains == ("worse_than_baseline",)
    found = steps.more_epochs(few)
    assert found.changes["train.epochs"] == round(few.run.train.epochs * 0.3 / 0.08)
    many = few._replace(history=history([4, 3, 3, 3], [18, 18.1, 18.0, 18.0], "psnr", rate=4e-3))
    assert causes(many) == ["worse_than_baseline"]
    assert causes(image()._replace(history=few.history)) == []


@pytest.mark.parametrize(
    ("cycles", "pca", "changes", "expected"),
    [
        (2, 3, {}, "note"),  # of 5: one cycle behind PCA, and near it in all
        (1, 1, {}, "costs"),  # PCA of this size is too small
        (2, 3, {"test__distortion": -500.0}, "costs"),  # 1500 of the 1900 nats that PCA gets
        (3, 3, {"test__distortion": -500.0}, "note"),
        (1, 0, {"test__distortion": -1470.0}, "note"),  # 1.3 of what PCA gets: it judges nobody's size
        (0, 0, {"test__distortion": -300.0, "test__explained_variance": 0.17}, "costs"),  # pages with few latents
        (0, 4, {"test__distortion": -300.0, "test__explained_variance": 0.17}, None),
        (3, 3, {}, None),
        (4, 5, {"test__distortion": -500.0}, None),
    ],
)
def test_lost_detail_is_held_against_pca_of_the_same_size(cycles, pca, changes, expected):
    case = image(test__resolved_cycles=cycles, test__data_cycles=5, test__floors__pca__resolved_cycles=pca, **changes)
    assert severities(case) == ([] if expected is None else [("detail_lost", expected)])


@pytest.mark.parametrize(
    ("right", "background", "losses", "expected"),
    [
        ([0.9, 0.8, 0.6, 0.5], [0.70, 0.73, 0.76, 0.79], [190, 120, 99, 90], [("majority_collapse", "costs")]),
        ([0.9, 0.8, 0.6, 0.5], [0.70, 0.70, 0.70, 0.70], [190, 120, 99, 90], []),  # other colours, not the background
        ([0.9, 0.8, 0.6, 0.5], [0.70, 0.73, 0.76, 0.79], [190, 200, 230, 250], []),  # the objective does not want it
        ([0.9, 0.93, 0.92, 0.91], [0.70, 0.69, 0.69, 0.71], [190, 120, 99, 90], []),
    ],
)
def test_foreground_that_the_objective_gives_up_epoch_by_epoch_is_majority_collapse(
    right, background, losses, expected
):
    rows = history(losses, right, "foreground_accuracy")
    values = iter(background)
    rows = [row | {"predicted_background_share": str(next(values))} if row["phase"] == "val" else row for row in rows]
    case = grid()._replace(history=rows)
    assert severities(case) == expected
    if expected:
        assert capacity.FOREGROUND_KEPT(case).reading.value == pytest.approx(0.5 / 0.9)
        assert sizes.class_weights(case).metric == "foreground_kept"
        assert sizes.class_weights(case).least == pytest.approx((1 - 0.5 / 0.9) / 2, rel=0.05)
        said = " ".join(text(diagnose(case), case).split())
        assert "fewer are right at the end than at the best epoch" in said
        assert "half as many" not in said, "that holds of other runs"
        assert "training loss since the first epoch: fell by 53%" in said
        assert "half as many" in CAUSES["majority_collapse"].meaning_of({"evidence": [{"metric": "foreground_share"}]})


def test_a_prescription_says_which_effective_beta_it_lowers():
    focal = run_of("grid", loss={"terms": {"focal": 1.0, "cross_entropy": 0.0}})
    heavy = grid(run__effective_beta_measured=1.84)._replace(run=focal)
    assert "(effective β 1.8, 0.3 is usual)" in sizes.lower_gamma(heavy).why
    assert "(" not in sizes.lower_gamma(grid(run__effective_beta_measured=0.3)._replace(run=focal)).why
    assert weights.lower_beta(heavy).why.startswith("the effective β falls from 1.8 to 0.3, ")


def test_a_residual_behind_both_its_latents_and_pca_reconstructs_defects():
    def scored(residual, latents, pca, explained=0.95):
        found = {"residual": residual, "mahalanobis": latents, "pca_residual": pca}
        rows = [{"score": name, "roc_auc": str(auc)} for name, auc in found.items()]
        case = defects(threshold__settings__scores=["residual"], test__explained_variance=explained)
        return case._replace(tables={**case.tables, "scores": rows})

    assert capacity.residual_behind(scored(0.6, 0.64, 0.65)).value == pytest.approx(0.04)
    assert causes(scored(0.6, 0.64, 0.65)) == ["reconstructs_defects"]
    assert causes(scored(0.6, 0.58, 0.65)) == []  # its latents find no more
    assert causes(scored(0.6, 0.64, 0.65, explained=0.8)) == []
    assert capacity.residual_behind(defects()) is None


def test_a_drawn_z_that_costs_a_third_of_the_gain_is_of_a_raised_beta():
    noisy = {"test__distortion": 100.0}  # 80 of the 160 nats that the posterior mean gains
    assert causes(grid(**noisy, run__effective_beta_measured=5.0)) == ["beta_too_high"]
    assert causes(grid(**noisy)) == []


def test_flat_means_under_a_raised_beta_are_a_collapse_also_without_pca():
    bare = tags(test__floors={}, test__snr_max=0.01, run__effective_beta_measured=100.0)
    assert severities(bare) == [("beta_too_high", "breaks")]
    assert severities(tags(test__floors={}, test__snr_max=0.01)) == []


def test_steps_too_small_are_not_laid_to_a_beta_without_nats():
    ssim = image(**DEAD, run__effective_beta=None, run__effective_beta_measured=None, run__rate_star=0.0,
                 run__rate_star_1=90.0)  # fmt: skip
    assert causes(ssim) == ["beta_too_high"]
    slow = history([1, 0.9, 0.9, 0.9], [12, 12, 12, 12], "psnr", rate=1e-5)
    assert causes(ssim._replace(history=slow)) == ["not_learned"]


def test_dead_tags_of_a_capacity_are_not_laid_to_the_usual_beta():
    held = run_of("tags", loss={"capacity": 5.0})
    assert objective.rate_usual(tags(run__rate_star=0.1)._replace(run=held)) is None
