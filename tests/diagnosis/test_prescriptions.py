"""Commands do to a run what they say, also where a preset stands behind it."""

import shlex

import pytest
from cases import defects, history, image, run_of, tags
from dvc.utils.hydra import apply_overrides

from vaelab import storage
from vaelab.diagnosis.prescriptions import capacity, decision, objective, optimisation
from vaelab.params.experiment import added, with_changes
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import resolve

BASE = {
    "datasets": {"photos": {"source": "photos", "size": 32, "crops": 100}},
    "presets": {
        "own": {"loss": {"beta": {"schedule": "linear", "end": 4.0}, "terms": {"mse": 1.0}}, "model": {"width": 8}}
    },
    "runs": {
        "plain": {"data": "photos"},
        "own": {"data": "photos"},
        "other": {"data": "photos", "preset": "own", "loss": {"beta": 9.0}, "train": None},
    },
}


def resolved(tmp_path, command):
    path = tmp_path / "params.yaml"
    storage.write_yaml(path, BASE)
    words = shlex.split(command)
    assert words[:3] == ["dvc", "exp", "run"]
    apply_overrides(path, [text for flag, text in zip(words[3::2], words[4::2], strict=True) if flag == "-S"])
    assert read_yaml(path)["presets"] == BASE["presets"]
    return resolve(path).runs


@pytest.mark.parametrize("name", BASE["runs"])
def test_changes_reach_the_run_and_leave_its_preset(tmp_path, name):
    changes = {"loss.beta": 0.3, "loss.terms.gaussian": 1.0, "loss.terms.mse": 0, "train.epochs": 12}
    runs = resolved(tmp_path, with_changes(name, changes))
    run = runs[name]
    assert (run.loss.beta, run.loss.terms.gaussian, run.loss.terms.mse, run.train.epochs) == (0.3, 1.0, 0, 12)
    assert run.model.width == (32 if name == "plain" else 8)
    assert run.preset == (None if name == "plain" else "own")


def test_lists_and_names_reach_it_too(tmp_path):
    changes = {"threshold.scores": ["mahalanobis"], "threshold.aggregation": "mean", "model.skips": True}
    run = resolved(tmp_path, with_changes("own", changes))["own"]
    assert (run.threshold.scores, run.threshold.aggregation, run.model.skips) == (("mahalanobis",), "mean", True)


def test_an_added_run_stands_beside_the_others(tmp_path):
    runs = resolved(tmp_path, added("more", "own", {"data": "photos", "train": {"epochs": 3}}))
    assert runs["more"].preset == "own"
    assert {*runs} == {*BASE["runs"], "more"}


def test_beta_is_lowered_by_as_much_as_it_is_too_high():
    case = tags(run__effective_beta=200.0, run__effective_beta_measured=200.0)
    assert objective.lower_beta(case).changes == {"loss.beta": pytest.approx(1e-3)}


def test_of_a_schedule_the_end_is_lowered(tmp_path):
    case = image(run__effective_beta=40.0, run__effective_beta_measured=40.0)
    beta = {"schedule": "linear", "end": 4.0, "epochs": 5}
    case = case._replace(run=run_of("image", loss={"beta": beta}).model_copy(update={"name": "own"}))
    found = objective.lower_beta(case)
    assert found.changes == {"loss.beta": {"schedule": "linear", "end": pytest.approx(0.1)}}
    changed = resolved(tmp_path, with_changes("own", found.changes))["own"]
    assert (changed.loss.beta.end, changed.loss.beta.schedule) == (0.1, "linear")


def test_of_squared_errors_beta_falls_with_the_error_that_pca_reaches():
    case = image(run__effective_beta=None, run__effective_beta_measured=100.0, test__mse=0.06)
    case = case._replace(run=run_of("image", loss={"terms": {"mse": 1.0}, "beta": 1.0, "reduction": "mean"}))
    assert objective.lower_beta(case).changes == {"loss.beta": pytest.approx(0.1)}  # 1 / 100, errors fall to a tenth
    assert objective.likelihood(case).changes["loss.terms.mse"] == 0


def test_a_learning_rate_is_raised_until_steps_get_somewhere():
    case = tags()._replace(run=run_of("tags", train={"learning_rate": 1e-5}))
    slow = [{**row, "learning_rate": "1e-5"} if row["phase"] == "train" else row for row in case.history]
    found = optimisation.raise_rate(case._replace(history=slow))
    assert found.changes == {"train.learning_rate": 1e-3}
    assert optimisation.raise_rate(tags()) is None


def test_seconds_are_of_the_run_s_own_history():
    values = [40, 38, 36, 34, 32, 30]
    case = tags()._replace(seconds=2.0, history=history(values, values, "distortion"))
    falling = optimisation.more_epochs(case)
    assert falling.record(case)["seconds"] == 2.0 * falling.changes["train.epochs"]
    assert falling.record(case)["epochs"] == falling.changes["train.epochs"]
    assert "seconds" not in falling.record(tags())  # as stage diagnose saves it: the same each time
    assert optimisation.more_epochs(tags()) is None  # the last quarter brought nothing


@pytest.mark.parametrize(
    ("resolved", "pca", "size", "expected"),
    [
        (1.0, 2.0, 32, {"model.init": "pca", "model.output": "linear"}),  # PCA holds half of the 4 cycles in as many
        (0.0, 1.0, 6, {"model.init": "pca", "model.output": "linear", "model.latent_dim": 24}),
        (0.0, 0.0, 4, {"model.latent_dim": 64}),
        (3.0, 3.0, 300, {"model.latent_dim": 512}),
        (0.0, 0.0, 512, None),
    ],
)
def test_latents_grow_with_the_square_of_the_frequency_that_is_missing(resolved, pca, size, expected):
    numbers = {"test__resolved_cycles": resolved, "test__data_cycles": 4.0, "test__floors__pca__resolved_cycles": pca}
    case = image(**numbers)._replace(run=run_of("image", model={"latent_dim": size}), groups={})
    found = capacity.more_latents(case)
    assert (found and found.changes) == expected


def test_a_shift_is_met_by_strips_where_there_are_some_and_by_a_score_that_sees_none_of_it():
    strips = {"threshold__test_normals": 150.0, "threshold__calibration_ks_p": 1e-6}
    assert decision.by_strips(defects(threshold__normal_strips=10.0, **strips)).changes["threshold.relative"] == "strip"
    assert decision.by_strips(defects(threshold__normal_strips=150.0, **strips)) is None
    by_score = {"residual": 1e-9, "mahalanobis": 0.4}
    case = defects(threshold__calibration_ks_p_by_score=by_score, **strips)
    case = case._replace(run=run_of("image", evaluate={"scores": ["residual", "mahalanobis"]}))
    assert decision.steady_score(case).changes == {"threshold.scores": ["mahalanobis"]}
    assert decision.steady_score(case._replace(threshold={**case.threshold, "calibration_ks_p": 0.3})) is None


def test_defects_that_no_baseline_finds_are_no_matter_of_the_score():
    found = defects()._replace(run=run_of("image", threshold={"scores": ["residual"]}))
    rows = [{"score": "pca_residual", "roc_auc_low": "0.45"}]
    assert decision.mahalanobis(found) is not None
    assert decision.mahalanobis(found._replace(tables={"scores": rows})) is None


@pytest.mark.parametrize("effective", [0.3, 0.6, 0.89, 0.91, 1.5])
def test_of_blurred_pictures_that_are_remembered_beta_is_not_lowered_and_raised(effective):
    case = image(run__effective_beta=effective, run__effective_beta_measured=effective)
    lowered, raised = capacity.lower_rate_cost(case), capacity.beta_up(case)
    assert lowered is None or raised is None
    assert lowered is None or effective / 4 > case.run.diagnose.low_beta


def test_what_should_become_calmer_is_the_number_that_was_beyond_its_limit():
    case = tags()
    start = {"epoch": "0", "phase": "val", "loss": "42"}
    rows = [{**row, "loss_max": "80", "learning_rate": "0.08"} if row["phase"] == "train" else row
            for row in case.history]  # fmt: skip
    found = optimisation.lower_rate(case._replace(history=[start, *rows]))
    assert (found.metric, found.direction) == ("overshoot", "lower")
    assert found.least == pytest.approx((80 - 42) / (42 - 25) / 2, rel=0.1)  # half of it, which can be reached


def test_of_a_training_that_stopped_in_its_first_epoch_no_gradient_is_said_to_have_grown():
    case = tags()._replace(failure={"step": 1}, history=())
    assert "gradient" not in optimisation.lower_rate(case).why


def test_the_last_epoch_is_called_the_best_only_where_it_is():
    values = [40, 38, 36, 34, 32, 30]
    best_last = tags()._replace(history=history(values, values, "distortion"))
    assert "last epoch is the best" in optimisation.more_epochs(best_last).why
    assert "go_on" not in optimisation.more_epochs(best_last).why
    kept = best_last._replace(run=run_of("tags", train={"keep_state": True}))
    assert "a new run that starts from it (`starts`, train.go_on: true)" in optimisation.more_epochs(kept).why
    falling, turning = [40, 38, 36, 34, 32, 31, 30, 29], [40, 38, 36, 34, 32, 31, 29, 29.1]
    best_before = tags()._replace(history=history(falling, turning, "distortion"))
    assert "last epoch is the best" not in optimisation.more_epochs(best_before).why


@pytest.mark.parametrize("option", ["conditional", "skips", "attention"])
def test_the_local_model_is_not_prescribed_over_what_it_has_not(option):
    assert decision.local_model(defects()) is not None
    assert decision.local_model(defects()._replace(run=run_of("image", model={option: True}))) is None


def test_what_val_lost_again_is_what_should_fall_where_it_alone_tells():
    case = tags()._replace(history=history([40, 30, 20], [30, 21, 31], "distortion"))
    found = capacity.noise(case)
    assert (found.metric, found.direction, found.least) == ("lost_again", "lower", pytest.approx(0.25))
    assert capacity.noise(tags()).metric == "overfit_share"


def test_a_likelihood_that_raises_beta_is_held_against_the_rate():
    errors = run_of("image", loss={"terms": {"mse": 1.0}, "reduction": "mean"})
    low = image(run__effective_beta_measured=1e-3, run__rate_star_1=30.0)._replace(run=errors)
    assert (objective.likelihood(low).metric, objective.likelihood(low).direction) == ("rate_share", "lower")
    high = image(run__effective_beta_measured=300.0)._replace(run=errors)
    assert objective.likelihood(high).metric == "gain"
