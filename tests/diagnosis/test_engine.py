"""Each built pathology raises its one finding, and a healthy run none."""

import numpy as np
import pytest
from cases import causes, defects, dimensions, grid, history, image, run_of, tags

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.engine import as_metrics, as_record, diagnose

DEAD_TAGS = {"test__distortion": 40.9, "test__distortion_at_mean": 40.9, "test__snr_max": 0.001, "test__rate": 0.01}
DEAD_IMAGE = {
    "test__psnr": 12.0,
    "test__distortion": 990.0,
    "test__distortion_at_mean": 985.0,
    "test__snr_max": 0.01,
    "test__diversity_ratio": 0.02,
}
LOW_BETA = {"run__effective_beta": 1e-3, "run__effective_beta_measured": 1e-3}


@pytest.mark.parametrize("healthy", [tags(), image(), grid(), defects()])
def test_a_healthy_run_is_not_accused(healthy):
    assert diagnose(healthy).findings == ()


@pytest.mark.parametrize("beta", [4.0, 10.0, 20.0])
def test_sparse_tags_that_kl_emptied_are_one_finding(beta):
    rows = {"test__true_tags": 1.2, "test__predicted_tags": 0.0, "test__entropy": 0.1}
    of_beta = {"run__effective_beta": beta, "run__effective_beta_measured": beta}
    found = diagnose(tags(**DEAD_TAGS, **rows, **of_beta, run__rate_star=0.1, run__rate_star_1=9.0))
    assert [finding.cause.id for finding in found.findings] == ["beta_too_high"]
    assert {"predicts_nothing", "degenerate_samples"} <= {*found.findings[0].explains}
    assert "++runs.some.loss.beta=" in as_record(found, tags())["findings"][0]["prescriptions"][0]["command"]


def test_a_run_that_goes_on_is_told_to_start_anew_where_another_objective_could_not_go_on():
    case = tags(**DEAD_TAGS, run__effective_beta=10.0, run__effective_beta_measured=10.0)
    train = case.run.train.model_copy(update={"start_from": "first", "go_on": True})
    case = case._replace(run=case.run.model_copy(update={"train": train}))
    (finding,) = diagnose(case).findings
    changes = finding.prescriptions[0].changes
    assert changes.keys() >= {"loss.beta", "train.go_on", "data"}
    assert (changes["train.go_on"], changes["data"]) == (False, case.run.data)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (tags(**DEAD_TAGS, run__effective_beta_measured=200.0), "beta_too_high"),
        (image(**DEAD_IMAGE, run__effective_beta_measured=300.0), "beta_too_high"),
        (image(**DEAD_IMAGE), "not_learned"),
        (tags(**DEAD_TAGS), "not_learned"),
        (tags(test__predicted_tags=0.0), "predicts_nothing"),
        (tags(test__entropy=0.0), "degenerate_samples"),
        (tags(train__distortion=2.0, val__distortion=38.0, test__distortion=38.1), "overfitting"),
        (tags(test__distortion=30.0, test__distortion_at_mean=30.0), "worse_than_baseline"),
        (image(**LOW_BETA)._replace(dimensions=dimensions(0.0, 8.0)), "beta_too_low"),
        (image(**LOW_BETA, test__distortion=-1016.0), "beta_too_low"),
        (image(test__ablations__shuffled_z__distortion=-1000.0, run__bypass=True), "bottleneck_bypassed"),
        (image(test__psnr_group_gray=15.0), "group_shift"),
        (image(test__resolved_cycles=1.0), "detail_lost"),
        (image(test__sample_reconstruction_mmd=0.42), "prior_hole"),
        (grid(test__foreground_accuracy=0.15, test__blank_share=0.4), "majority_collapse"),
        (defects(threshold__recall=0.01), "threshold_too_high"),
        (defects(threshold__percentile_used=99.99, threshold__f1=0.02), "threshold_too_high"),
        (defects(threshold__roc_auc_low=0.45), "defects_not_found"),
        (defects(threshold__mask_z=0.3), "masks_misaligned"),
        (defects(threshold__calibration_ks_p=1e-16), "calibration_shift"),
        (defects(threshold__calibration_ks_p=0.03, threshold__fpr_normal=0.3), "calibration_shift"),
        (defects(threshold__settings__aggregation="mean"), "aggregation_hides_defects"),
        (defects(threshold__settings__scores=["residual"], test__explained_variance=0.9999), "reconstructs_defects"),
    ],
)
def test_what_was_broken_is_the_only_finding(case, expected):
    assert causes(case) == [expected]


def test_limits_of_the_verdict_are_evidence_and_accuse_nobody():
    limits = {"psnr": {"good": 25, "poor": 23}, "extreme_share": {"good": 0.01, "poor": 0.05}}
    run = run_of("image", evaluate={"verdict": limits})
    healthy = image(test__psnr=22.5, test__extreme_share=0.2)._replace(run=run)
    assert diagnose(healthy).findings == ()
    (finding,) = diagnose(image(**DEAD_IMAGE, test__extreme_share=0.2)._replace(run=run)).findings
    (row,) = [one for one in finding.evidence if one.sign.name.startswith("verdict")]
    assert row.said() == "PSNR, dB (evaluate.verdict: poor) = 12, below 23"
    assert row.reading.source == "metrics/evaluate/some.json: test.psnr; baseline pca 22"
    low = image(**LOW_BETA, test__extreme_share=0.2)._replace(run=run, dimensions=dimensions(0.0, 8.0))
    assert "verdict_extreme_share" in [one.sign.name for one in diagnose(low).findings[0].evidence]


def test_a_training_that_was_not_finite_needs_no_other_number():
    case = Case(run_of("tags"), failure={"step": 7})
    found = diagnose(case)
    assert [finding.cause.id for finding in found.findings] == ["not_finite"]
    assert "train.learning_rate" in found.findings[0].prescriptions[0].changes
    assert as_metrics(found) == {"healthy": 0, "breaks": 1, "costs": 0, "note": 0, "first": "not_finite"}


def test_a_training_that_jumps_and_one_that_is_not_done():
    jumping = history([40, 30, 60, 29, 28, 27], [40, 30, 26, 25, 25, 25.1], "distortion")
    assert causes(tags()._replace(history=jumping)) == ["unstable"]
    falling = history([40, 38, 36, 34, 32, 30], [40, 38, 36, 34, 32, 30], "distortion")
    found = diagnose(tags()._replace(history=falling)).findings
    assert [finding.cause.id for finding in found] == ["unfinished"]
    assert found[0].prescriptions[0].changes["train.epochs"] in (10, 20)
    assert found[0].prescriptions[0].direction == "lower"


def test_a_scarce_group_explains_its_shift():
    groups = {
        "train": {"gray": 25, "colour": 975},
        "val": {"gray": 50, "colour": 50},
        "test": {"gray": 50, "colour": 50},
    }
    found = diagnose(image(test__psnr_group_gray=15.0)._replace(groups=groups)).findings
    assert [(finding.cause.id, finding.explains) for finding in found] == [("group_scarce", ("group_shift",))]


def test_duplicates_and_another_range_are_of_the_data():
    images = {"train": 800, "val": 100, "test": 100}
    none = {"train-val": 0, "train-test": 0, "val-test": 90}
    exact = {"exact": {**none, "train-test": 40}, "near": none, "alike": none, "images": images}
    assert causes(image()._replace(data={"near_duplicates": exact})) == ["leakage"]
    alike = image()._replace(data={"near_duplicates": {"exact": none, "alike": {"train-val": 30}, "images": images}})
    assert [finding.severity for finding in diagnose(alike).findings] == ["note"]
    assert causes(image()._replace(data={"near_duplicates": {"exact": none, "images": images}})) == []
    dark = {"mean": 0.1, "std": 0.02, "min": 0.08, "max": 0.14, "examples": 50}
    plain = {"mean": 0.5, "std": 0.2, "min": 0.0, "max": 1.0, "examples": 50}
    statistics = {"train": {"gray": plain}, "val": {"gray": plain}, "test": {"gray": dark}}
    assert causes(image()._replace(data={"statistics": statistics})) == ["input_range"]


def test_a_threshold_that_lies_too_high_because_val_is_noisy_is_a_shift():
    shift = {"threshold__calibration_ks_p": 1e-9, "threshold__test_higher": 0.2}
    (found,) = diagnose(defects(threshold__recall=0.0, threshold__fpr_normal=0.0, **shift)).findings
    assert found.cause.id == "calibration_shift"
    said = " ".join(one.said() for one in found.evidence)
    assert "that of val scores higher than that of test = 0.8, above 0.5" in said
    assert "normals of test that pass, against the share that was asked for = 1, above 0.95" in said
    assert "recall of defects = 0" in said


def test_a_shift_says_which_split_is_higher_and_the_rate_with_its_interval():
    shift = {"threshold__calibration_ks_p": 1e-9, "threshold__test_higher": 0.7, "threshold__fpr_normal": 0.2}
    (found,) = diagnose(defects(**shift, threshold__fpr_interval=[0.1, 0.3])).findings
    said = " ".join(one.said() for one in found.evidence)
    assert "that of test scores higher than that of val = 0.7, above 0.5" in said
    assert "against the rate that was asked for = 0.2 (0.1 to 0.3), above 0.05" in said
    assert "pass" not in said


def test_a_shift_and_a_percentile_that_is_too_high_are_two_causes():
    high = {"threshold__percentile_used": 99.99, "threshold__fpr_nominal": 1e-4, "threshold__recall": 0.0}
    found = causes(defects(threshold__calibration_ks_p=1e-9, threshold__test_higher=0.7, **high))
    assert sorted(found) == ["calibration_shift", "threshold_too_high"]


def test_nothing_known_accuses_nobody_and_says_what_was_not_looked_for():
    for kind in ("grid", "image", "tags"):
        found = diagnose(Case(run_of(kind)))
        assert found.findings == ()
        assert "beta_too_high" in found.unknown


def test_a_note_leaves_a_run_healthy():
    found = diagnose(image(test__sample_reconstruction_mmd=0.42))
    assert found.healthy
    assert as_metrics(found)["note"] == 1


def test_certainty_is_that_of_the_least_certain_sign():
    def certainty(beta):
        return diagnose(image(**DEAD_IMAGE, run__effective_beta_measured=beta)).findings[0].certainty

    assert [certainty(beta) for beta in (5.1, 7.0, 300.0)] == ["possible", "likely", "sure"]


def test_the_worst_finding_is_first_and_evidence_has_limits():
    case = defects(threshold__roc_auc_low=0.45, train__psnr=40.0, val__psnr=15.0, test__psnr=15.0)
    record = as_record(diagnose(case), case)
    severities = [finding["severity"] for finding in record["findings"]]
    assert severities == sorted(severities, key=["breaks", "costs", "note"].index)
    for finding in record["findings"]:
        assert finding["evidence"]
        assert all(
            {"metric", "value", "limit", "better", "source"} <= evidence.keys() for evidence in finding["evidence"]
        )


def test_eigenvalues_say_what_a_linear_model_spends():
    from vaelab.diagnosis.prescriptions.objective import linear_rate

    case = image()._replace(eigenvalues=np.array([0.6, 0.06, 0.0006]))
    expected = (np.log(0.6 / 0.006) + np.log(0.06 / 0.006)) / 2
    assert linear_rate(case, 1.0) == pytest.approx(expected)
