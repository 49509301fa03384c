"""The evaluation of tags end to end, with either likelihood, against scikit-learn and torch.distributions."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from helpers import random_tags, tag_info, tiny_run, write_tags
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    jaccard_score,
    label_ranking_average_precision_score,
    ndcg_score,
    silhouette_score,
)
from torch import Tensor

from vaelab.data.format.batches import Batch, generator
from vaelab.data.format.info import tags_info
from vaelab.data.format.prepared import write
from vaelab.evaluation.evaluate import Evaluation, evaluate
from vaelab.evaluation.tags import average_precision, evaluator
from vaelab.evaluation.tags.generation import NAMES
from vaelab.measures.kinds import MEASURES
from vaelab.measures.tags import batch as tags
from vaelab.measures.tags.reconstruction import AT_THRESHOLD, THRESHOLDS
from vaelab.metrics.nested import ABLATIONS, FLOORS, HELD_OUT, SAMPLE_FLOORS, SAMPLED, flat
from vaelab.metrics.tables import TABLES, metric
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE, Inference
from vaelab.objective.objective import Objective
from vaelab.params.schema import Run

SIZES = {"train": 48, "val": 24, "test": 24}
TAGS, LATENT = 12, 4
FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "lrap", "val": 0.5}
OPTIONS = {"threshold": 0.4, "top_k": [2, 5], "tag_samples": 500}
MODELS = {
    "bernoulli": {"loss": {"terms": {"bce": 1.0}, "beta": 0.5}},
    "multinomial": {"model": {"output": "softmax"}, "loss": {"terms": {"bce": 0.0, "multinomial": 2.0}, "beta": 0.5}},
}
X = {phase: random_tags(n, seed=i) for i, (phase, n) in enumerate(SIZES.items())}


class Case(NamedTuple):
    """A data set, a model that has learnt something of it, and what evaluation makes of the two."""

    data: Path
    weights: Path
    run: Run
    model: VAE
    found: Evaluation

    def again(self, data: Path | None = None, **options: object) -> Evaluation:
        run = self.run.model_copy(update={"evaluate": self.run.evaluate.model_copy(update=options)})
        return evaluate(run, self.weights, data or self.data)


def build_case(folder: Path, name: str) -> Case:
    info = write_tags(folder / "data", *SIZES.values())
    run = tiny_run(kind="tags", **{"evaluate": OPTIONS, **MODELS[name]})
    model = build(run.model, info, seed=0)
    train(model, Objective(run.loss, info))
    save_model(folder / "model.safetensors", model.state_dict(), run, info, FACTS)
    found = evaluate(run, folder / "model.safetensors", folder / "data")
    return Case(folder / "data", folder / "model.safetensors", run, model.eval(), found)


def train(model: VAE, objective: Objective) -> None:
    optimizer, x = torch.optim.Adam(model.parameters(), 0.02), X["train"].float()
    for step in range(100):
        noise = torch.randn((len(x), LATENT), generator=generator(0, step))
        optimizer.zero_grad()
        objective(x, model(x, noise), 1.0).total.mean().backward()
        optimizer.step()


@pytest.fixture(scope="module", params=MODELS)
def case(request, tmp_path_factory) -> tuple[str, Case]:
    return request.param, build_case(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def bernoulli(tmp_path_factory) -> Case:
    return build_case(tmp_path_factory.mktemp("alone"), "bernoulli")


@torch.no_grad()
def inference(case: Case, phase: str) -> Inference:
    return case.model(X[phase].float())


KS = {f"{name}_at_{k}" for name in ("recall", "ndcg") for k in (2, 5, 10)}  # 10: of history.csv
BEST = {f"{which}_{name}" for which in ("best", "grouped") for name in AT_THRESHOLD}
HELD_OUT_GROUPS = ("completion", "rows that training has not seen")
ABLATED = {f"{how}_z_{what}" for how in ("shuffled", "zero") for what in ("lrap", "distortion")}
HELD_OUT_BOUNDS = {"negative_iw_elbo", "elbo_sampling_error"}
RANKED = ("lrap", "average_precision", "average_precision_macro")
SHOWN = {name for name in TABLES["tags"].shown if "_at_" not in name and metric(name).group not in HELD_OUT_GROUPS}
OWN = {
    *SHOWN,
    *HELD_OUT_BOUNDS, "distortion_at_mean",
    *AT_THRESHOLD, *KS, *BEST, *ABLATED, *NAMES, "elbo",
    "loss", "distortion", "mutual_information", "aggregate_kl", "aggregate_mean_abs", "aggregate_std", "ks_mean",
    "ks_max", "extreme_share", "min_log_var", "max_log_var", "max_abs_mean", "generated_samples",
}  # fmt: skip
COMPLETED = {
    *(f"completion_{name}" for name in (*KS, "gain_over_ease", "gain_over_ease_error", "rows", "left_out")),
    "unseen_rows", "seen_share",
}  # fmt: skip


@pytest.mark.parametrize("phase", SIZES)
def test_every_metric_is_finite_and_has_a_name(case, phase):
    values = case[1].found.metrics[phase]
    beside = {key: values[key] for key in (FLOORS, SAMPLE_FLOORS)}
    own = {key for key in set(flat(values)) - set(flat(beside)) if not key.startswith(HELD_OUT)}
    drawn = {key for key in own if key.startswith("sampled_")}
    measured = {*RANKED, *AT_THRESHOLD, *KS, *BEST, "predicted_tags"}
    assert drawn == {f"sampled_{key}" for key in measured}
    new = {key for key in own - COMPLETED if key.startswith("unseen_")}
    of_train = phase == "train"
    assert own - drawn - new == (OWN - drawn - HELD_OUT_BOUNDS if of_train else OWN - drawn | COMPLETED)
    ranked = {*measured, *(COMPLETED - {"unseen_rows", "seen_share"}), *drawn, "rate", "distortion", "bce"}
    assert {f"unseen_{key}" for key in ranked} <= new or of_train
    assert {key for key in values if key.startswith(HELD_OUT)} == {HELD_OUT + name for name in NAMES}
    assert all(metric(key).full_title for key in own)
    assert all(math.isfinite(value) for value in flat(values).values())
    assert set(TABLES["tags"].headline) <= own


@pytest.mark.parametrize("phase", SIZES)
def test_measures_are_those_of_scikit_learn(case, phase):
    values = case[1].found.metrics[phase]
    true, logits = X[phase].numpy(), inference(case[1], phase).reconstruction.numpy()
    tagged = true.any(1)
    guess = 1 / (1 + np.exp(-logits)) >= OPTIONS["threshold"]
    expected = {
        "hamming_loss": (true != guess).mean(),
        "jaccard_index": jaccard_score(true, guess, average="samples", zero_division=1),
        "f1_micro": f1_score(true, guess, average="micro"),
        "f1_macro": f1_score(true, guess, average="macro", zero_division=np.nan),
        "exact_match": (true == guess).all(1).mean(),
        "predicted_tags": guess.sum(1).mean(),
        "true_tags": true.sum(1).mean(),
        "lrap": label_ranking_average_precision_score(true, logits),
        "ndcg_at_5": ndcg_score(true[tagged], logits[tagged], k=5),
        "average_precision": average_precision_score(true, logits, average="micro"),
        "average_precision_macro": average_precision_score(true, logits, average="macro"),
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("phase", SIZES)
def test_the_best_threshold_is_that_of_val(case, phase):
    values = case[1].found.metrics[phase]
    probability = {name: inference(case[1], name).reconstruction.sigmoid().numpy() for name in SIZES}
    of_val = {t: f1_score(X["val"], probability["val"] >= t, average="micro") for t in THRESHOLDS}
    best = values["best_threshold"]
    assert of_val[best] == pytest.approx(max(of_val.values()))
    guess = probability[phase] >= best
    assert values["best_f1_micro"] == pytest.approx(f1_score(X[phase], guess, average="micro"))
    jaccard = jaccard_score(X[phase], guess, average="samples", zero_division=1)
    assert values["best_jaccard_index"] == pytest.approx(jaccard, rel=1e-6)
    assert values["best_hamming_loss"] == pytest.approx((X[phase].numpy() != guess).mean())


def test_neither_train_nor_test_has_a_part_in_the_best_threshold(bernoulli, tmp_path):
    frequent = torch.arange(TAGS) == X["train"].sum(0).argmax()
    rows = X | {"val": frequent.byte().repeat(SIZES["val"], 1)}  # one tag, and no other
    splits = {phase: {"x": x.numpy(), "group": np.zeros(len(x), np.uint8)} for phase, x in rows.items()}
    write(tmp_path / "data", tag_info(X["train"]), splits, {})
    with torch.no_grad():
        probability = bernoulli.model(rows["val"].float()).reconstruction.sigmoid().numpy()
    of_val = {t: f1_score(rows["val"], probability >= t, average="micro") for t in THRESHOLDS}
    metrics = bernoulli.again(tmp_path / "data").metrics
    for phase in SIZES:
        values, before = metrics[phase], bernoulli.found.metrics[phase]
        assert of_val[values["best_threshold"]] == pytest.approx(max(of_val.values()))
        assert values["best_threshold"] != before["best_threshold"]
        frequency, frequency_before = values[FLOORS]["frequency"], before[FLOORS]["frequency"]
        assert frequency["best_threshold"] != frequency_before["best_threshold"]


def test_threshold_and_lengths_are_those_of_the_evaluation_and_not_of_the_training(bernoulli):
    values = bernoulli.again(threshold=0.3, top_k=(3,)).metrics["test"]
    guess = inference(bernoulli, "test").reconstruction.sigmoid().numpy() >= 0.3
    assert values["f1_micro"] == pytest.approx(f1_score(X["test"], guess, average="micro"))
    assert values["f1_micro"] != bernoulli.found.metrics["test"]["f1_micro"]
    assert {key for key in values if key.startswith("recall_at")} == {"recall_at_3", "recall_at_10"}


@pytest.mark.parametrize("phase", SIZES)
def test_nats_are_those_of_the_run_s_likelihood(case, phase):
    name, inputs = case
    values, x = inputs.found.metrics[phase], X[phase].double()
    draws = 1 if phase == "train" else inputs.run.evaluate.z_samples
    noises = [torch.randn((len(x), LATENT), generator=generator(0, number, stream=40)) for number in range(draws)]
    with torch.no_grad():
        logits = torch.stack([inputs.model(x.float(), noise).reconstruction.double() for noise in noises])
    bce = -torch.distributions.Bernoulli(logits=logits).log_prob(x.expand_as(logits)).sum(2).mean().item()
    assert values["bce"] == pytest.approx(bce, rel=1e-5)

    def nats(logits: Tensor) -> float:
        if name == "bernoulli":
            return -torch.distributions.Bernoulli(logits=logits).log_prob(x.expand_as(logits)).sum(-1).mean().item()
        return -(x * torch.distributions.Categorical(logits=logits).logits).sum(-1).mean().item()

    assert values["distortion"] == pytest.approx(nats(logits), rel=1e-5)
    at_mean = nats(inference(inputs, phase).reconstruction.double())
    assert values["distortion_at_mean"] == pytest.approx(at_mean, rel=1e-5) != pytest.approx(values["distortion"])
    lrap = label_ranking_average_precision_score(x.numpy(), logits[0].numpy())
    assert values[SAMPLED]["lrap"] == pytest.approx(lrap, rel=1e-5)
    assert values["elbo"] == -values["negative_elbo"] == pytest.approx(-values["distortion"] - values["rate"])


def test_facts_say_what_the_numbers_rest_on(case):
    name, inputs = case
    facts = inputs.found.metrics["run"]
    assert facts["likelihood"] == name
    assert facts["effective_beta_measured"] == pytest.approx({"bernoulli": 0.5, "multinomial": 0.25}[name], rel=1e-5)
    assert facts["silhouette_labels"] == "group"
    assert facts["floors"] == "zero, frequency, pca, ease"
    assert facts["floor_pca_components"] == LATENT
    assert facts["no_baseline"] is None
    assert facts["average_precision_rows"] == "all"


@pytest.mark.parametrize("phase", SIZES)
def test_ablations_decode_other_rows_z_and_none(case, phase):
    _, inputs = case
    values, mean, x = inputs.found.metrics[phase], inference(inputs, phase).mean, X[phase].float()
    order = torch.randperm(len(mean), generator=generator(0, 0, stream=5)).tolist()
    giver = {order[i]: order[i - 1] for i in range(len(order))}
    other = mean[[giver[row] for row in range(len(mean))]]
    assert set(values[ABLATIONS]) == {"shuffled_z", "zero_z"}
    for how, z in {"shuffled_z": other, "zero_z": torch.zeros_like(mean)}.items():
        reached = values[ABLATIONS][how]
        with torch.no_grad():
            logits = inputs.model.decode(z).reconstruction
        lrap = label_ranking_average_precision_score(x.numpy(), logits.numpy())
        assert reached["lrap"] == pytest.approx(lrap)
        nats = tags.distortion(x, logits, inputs.run).double().mean().item()
        assert reached["distortion"] == pytest.approx(nats, rel=1e-6)
        assert reached["lrap"] < values["lrap"] - 0.05


def test_baselines_stand_beside_in_every_phase(case):
    for phase in SIZES:
        values = case[1].found.metrics[phase]
        baselines = values[FLOORS]
        assert set(baselines) == {"zero", "frequency", "pca", "ease"}
        for reached in baselines.values():
            assert {*AT_THRESHOLD, *BEST} <= set(reached)
        assert {"lrap", "average_precision", "ndcg_at_5"} <= set(baselines["pca"])
        nats = {"distortion", "negative_elbo", "distortion_at_mean", "bce"}
        of_bernoulli = case[0] == "bernoulli"
        assert nats & set(baselines["pca"]) == ({"distortion_at_mean"} if of_bernoulli else set())
        assert nats & set(baselines["frequency"]) == ({*nats} - {"distortion_at_mean"} if of_bernoulli else {"bce"})
        assert baselines["zero"]["hamming_loss"] == pytest.approx(X[phase].double().mean().item())
        assert {name: set(reached) for name, reached in values[SAMPLE_FLOORS].items()} == {"independent": set(NAMES)}


@pytest.mark.parametrize("phase", SIZES)
def test_the_silhouette_is_of_the_groups(case, phase):
    expected = silhouette_score(inference(case[1], phase).mean, np.arange(SIZES[phase]) % 3)
    assert case[1].found.metrics[phase]["silhouette"] == pytest.approx(expected, rel=1e-4)


def test_without_groups_the_silhouette_is_of_the_most_frequent_tag_that_less_than_half_have(bernoulli, tmp_path):
    splits = {phase: {"x": x.numpy(), "group": np.zeros(len(x), np.uint8)} for phase, x in X.items()}
    names, counts = tag_info(X["train"]).classes, X["train"].sum(0)
    write(tmp_path / "data", tags_info(names, counts.tolist(), SIZES["train"], ("all",)), splits, {})
    found = bernoulli.again(tmp_path / "data")
    tag = int(counts.masked_fill(counts * 2 >= SIZES["train"], -1).argmax())
    assert found.metrics["run"]["silhouette_labels"] == f"tag {names[tag]}"
    expected = silhouette_score(inference(bernoulli, "test").mean, X["test"][:, tag])
    assert found.metrics["test"]["silhouette"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "tag"), [((3, 9, 4), 2), ((4, 4, 1), 0), ((5, 9, 10), None), ((0, 0), None), ((0, 1), 1)]
)
def test_the_tag_for_labels(counts, tag):
    assert evaluator._tag_for_labels(counts, 10) == tag


def test_there_is_one_row_per_example_and_metrics_are_their_means(case):
    for phase, size in SIZES.items():
        rows = [row for row in case[1].found.examples if row["phase"] == phase]
        assert [row["index"] for row in rows] == list(range(size))
        for name in ("jaccard_index", "hamming_loss", "lrap", "distortion", "rate", "loss", "recall_at_2"):
            mean = np.nanmean([row[name] for row in rows])
            assert case[1].found.metrics[phase][name] == pytest.approx(mean, rel=1e-5), name


def test_arrays_are_what_pictures_need(case):
    tensors = case[1].found.tensors
    for phase, size in SIZES.items():
        assert tensors[f"{phase}_ids"].tolist() == list(range(size))
        np.testing.assert_array_equal(tensors[f"{phase}_x"], X[phase].numpy())
        probability = inference(case[1], phase).reconstruction.sigmoid().numpy()
        assert np.abs(tensors[f"{phase}_reconstruction"] / 255 - probability).max() <= 0.5 / 255 + 1e-6
    guess = inference(case[1], "test").reconstruction.sigmoid().numpy() >= OPTIONS["threshold"]
    true = X["test"].numpy()
    assert tensors["tag_true"].tolist() == true.sum(0).tolist()
    assert tensors["tag_predicted"].tolist() == guess.sum(0).tolist()
    assert tensors["tag_hits"].tolist() == (guess & (true > 0)).sum(0).tolist()
    assert tensors["samples"].shape == (2000, TAGS)
    assert tensors["samples"].dtype == np.uint8
    assert set(np.unique(tensors["samples"])) == {0, 255}
    assert tensors["sample_frequency"].shape == (TAGS,)
    assert np.abs(tensors["sample_frequency"] - (tensors["samples"] > 0).mean(0)).max() < 0.15
    of_pca = tensors["pca_reconstruction"] / 255 >= OPTIONS["threshold"]
    assert tensors["pca_score"] == pytest.approx([jaccard_score(*pair) for pair in zip(true, of_pca, strict=True)])


def test_of_a_multinomial_samples_have_as_many_tags_as_training_rows(tmp_path):
    found = build_case(tmp_path, "multinomial").found
    lengths = set(X["train"].sum(1).tolist())
    assert set((found.tensors["samples"] > 0).sum(1).tolist()) <= lengths
    assert found.metrics["test"]["generated_samples"] == 12


def test_samples_come_from_the_mixture_where_it_is_asked_for(bernoulli):
    found = bernoulli.again(prior="mixture", mixture_components=1)
    expected, values = bernoulli.found.metrics["test"], found.metrics["test"]
    assert values["cosine_similarity"] != expected["cosine_similarity"]
    assert values["real_entropy"] == expected["real_entropy"]
    assert values["lrap"] == expected["lrap"]


def test_a_model_that_ignores_z_is_as_good_with_any(bernoulli, tmp_path):
    with torch.no_grad():
        model = build(bernoulli.run.model, tag_info(X["train"]), seed=0)
        next(layer for layer in model.decoder.modules() if isinstance(layer, torch.nn.Linear)).weight.zero_()
    save_model(tmp_path / "model.safetensors", model.state_dict(), bernoulli.run, tag_info(X["train"]), FACTS)
    for phase, values in evaluate(bernoulli.run, tmp_path / "model.safetensors", bernoulli.data).metrics.items():
        if phase != "run":
            for name in ("lrap", "distortion"):
                for ablation in ("shuffled_z", "zero_z"):
                    assert values[ABLATIONS][ablation][name] == pytest.approx(values[name], rel=1e-5)


def test_sparse_rows_and_another_batch_size_give_the_same_numbers(bernoulli, tmp_path):
    splits = {}
    for phase, x in X.items():
        _, columns = np.nonzero(x.numpy())
        count = x.sum(1).numpy().astype(np.int32)
        group = (np.arange(len(x)) % 3).astype(np.uint8)
        splits[phase] = {"count": count, "columns": columns.astype(np.int32), "group": group}
    write(tmp_path / "data", tag_info(X["train"]), splits, {})
    found = bernoulli.again(tmp_path / "data", batch_size=7)
    for phase in SIZES:
        assert flat(found.metrics[phase]) == pytest.approx(flat(bernoulli.found.metrics[phase]), rel=1e-4)
        np.testing.assert_array_equal(found.tensors[f"{phase}_x"], X[phase].numpy())


def test_large_splits_are_kept_and_ranked_in_part(bernoulli, monkeypatch):
    monkeypatch.setattr(evaluator, "KEPT", 5)
    monkeypatch.setattr(average_precision, "MOST_VALUES", 30 * TAGS)
    found = bernoulli.again()
    assert found.tensors["train_ids"].tolist() == [0, 12, 24, 35, 47]
    assert found.tensors["test_reconstruction"].shape == (5, TAGS)
    assert found.metrics["run"]["average_precision_rows"] == "30 of 48 in train"
    whole, part = bernoulli.found.metrics, found.metrics
    assert part["test"]["average_precision"] == whole["test"]["average_precision"]
    assert part["train"]["average_precision"] != whole["train"]["average_precision"]
    assert part["train"]["lrap"] == whole["train"]["lrap"]
    monkeypatch.setattr(evaluator, "KEPT_BYTES", 3 * TAGS + 1)
    assert len(bernoulli.again().tensors["val_x"]) == 3


@pytest.mark.parametrize("name", MODELS)
def test_the_history_has_its_columns_from_the_val_pass_and_some_from_the_steps(name):
    run, info, x = tiny_run(kind="tags", **MODELS[name]), tag_info(X["train"]), X["val"].float()
    logits = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    batch, inferred, functions = (
        Batch(x, torch.zeros(len(x))),
        Inference(logits, logits, logits, logits),
        MEASURES["tags"],
    )

    def history(totals: dict[str, Tensor], examples: dict[str, Tensor]) -> dict[str, float]:
        means = {key: float(value.double().nanmean()) for key, value in examples.items()}
        return functions.epoch_metrics(totals, means, info)

    val = history(*functions.val_metrics(batch, inferred, info, run))
    whole = history(*functions.evaluation_metrics(batch, inferred, info, run))
    steps = history(*functions.train_metrics(batch, inferred, info))
    assert set(TABLES["tags"].history) <= set(val)
    assert {"f1_micro", "f1_macro", "hamming_loss", "predicted_tags"} <= set(steps)
    assert val == pytest.approx({key: whole[key] for key in val})
    assert steps == pytest.approx({key: whole[key] for key in steps})


@pytest.fixture(scope="module")
def with_known_rows(bernoulli, tmp_path_factory) -> tuple[dict[str, Tensor], Evaluation]:
    """Rows of which the first half of val and test are rows of training, and what evaluation makes of them."""
    rows = X | {name: torch.cat([X["train"][:12], X[name][12:]]) for name in ("val", "test")}
    splits = {phase: {"x": x.numpy(), "group": np.zeros(len(x), np.uint8)} for phase, x in rows.items()}
    folder = tmp_path_factory.mktemp("known") / "data"
    write(folder, tag_info(X["train"]), splits, {})
    return rows, bernoulli.again(folder)


def test_measures_of_new_rows_are_those_of_these_rows_alone(bernoulli, with_known_rows):
    rows, found = with_known_rows
    values, x = found.metrics["test"], rows["test"]
    known = {tuple(row) for row in rows["train"].tolist()}
    new = torch.tensor([tuple(row) not in known for row in x.tolist()])
    assert values["unseen_rows"] == int(new.sum()) < 13
    assert values["seen_share"] == pytest.approx(1 - int(new.sum()) / 24)
    logits = bernoulli.model(x[new].float()).reconstruction.detach().numpy()
    true, unseen = x[new].numpy(), values["unseen"]
    assert unseen["lrap"] == pytest.approx(label_ranking_average_precision_score(true, logits))
    guess = 1 / (1 + np.exp(-logits)) >= values["best_threshold"]
    assert unseen["best_f1_micro"] == pytest.approx(f1_score(true, guess, average="micro"))
    assert unseen["best_threshold"] == values["best_threshold"]
    rate = [row["rate"] for row in found.examples if row["phase"] == "test"]
    assert unseen["rate"] == pytest.approx(np.array(rate)[new.numpy()].mean(), rel=1e-5)
    baseline = values[FLOORS]["frequency"]
    counts = rows["train"].sum(0).double().repeat(len(true), 1)
    assert baseline["unseen_lrap"] == pytest.approx(label_ranking_average_precision_score(true, counts))
    assert baseline["unseen_completion_ndcg_at_10"] != baseline["completion_ndcg_at_10"]


def test_where_all_rows_are_known_nothing_is_said_of_new_ones(bernoulli, tmp_path):
    rows = X | dict.fromkeys(("val", "test"), X["train"][:12])
    splits = {phase: {"x": x.numpy(), "group": np.zeros(len(x), np.uint8)} for phase, x in rows.items()}
    write(tmp_path / "data", tag_info(X["train"]), splits, {})
    values = bernoulli.again(tmp_path / "data").metrics["test"]
    assert (values["unseen_rows"], values["seen_share"]) == (0, 1)
    assert "unseen" not in values


def test_completion_is_of_rows_with_two_tags_and_beside_the_baselines(case):
    for phase in ("val", "test"):
        values = case[1].found.metrics[phase]
        assert values["completion_rows"] == int((X[phase].sum(1) >= 2).sum())
        assert values["completion_rows"] + values["completion_left_out"] == SIZES[phase]
        reached = {name: of.get("completion_ndcg_at_10") for name, of in values[FLOORS].items()}
        assert reached.pop("zero") is None
        assert values["completion_gain_over_ease"] == pytest.approx(values["completion_ndcg_at_10"] - reached["ease"])
        assert all(0 < value < 1 for value in reached.values())
    assert "completion_rows" not in case[1].found.metrics["train"]
