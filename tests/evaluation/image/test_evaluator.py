"""A tiny image model on tiny data: every number is finite, has a name, and equals what is worked out apart from it."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from helpers import GROUPS, random_images, tiny_run, unit, write_images
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vaelab.data.format.batches import generator
from vaelab.data.format.info import image_info
from vaelab.evaluation.evaluate import Evaluation, evaluate
from vaelab.evaluation.image import evaluator
from vaelab.evaluation.image.baselines import CONSTANT, fit_baselines, principal
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.measures.latents import others
from vaelab.metrics.nested import ABLATIONS, FLOORS, REFERENCE, SAMPLED, flat
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import METRICS, TABLES, better
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.schema import Run

SIZES = {"train": 24, "val": 8, "test": 8}
FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 20.0}
SAMPLES = {
    "sample_precision",
    "sample_recall",
    "sample_mmd",
    "sample_diversity_ratio",
    "real_precision",
    "real_recall",
    "real_mmd",
    "sample_reconstruction_precision",
    "sample_reconstruction_mmd",
}
ABLATED = {f"{how}_z_{measure}" for how in ("shuffled", "zero") for measure in ("psnr", "distortion")}
HELD_OUT_BOUNDS = {"negative_iw_elbo", "elbo_sampling_error"}
BESIDE = {"interpolation_evenness", "interpolation_directness"}  # not of train, like ablations and baselines
COMMON = {
    "loss", "elbo", "negative_elbo", "elbo_standard_error", "distortion", "distortion_at_mean",
    "bits_per_dim", "rate", "mse", "mae", "psnr", "psnr_std", "psnr_p05",
    "psnr_min", "ssim", "ssim_std", "ssim_p05", "ssim_min", "ms_ssim", "edge_f1", "sharpness_ratio",
    "sharpness_ratio_median", "spectrum_error", "spectrum_error_low", "spectrum_error_mid", "spectrum_error_high",
    "worst_group", "worst_group_psnr", "psnr_group_gap", "active_units", "pct_active_units", "snr_max",
    "effective_dimensions",
    "mutual_information", "aggregate_kl", "aggregate_mean_abs", "aggregate_std", "ks_mean", "ks_max", "extreme_share",
    "min_log_var", "max_log_var", "max_abs_mean", "silhouette", "diversity_ratio",
    "explained_variance", "resolved_cycles", "data_cycles",
}  # fmt: skip
OF_GROUPS = {f"{name}_group_{group}" for name in ("psnr", "ssim", "sharpness_ratio") for group in GROUPS}
TEXT = {"text_mse", "text_psnr", "text_ssim", "text_edge_f1", "ink_mse"}


class Case(NamedTuple):
    """A data set, a model whose batch statistics fit it, otherwise untrained, and what evaluation makes of the two."""

    data: Path
    weights: Path
    run: Run
    model: VAE
    found: Evaluation


MODELS = {
    "vector": {"latent_dim": 4},
    "map": {"latent": "map", "latent_channels": 2, "conditional": True, "learned_sigma": True},
    "documents": {"skips": True},
}
EXPECTED = {"vector": set(), "map": {"delta_e"}, "documents": TEXT}
BASELINES_OF = {
    "vector": ["mean_image", "pca"],
    "map": ["mean_image", "pca", "patch_pca"],
    "documents": ["mean_image", "pca", "white_page"],
}


def build_case(folder: Path, name: str, **blocks: dict) -> Case:
    channels = 3 if name == "map" else 1
    info = write_images(folder / "data", *SIZES.values(), channels=channels, text=name == "documents")
    run = tiny_run(kind="image", **{"model": MODELS[name], "evaluate": {"ocr": False}, **blocks})
    model = build(run.model, info, seed=0)
    model(unit(random_images(24, channels)), group=torch.arange(24) % 2)
    save_model(folder / "model.safetensors", model.state_dict(), run, info, FACTS)
    found = evaluate(run, folder / "model.safetensors", folder / "data")
    return Case(folder / "data", folder / "model.safetensors", run, model.eval(), found)


@pytest.fixture(scope="module", params=MODELS)
def case(request, tmp_path_factory) -> tuple[str, Case]:
    return request.param, build_case(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def vector(tmp_path_factory) -> Case:
    return build_case(tmp_path_factory.mktemp("alone"), "vector")


def images(phase: str, channels: int = 1) -> torch.Tensor:
    return random_images(SIZES[phase], channels, seed=list(SIZES).index(phase))


def decoded(case: Case, phase: str, channels: int) -> torch.Tensor:
    """What the model makes of a split, in [0, 1]."""
    with torch.no_grad():
        group = torch.arange(SIZES[phase]) % 2
        return case.model(unit(images(phase, channels)), group=group).reconstruction


@pytest.mark.parametrize("phase", SIZES)
def test_every_metric_is_finite_and_has_a_name(case, phase):
    name, (_, _, _, _, found) = case
    values = found.metrics[phase]
    own = set(flat({key: value for key, value in values.items() if key not in (FLOORS, REFERENCE, SAMPLED)}))
    own -= {"perceptual"}  # where VGG16's weights are there
    expected = COMMON | ABLATED | OF_GROUPS | EXPECTED[name]
    expected |= set() if phase == "train" else BESIDE | HELD_OUT_BOUNDS
    expected |= SAMPLES if phase == "test" else set()
    assert own == expected
    assert own - OF_GROUPS <= set(METRICS)
    assert all(better(key) in ("higher", "lower", "none") for key in own)
    assert all(math.isfinite(value) for value in flat(values).values())
    assert set(TABLES["image"].headline) <= own


@pytest.mark.parametrize("phase", SIZES)
def test_baselines_stand_beside_with_the_same_measures(case, phase):
    name, (_, _, _, _, found) = case
    if phase == "train":
        measured = {"mse", "mae", "psnr"}  # the others cost more, of the largest split
    else:
        measured = set(found.examples[0]) - {"phase", "index", "group", "cluster", "rate", "loss"}
    assert measured <= set(METRICS)
    baselines = found.metrics[phase][FLOORS]
    nats = {method: {"distortion" if method in CONSTANT else "distortion_at_mean"} for method in BASELINES_OF[name]}
    assert {method: set(reached) for method, reached in baselines.items()} == {
        method: measured | names | ({"resolved_cycles"} if method == "pca" else set()) for method, names in nats.items()
    }
    if phase == "train":
        return
    assert {method: set(reached) for method, reached in found.metrics[phase][REFERENCE].items()} == {"blur": measured}
    assert set(found.metrics[phase][SAMPLED]) == measured
    assert set(BASELINES_OF[name]) <= set(BASELINES["image"])
    assert found.metrics["run"]["floors"] == ", ".join(BASELINES_OF[name])


def test_baselines_are_those_of_the_training_split(case):
    name, (_, _, _, model, found) = case
    channels = 3 if name == "map" else 1
    train, cell = images("train", channels), 4 if name == "map" else None
    fitted = principal(train, model.latent_dim, seed=0)
    baselines = fit_baselines(train, fitted, model.latent_dim, cell, name == "documents", seed=0)
    x, reached = unit(images("test", channels)), found.metrics["test"][FLOORS]
    for method, function in baselines.items():
        for metric, values in image_metrics(x, function(x)).items():
            if metric in ("psnr", "mse", "ssim"):
                assert reached[method][metric] == pytest.approx(values.mean().item(), rel=1e-4)
    mean = unit(images("train", channels)).mean(0)
    assert reached["mean_image"]["mse"] == pytest.approx((x - mean).square().mean().item(), rel=1e-5)


@pytest.mark.parametrize("phase", SIZES)
def test_measures_are_those_of_scikit_image(case, phase):
    name, inputs = case
    channels = 3 if name == "map" else 1
    x, y = (
        t.double().movedim(1, -1).numpy() for t in (unit(images(phase, channels)), decoded(inputs, phase, channels))
    )
    psnr = [peak_signal_noise_ratio(one, other, data_range=1) for one, other in zip(x, y, strict=True)]
    ssim = [
        structural_similarity(
            one, other, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
        )
        for one, other in zip(x, y, strict=True)
    ]
    values = inputs.found.metrics[phase]
    assert values["psnr"] == pytest.approx(np.mean(psnr), rel=1e-4)
    assert values["ssim"] == pytest.approx(np.mean(ssim), abs=1e-4)
    assert values["mse"] == pytest.approx(((x - y) ** 2).mean(), rel=1e-4)
    for number, group in enumerate(GROUPS):
        assert values[f"psnr_group_{group}"] == pytest.approx(np.mean(psnr[number::2]), rel=1e-4)


def drawn(case: Case, phase: str, channels: int) -> list[torch.Tensor]:
    """What the model makes of each drawn z: with the image itself where it reaches the decoder past z."""
    group, shape = torch.arange(SIZES[phase]) % 2, (SIZES[phase], case.model.latent_dim)
    count = 1 if phase == "train" else case.run.evaluate.z_samples
    noises = [torch.randn(shape, generator=generator(0, number, stream=40)) for number in range(count)]
    with torch.no_grad():
        return [case.model(unit(images(phase, channels)), noise, group).reconstruction for noise in noises]


@pytest.mark.parametrize("phase", SIZES)
def test_the_elbo_is_of_one_gaussian_for_the_whole_split_and_all_that_is_drawn(case, phase):
    name, inputs = case
    channels = 3 if name == "map" else 1
    values = inputs.found.metrics[phase]
    x = unit(images(phase, channels)).double()
    y = torch.stack(drawn(inputs, phase, channels)).double()
    sigma = (x - y).square().mean().sqrt()
    density = torch.distributions.Normal(y, sigma).log_prob(x).flatten(2).sum(2)
    assert values["distortion"] == pytest.approx(-density.mean().item(), rel=1e-5)
    error = density.mean(0).std() / len(x) ** 0.5
    rows = [row for row in inputs.found.examples if row["phase"] == phase]
    of_rows = -density.mean(0) + torch.tensor([row["rate"] for row in rows])
    assert values["elbo_standard_error"] == pytest.approx(float(of_rows.std() / len(x) ** 0.5), rel=1e-4)
    assert error > 0
    at_mean = decoded(inputs, phase, channels).double()
    sigma = (x - at_mean).square().mean().sqrt()
    density = torch.distributions.Normal(at_mean, sigma).log_prob(x).flatten(1).sum(1)
    assert values["distortion_at_mean"] == pytest.approx(-density.mean().item(), rel=1e-5)
    assert values["elbo"] == -values["negative_elbo"]
    assert values["negative_elbo"] == pytest.approx(values["distortion"] + values["rate"])
    per_value = values["negative_elbo"] / x[0].numel() / math.log(2) + 8  # of 256 steps, not of [0, 1]
    assert values["bits_per_dim"] == pytest.approx(per_value)


@pytest.mark.parametrize("phase", ["val", "test"])
def test_measures_with_one_drawn_z_stand_beside(case, phase):
    name, inputs = case
    channels = 3 if name == "map" else 1
    x, y = unit(images(phase, channels)), drawn(inputs, phase, channels)[0]
    found = inputs.found.metrics[phase][SAMPLED]
    for metric, values in image_metrics(x, y.clamp(0, 1)).items():
        if metric in ("psnr", "mse", "ssim"):
            assert found[metric] == pytest.approx(values.mean().item(), rel=1e-4)
    assert found["mse"] != inputs.found.metrics[phase]["mse"]


@pytest.mark.parametrize("phase", SIZES)
def test_there_is_one_row_per_example_and_metrics_are_their_means(case, phase):
    _, (_, _, _, _, found) = case
    rows = [row for row in found.examples if row["phase"] == phase]
    assert [row["index"] for row in rows] == list(range(SIZES[phase]))
    assert [row["group"] for row in rows] == [row % 2 for row in range(SIZES[phase])]
    for name in ("psnr", "ssim", "mse", "edge_f1", "rate", "loss"):
        mean = sum(row[name] for row in rows) / len(rows)
        assert found.metrics[phase][name] == pytest.approx(mean, rel=1e-5)
    assert found.metrics[phase]["psnr_min"] == pytest.approx(min(row["psnr"] for row in rows))


def test_latent_measures_agree_with_each_other(case):
    _, (_, _, _, model, found) = case
    for phase in SIZES:
        rows = [row for row in found.dimensions if row["phase"] == phase]
        assert len(rows) == model.latent_dim
        assert set(rows[0]) == {
            "phase", "dimension", "kl", "variance_of_mean", "snr", "aggregate_mean", "aggregate_std", "ks", "active",
        }  # fmt: skip
        assert found.metrics[phase]["rate"] == pytest.approx(sum(row["kl"] for row in rows), rel=1e-5)
        assert found.metrics[phase]["ks_max"] == max(row["ks"] for row in rows)


def test_arrays_are_whole_splits_in_their_order(case):
    name, inputs = case
    channels = 3 if name == "map" else 1
    for phase, size in SIZES.items():
        arrays = {key.removeprefix(f"{phase}_"): value for key, value in inputs.found.tensors.items()}
        assert arrays["ids"].tolist() == list(range(size))
        assert (arrays["x"] == images(phase, channels).numpy()).all()
        assert arrays["reconstruction"].dtype == np.uint8
        expected = decoded(inputs, phase, channels).numpy() * 255
        assert np.abs(arrays["reconstruction"] - expected).max() < 1
        assert arrays["mean"].shape == arrays["log_var"].shape == (size, inputs.model.latent_dim)
    assert inputs.found.tensors["samples"].shape == (8, channels, 16, 16)
    assert inputs.found.tensors["samples"].dtype == np.uint8


def test_ablations_decode_another_z_with_the_groups_and_skips_of_the_examples(case):
    name, inputs = case
    x, group = unit(images("test", 3 if name == "map" else 1)), torch.arange(8) % 2
    mean, model = torch.from_numpy(inputs.found.tensors["test_mean"]), inputs.model
    other = mean[others(8, 0, group if name == "map" else None)]
    maps = {"maps": model.encoder.features(x, group)[:0:-1]} if name == "documents" else {}
    for how, z in {"shuffled_z": other, "zero_z": torch.zeros_like(mean)}.items():
        with torch.no_grad():
            y = model.decoder(z, group, **maps).reconstruction
        psnr = (x - y).square().mean((1, 2, 3)).log10().mul(-10).mean().item()
        assert inputs.found.metrics["test"][ABLATIONS][how]["psnr"] == pytest.approx(psnr, rel=1e-6)


def test_of_a_decoder_that_ignores_z_nothing_depends_on_z(tmp_path, vector):
    state = {name: tensor.clone() for name, tensor in vector.model.state_dict().items()}
    state["decoder.stem.0.weight"].zero_()
    info = write_images(tmp_path / "data", *SIZES.values())
    save_model(tmp_path / "blind.safetensors", state, vector.run, info, FACTS)
    metrics = evaluate(vector.run, tmp_path / "blind.safetensors", vector.data).metrics
    for phase in ("val", "test"):
        for ablation in ("shuffled_z", "zero_z"):
            assert metrics[phase][ABLATIONS][ablation]["psnr"] == pytest.approx(metrics[phase]["psnr"], rel=1e-6)
        assert metrics[phase]["diversity_ratio"] == 0
        assert math.isnan(metrics[phase]["interpolation_evenness"])


def test_facts_of_the_run(case):
    name, (_, _, _, model, found) = case
    facts = found.metrics["run"]
    assert facts["effective_beta"] == facts["effective_beta_measured"] == 1
    assert facts["implied_sigma"] is facts["feature_weights"] is None
    assert (facts["best_epoch"], facts["selected_by"], facts["latent_dim"]) == (1, "psnr", model.latent_dim)
    assert facts["bypass"] is (name == "documents")
    assert facts["parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_the_effective_beta_of_errors_is_measured_on_training(tmp_path):
    loss = {"terms": {"gaussian": 0.0, "mse": 4.0, "perceptual": 0.1}, "reduction": "mean", "beta": 0.001}
    found = build_case(
        tmp_path, "vector", loss=loss | {"perceptual_weights": "random", "perceptual_layers": ["relu1_2"]}
    ).found
    facts = found.metrics["run"]
    assert facts["effective_beta"] is None
    mse = 1 / (2 * math.pi * math.e) * math.exp(2 * found.metrics["train"]["distortion"] / 256)  # of drawn z
    assert facts["effective_beta_measured"] == pytest.approx(0.001 * 256 / (4 * 2 * mse), rel=1e-5)
    assert mse > found.metrics["train"]["mse"]
    assert facts["implied_sigma"] == pytest.approx((0.001 * 256 / 8) ** 0.5)
    assert facts["feature_weights"].startswith("perceptual: ")
    assert "random" in facts["feature_weights"]
    assert all(found.metrics[phase]["perceptual"] > 0 for phase in SIZES)


def test_total_correlation_is_of_the_examples_of_the_training_split(tmp_path):
    terms = {"terms": {"gaussian": 1.0, "total_correlation": 3.0}, "sigma": 0.3}
    _, _, run, model, found = build_case(tmp_path, "vector", loss=terms, evaluate={"ocr": False, "batch_size": 64})
    objective = Objective(run.loss, image_info(1, 16, GROUPS), SIZES["train"])
    for phase in SIZES:
        x = unit(images(phase))
        count, shape = (1 if phase == "train" else run.evaluate.z_samples), (len(x), model.latent_dim)
        noises = [torch.randn(shape, generator=generator(0, number, stream=40)) for number in range(count)]
        with torch.no_grad():
            expected = sum(objective(x, model(x, noise), 1).total.mean().item() for noise in noises) / count
        assert found.metrics[phase]["loss"] == pytest.approx(expected, rel=1e-5)


def test_an_evaluation_repeats_itself(case):
    _, inputs = case
    assert evaluate(inputs.run, inputs.weights, inputs.data).metrics == inputs.found.metrics


def test_the_batch_size_changes_nothing_but_the_loss_under_the_best_sigma_of_a_batch(vector):
    run = tiny_run(kind="image", model=MODELS["vector"], evaluate={"batch_size": 7, "ocr": False})
    metrics = evaluate(run, vector.weights, vector.data).metrics
    for phase in SIZES:
        found, expected = flat(metrics[phase]), flat(vector.found.metrics[phase])
        assert found.pop("loss") == pytest.approx(expected.pop("loss"), rel=0.1)
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("prior", ["normal", "mixture"])
def test_samples_come_from_the_prior_that_was_asked_for(tmp_path, vector, prior):
    options = {"prior": prior, "mixture_components": 2, "samples": 300, "ocr": False}
    run = tiny_run(kind="image", model=MODELS["vector"], evaluate=options)
    found = evaluate(run, vector.weights, vector.data)
    assert len(found.tensors["samples"]) == evaluator.SAVED_SAMPLES == 256
    assert all(math.isfinite(found.metrics["test"][name]) for name in SAMPLES)
    same = np.array_equal(found.tensors["samples"][:8], vector.found.tensors["samples"])
    assert same is (prior == "normal")


def test_where_there_is_no_test_split_val_is_the_final_one(tmp_path, vector):
    write_images(tmp_path / "data", 24, 8, 0)
    found = evaluate(vector.run, vector.weights, tmp_path / "data")
    assert set(found.metrics) == {"train", "val", "run"}
    assert set(flat(found.metrics["val"])) >= SAMPLES | ABLATED | BESIDE
    assert len(found.tensors["samples"]) == 8


def test_what_pca_makes_of_the_kept_images_is_saved_with_its_psnr(case):
    name, (_, _, _, _, found) = case
    arrays, methods = found.tensors, [method for method in BASELINES_OF[name] if method not in CONSTANT]
    assert {f"{method}_reconstruction" for method in methods} == {
        key for key in arrays if key.endswith("_reconstruction") and key.split("_")[0] not in SIZES
    }
    for method in methods:
        y, score = arrays[f"{method}_reconstruction"], arrays[f"{method}_score"]
        assert (y.shape, y.dtype) == (arrays["test_x"].shape, np.uint8)
        of_bytes = [peak_signal_noise_ratio(*pair) for pair in zip(arrays["test_x"], y, strict=True)]
        assert score == pytest.approx(of_bytes, abs=0.05)  # bytes are rounded
        assert score.mean() == pytest.approx(found.metrics["test"][FLOORS][method]["psnr"], rel=1e-5)


def test_few_reconstructions_are_kept_evenly_spread(monkeypatch, vector):
    monkeypatch.setattr(evaluator, "KEPT", 3)
    found = evaluate(vector.run, vector.weights, vector.data)
    for phase, size in SIZES.items():
        ids = found.tensors[f"{phase}_ids"].tolist()
        assert (len(ids), ids[0], ids[-1]) == (3, 0, size - 1)
        for name in ("x", "reconstruction"):
            whole = vector.found.tensors[f"{phase}_{name}"]
            assert (found.tensors[f"{phase}_{name}"] == whole[ids]).all()
        assert len(found.tensors[f"{phase}_mean"]) == size
        assert found.metrics[phase]["psnr"] == vector.found.metrics[phase]["psnr"]
    assert len(found.examples) == sum(SIZES.values())


@pytest.fixture
def documents(tmp_path):
    """Documents, one page per split, four patches to a row."""
    return build_case(tmp_path, "documents")


def test_pages_are_read_and_all_their_patches_kept(monkeypatch, documents):
    read = []

    def page_errors(originals, reconstructions, limit):
        read.append((originals, reconstructions, limit))
        return {"ocr_cer": 0.25, "ocr_pages": float(len(originals))}

    monkeypatch.setattr(evaluator, "KEPT", 3)
    monkeypatch.setattr(evaluator.ocr, "missing", lambda: None)
    monkeypatch.setattr(evaluator.ocr, "page_errors", page_errors)
    run = tiny_run(kind="image", model=MODELS["documents"], evaluate={"ocr": True, "ocr_pages": 5})
    found = evaluate(run, documents.weights, documents.data)
    for phase in ("val", "test"):
        assert found.tensors[f"{phase}_ids"].tolist() == list(range(8))
        assert (found.metrics[phase]["ocr_cer"], found.metrics[phase]["ocr_pages"]) == (0.25, 1.0)
        assert {"pca", "white_page"} <= {name for name, of in found.metrics[phase][FLOORS].items() if "ocr_cer" in of}
        assert "ocr_cer" in found.metrics[phase][REFERENCE]["blur"]
    assert found.tensors["train_ids"].tolist() == [0, 12, 23]
    assert "ocr_cer" not in found.metrics["train"]
    assert len(read) == 2 * 4
    originals, reconstructions, limit = read[0]
    assert limit == 5
    x = images("val")[:, 0]
    whole = torch.cat([torch.cat(list(row), 1) for row in x.split(4)])  # four patches to a row
    assert (originals[0] == whole.numpy()).all()
    y = torch.from_numpy(found.tensors["val_reconstruction"])[:, 0]
    assert (reconstructions[0] == torch.cat([torch.cat(list(row), 1) for row in y.split(4)]).numpy()).all()


@pytest.mark.parametrize("options", [{"ocr": False}, {"ocr": True, "ocr_pages": 0}], ids=str)
def test_pages_are_not_read_where_nobody_asks(monkeypatch, capsys, documents, options):
    monkeypatch.setattr(evaluator.ocr, "missing", lambda: pytest.fail("asked for Tesseract"))
    run = tiny_run(kind="image", model=MODELS["documents"], evaluate=options)
    found = evaluate(run, documents.weights, documents.data)
    assert not any("ocr" in name for name in flat(found.metrics["test"]))
    assert capsys.readouterr().err == ""


def test_without_tesseract_character_errors_are_left_out_with_a_note(monkeypatch, capsys, documents):
    monkeypatch.setattr(evaluator.ocr, "missing", lambda: "no Tesseract is here")
    run = tiny_run(kind="image", model=MODELS["documents"], evaluate={"ocr": True})
    found = evaluate(run, documents.weights, documents.data)
    assert not any("ocr" in name for name in flat(found.metrics["test"]))
    assert capsys.readouterr().err.count("note: no Tesseract is here: no character error rates") == 1


def test_images_that_are_no_documents_are_not_read(monkeypatch, capsys, vector):
    monkeypatch.setattr(evaluator.ocr, "missing", lambda: pytest.fail("asked for Tesseract"))
    evaluate(tiny_run(kind="image", evaluate={"ocr": True}), vector.weights, vector.data)
    assert capsys.readouterr().err == ""
