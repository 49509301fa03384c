import json
import math
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from helpers import random_grids, tiny_run, write_grids

from vaelab import storage
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.evaluation.evaluate import Evaluation, evaluate
from vaelab.metrics.nested import ABLATIONS, FLOORS, SAMPLED, flat
from vaelab.metrics.tables import METRICS, TABLES
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE

SIZES = {"train": 24, "val": 8, "test": 8}
FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "macro_f1", "val": 0.1}
ACCURACIES = {"accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1"}
OF_BASELINES = {
    "majority": ACCURACIES | {"extent_accuracy"},
    "frequency": {"distortion", "negative_elbo"},
    "pca": ACCURACIES | {"blank_share", "exact_match", "distortion_at_mean"},
    "patch_pca": ACCURACIES | {"blank_share", "exact_match", "distortion_at_mean"},
}
SETS = {f"{of}_{name}" for of in ("sample", "real") for name in ("precision", "recall", "mmd")} | {
    "sample_reconstruction_precision", "sample_reconstruction_mmd",
}  # fmt: skip
HELD_OUT = {"negative_iw_elbo", "elbo_sampling_error", *SETS}
OF_GRIDS = {
    *HELD_OUT, "distortion_at_mean",
    *TABLES["grid"].shown, *TABLES["grid"].headline, "elbo", "loss", "distortion_cells", "distortion_extent",
    "nats_per_cell",
    "pct_active_units", "aggregate_kl", "aggregate_mean_abs", "aggregate_std", "ks_mean", "ks_max", "extreme_share",
    "max_abs_mean", "min_log_var", "max_log_var", "silhouette", "shuffled_z_distortion", "zero_z_distortion",
}  # fmt: skip


class Files(NamedTuple):
    data: Path
    weights: Path
    info: DataInfo
    model: VAE


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A tiny data set and a tiny model whose batch statistics fit it, otherwise untrained."""
    folder = tmp_path_factory.mktemp("evaluate")
    info, run = write_grids(folder / "data", *SIZES.values()), tiny_run()
    model = build(run.model, info, seed=0)
    model(random_grids(24, 10))
    save_model(folder / "model.safetensors", model.state_dict(), run, info, FACTS)
    return Files(folder / "data", folder / "model.safetensors", info, model.eval())


@pytest.fixture(scope="module")
def found(files: Files) -> Evaluation:
    return evaluate(tiny_run(), files.weights, files.data)


@pytest.mark.parametrize("phase", SIZES)
def test_every_metric_of_the_table_and_every_baseline_is_a_finite_number(found, phase):
    values, recalls = found.metrics[phase], {f"recall_{k}" for k in range(10)}
    assert set(METRICS) >= OF_GRIDS
    own = set(flat({key: value for key, value in values.items() if key not in (FLOORS, SAMPLED)}))
    drawn = {name for name in OF_GRIDS if name.startswith("sampled_")}
    assert own == OF_GRIDS - drawn - (HELD_OUT if phase == "train" else set()) | recalls
    assert {name.removeprefix("sampled_") for name in drawn} < set(values[SAMPLED]) < own
    assert {name: set(reached) for name, reached in values[FLOORS].items()} == OF_BASELINES
    assert set(values[ABLATIONS]) == {"shuffled_z", "zero_z"}
    assert all(math.isfinite(value) for value in flat(values).values())


@pytest.mark.parametrize("phase", SIZES)
def test_the_elbo_is_minus_distortion_minus_rate(found, phase):
    values = found.metrics[phase]
    assert values["elbo"] == -(values["distortion"] + values["rate"]) == -values["negative_elbo"]
    assert values["distortion"] == pytest.approx(values["distortion_cells"] + values["distortion_extent"])
    assert values["loss"] == pytest.approx(values["negative_elbo"], rel=1e-5)  # cross-entropy, extent and beta = 1


@pytest.mark.parametrize("phase", SIZES)
def test_nats_per_cell_times_the_cells_is_the_distortion_of_all(found, files, phase):
    x = torch.from_numpy(found.tensors[f"{phase}_x"])
    nats = found.metrics[phase]["nats_per_cell"] * int((x < 10).sum())
    assert nats == pytest.approx(found.metrics[phase]["distortion_cells"] * len(x))


@pytest.mark.parametrize("phase", SIZES)
def test_latent_measures_agree_with_each_other(found, phase):
    values = found.metrics[phase]
    rows = [row for row in found.dimensions if row["phase"] == phase]
    assert [row["dimension"] for row in rows] == list(range(6))  # of the vector, and of the extent
    assert values["active_units"] == sum(row["active"] for row in rows)
    assert values["pct_active_units"] == pytest.approx(100 / 6 * values["active_units"])
    assert values["rate"] == pytest.approx(sum(row["kl"] for row in rows))
    assert values["rate"] == pytest.approx(values["mutual_information"] + values["aggregate_kl"])
    assert values["snr_max"] == pytest.approx(max(row["snr"] for row in rows))
    assert all(row["active"] == (row["variance_of_mean"] > 0.01) for row in rows)


@pytest.mark.parametrize("phase", SIZES)
def test_there_is_one_row_per_example_and_metrics_are_their_means(found, phase):
    rows = [row for row in found.examples if row["phase"] == phase]
    assert [row["index"] for row in rows] == [row["cluster"] for row in rows] == list(range(SIZES[phase]))
    for name in ("distortion", "rate", "loss", "exact_match", "extent_accuracy"):
        mean = sum(row[name] for row in rows) / len(rows)
        assert found.metrics[phase][name] == pytest.approx(mean, rel=1e-5)


def test_arrays_are_whole_splits_in_their_order(found):
    for phase, size in SIZES.items():
        assert found.tensors[f"{phase}_mean"].shape == found.tensors[f"{phase}_log_var"].shape == (size, 6)
        assert found.tensors[f"{phase}_x"].shape == found.tensors[f"{phase}_reconstruction"].shape == (size, 8, 8)
        assert found.tensors[f"{phase}_ids"].tolist() == list(range(size))
        assert found.tensors[f"{phase}_group"].tolist() == [row % 2 for row in range(size)]
    for method in ("pca", "patch_pca"):
        y, x = found.tensors[f"{method}_reconstruction"], found.tensors["test_x"]
        assert ((y == 10) == (x == 10)).all()  # the extent is known
        right = [float((a == b)[b < 10].mean()) for a, b in zip(y, x, strict=True)]
        assert found.tensors[f"{method}_score"] == pytest.approx(right)
    assert (found.tensors["train_x"] == random_grids(24, 10, seed=0).numpy()).all()


def test_facts_of_the_run(found, files):
    facts = found.metrics["run"]
    assert facts["effective_beta"] == 1
    assert facts["effective_beta_measured"] == pytest.approx(1)
    assert (facts["best_epoch"], facts["selected_by"], facts["latent_dim"]) == (1, "macro_f1", 6)
    assert facts["parameters"] == sum(parameter.numel() for parameter in files.model.parameters())
    assert (facts["bypass"], facts["feature_weights"]) == (False, None)


def test_effective_beta_is_measured_in_nats_of_the_cells(tmp_path, files):
    run = tiny_run(loss={"terms": {"cross_entropy": 0.0, "focal": 2.0}, "class_weights": "inverse", "beta": 0.5})
    save_model(tmp_path / "focal.safetensors", files.model.state_dict(), run, files.info, FACTS)
    found = evaluate(run, tmp_path / "focal.safetensors", files.data).metrics
    losses = found["train"]["loss"] - found["train"]["distortion_extent"] - 0.5 * found["train"]["rate"]
    expected = 0.5 * found["train"]["distortion_cells"] / losses
    assert found["run"]["effective_beta_measured"] == pytest.approx(expected, rel=1e-4)


def test_an_evaluation_repeats_itself(files, found):
    assert evaluate(tiny_run(), files.weights, files.data).metrics == found.metrics


def test_the_batch_size_changes_nothing(files, found):
    other = evaluate(tiny_run(evaluate={"batch_size": 23}), files.weights, files.data).metrics
    for phase in SIZES:
        assert flat(other[phase]) == pytest.approx(flat(found.metrics[phase]), rel=1e-5)


def test_of_a_decoder_that_ignores_z_nothing_depends_on_z(tmp_path, files):
    state = {name: tensor.clone() for name, tensor in files.model.state_dict().items()}
    state["decoder.last.weight"].zero_()
    state["decoder.extent.log_sharpness"].fill_(-100)
    save_model(tmp_path / "blind.safetensors", state, tiny_run(), files.info, FACTS)
    for phase, values in evaluate(tiny_run(), tmp_path / "blind.safetensors", files.data).metrics.items():
        for ablation in ("shuffled_z", "zero_z") if phase != "run" else ():
            reached = values[ABLATIONS][ablation]
            assert reached["accuracy"] == values["accuracy"]
            assert reached["distortion"] == pytest.approx(values["distortion"], rel=1e-6)


def test_of_a_model_that_uses_z_another_z_changes_the_distortion(found):
    for phase in SIZES:
        values = found.metrics[phase]
        for ablation in ("shuffled_z", "zero_z"):
            assert values[ABLATIONS][ablation]["distortion"] != pytest.approx(values["distortion"], rel=1e-4)


def test_zero_z_is_one_reconstruction_for_all(found, files):
    decoded = files.model.decode(torch.zeros(1, 6)).reconstruction.argmax(1)
    x = torch.from_numpy(found.tensors["val_x"])
    right = (decoded == x)[x < 10].double().mean()
    assert found.metrics["val"][ABLATIONS]["zero_z"]["accuracy"] == pytest.approx(float(right))


def test_what_is_undefined_is_nan_and_null_in_json(tmp_path, files):
    write_grids(tmp_path / "data", n_train=24, n_val=1, n_test=0)
    found = evaluate(tiny_run(), files.weights, tmp_path / "data")
    assert set(found.metrics) == {"train", "val", "run"}
    occurs = {int(k) for k in found.tensors["val_x"].flatten() if k < 10}
    assert occurs != set(range(10))
    storage.write_json(tmp_path / "metrics.json", found.metrics)
    val = json.loads((tmp_path / "metrics.json").read_text())["val"]
    for k in range(10):
        assert math.isnan(found.metrics["val"][f"recall_{k}"]) is (k not in occurs)
        assert (val[f"recall_{k}"] is None) is (k not in occurs)


def test_missing_files_are_named(tmp_path, files):
    with pytest.raises(InputError, match=r"none\.safetensors: no such file"):
        evaluate(tiny_run(), tmp_path / "none.safetensors", files.data)
    with pytest.raises(InputError, match=r"meta\.json: no such file"):
        evaluate(tiny_run(), files.weights, tmp_path)
