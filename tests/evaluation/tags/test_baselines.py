"""Trivial methods on tags: against scikit-learn, and on data where it is known what they reach."""

import math

import numpy as np
import pytest
import torch
from helpers import random_tags, tag_info
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score, f1_score, label_ranking_average_precision_score, log_loss

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.tags.baselines import TagBaselines, components_of
from vaelab.measures.tags.reconstruction import AT_THRESHOLD, THRESHOLDS
from vaelab.metrics.records import BASELINES
from vaelab.params.blocks import Evaluate

CPU = torch.device("cpu")
X = {"train": random_tags(60), "val": random_tags(30, seed=1), "test": random_tags(40, seed=2)}
COUNTS = X["train"].sum(0).numpy()
OPTIONS = Evaluate(batch_size=16, threshold=0.3, top_k=(2,))
RANKED = {"lrap", "recall_at_2", "recall_at_10", "ndcg_at_2", "ndcg_at_10", "average_precision",
          "average_precision_macro", "best_threshold"}  # fmt: skip
COUNTED = {
    *AT_THRESHOLD, *(f"{which}_{name}" for which in ("best", "grouped") for name in AT_THRESHOLD), "predicted_tags",
    "true_tags",
}  # fmt: skip


def split(x: torch.Tensor) -> DeviceSplit:
    return DeviceSplit([x], torch.zeros(len(x)), CPU, "tags")


def fitted(latent_dim: int = 3, **data: torch.Tensor) -> TagBaselines:
    x = X | data
    return TagBaselines(split(x["train"]), split(x["val"]), tag_info(x["train"]), latent_dim, OPTIONS, True)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, float]]:
    return fitted().metrics(split(X["test"]))


def test_all_methods_have_the_measures_that_make_sense_for_them(found):
    assert set(found["zero"]) == COUNTED
    assert set(found["frequency"]) == COUNTED | RANKED | {"bce", "distortion", "negative_elbo"}
    assert set(found["pca"]) == COUNTED | RANKED | {"distortion_at_mean"}
    assert set(found["ease"]) == set(found["pca"])
    assert set(found) == {"zero", "frequency", "pca", "ease"} < set(BASELINES["tags"])
    assert all(math.isfinite(value) for values in found.values() for value in values.values())


def test_no_tag_at_all_misses_what_is_there(found):
    share = X["test"].double().mean().item()
    values = found["zero"]
    assert values["hamming_loss"] == values["best_hamming_loss"] == pytest.approx(share)
    assert values["f1_micro"] == values["predicted_tags"] == values["jaccard_micro"] == 0
    empty = (X["test"].sum(1) == 0).double().mean().item()
    assert values["exact_match"] == values["jaccard_index"] == pytest.approx(empty)


def best_f1(true: np.ndarray, probability: np.ndarray) -> float:
    return max(f1_score(true, probability >= t, average="micro") for t in THRESHOLDS)


def check(values: dict[str, float], scores: np.ndarray, of_val: np.ndarray) -> None:
    """Compare the measures of a method that gives the rows of test and val these scores."""
    true, val = X["test"].numpy(), X["val"].numpy()
    clamped = scores.clip(1e-6, 1 - 1e-6)
    nats = [log_loss(row, p, labels=[0, 1], normalize=False) for row, p in zip(true, clamped, strict=True)]
    found = values.get("distortion_at_mean", values.get("bce"))  # of PCA no bound: its numbers cost no rate
    assert found == pytest.approx(np.mean(nats), rel=1e-3)
    assert values["lrap"] == pytest.approx(label_ranking_average_precision_score(true, scores))
    for name, average in {"average_precision": "micro", "average_precision_macro": "macro"}.items():
        assert values[name] == pytest.approx(average_precision_score(true, scores, average=average))
    assert values["f1_micro"] == pytest.approx(f1_score(true, scores >= OPTIONS.threshold, average="micro"))
    best = values["best_threshold"]
    assert f1_score(val, of_val >= best, average="micro") == pytest.approx(best_f1(val, of_val))
    assert values["best_f1_micro"] == pytest.approx(f1_score(true, scores >= best, average="micro"))
    macro = f1_score(true, scores >= best, average="macro", zero_division=np.nan)
    assert values["best_f1_macro"] == pytest.approx(macro)


def test_frequencies_are_those_of_training_with_a_row_of_each_added(found):
    frequency = (COUNTS + 1) / (len(X["train"]) + 2)
    check(found["frequency"], np.tile(frequency, (40, 1)), np.tile(frequency, (30, 1)))


def test_pca_is_that_of_scikit_learn_with_the_model_s_dimensions(found):
    pca = PCA(3, svd_solver="full").fit(X["train"].double().numpy())
    of_test, of_val = (pca.inverse_transform(pca.transform(X[phase].double().numpy())) for phase in ("test", "val"))
    check(found["pca"], of_test, of_val)
    assert found["pca"]["lrap"] > found["frequency"]["lrap"]


def test_pca_ranks_by_its_values_below_0_and_above_1_too():
    source = torch.Generator().manual_seed(0)
    x = {phase: (torch.rand(200, 12, generator=source) < 0.2).byte() for phase in X}  # no structure
    scores = PCA(5, svd_solver="full").fit(x["train"].double().numpy())
    scores = scores.inverse_transform(scores.transform(x["test"].double().numpy()))
    assert ((scores < 0) & (x["test"].numpy() > 0)).any()
    values = fitted(5, **x).metrics(split(x["test"]))["pca"]
    expected = average_precision_score(x["test"], scores, average="micro")
    assert values["average_precision"] == pytest.approx(expected, abs=1e-4)  # in float32 other scores are equal
    lrap = label_ranking_average_precision_score(x["test"].numpy(), scores)
    assert values["lrap"] == pytest.approx(lrap, abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "latent_dim", "expected"), [(60, 3, 3), (60, 12, 12), (60, 64, 12), (4, 64, 3), (1, 64, 0)]
)
def test_there_are_as_many_components_as_dimensions_tags_and_rows_allow(rows, latent_dim, expected):
    assert components_of(rows, latent_dim, 12) == expected


@pytest.mark.parametrize(("latent_dim", "there"), [(11, True), (12, False), (64, False)])
def test_pca_with_a_dimension_for_each_tag_loses_nothing_and_is_no_baseline(latent_dim, there):
    assert ("pca" in fitted(latent_dim).methods) == there


def test_tags_that_never_occur_need_no_dimension():
    """28 columns, 12 of which occur: 16 latents hold all that varies."""
    wide = {phase: torch.cat([x, torch.zeros(len(x), 16, dtype=torch.uint8)], 1) for phase, x in X.items()}
    assert "pca" in fitted(11, **wide).methods
    assert "pca" not in fitted(12, **wide).methods


def test_one_training_row_leaves_no_pca():
    baselines = fitted(train=X["train"][:1])
    assert set(baselines.methods) == {"zero", "frequency", "ease"}
    found = baselines.metrics(split(X["test"]))
    assert set(found) == {"zero", "frequency", "ease"}
    assert all(math.isfinite(value) for values in found.values() for value in values.values())


def test_tags_that_training_lacks_or_that_all_its_rows_have_cost_no_infinite_nats():
    train = X["train"].clone()
    train[:, 0], train[:, 1] = 0, 1
    values = fitted(train=train).metrics(split(X["test"]))["frequency"]
    assert values["bce"] < 12 * math.log(62)
    assert values["lrap"] < 1


def test_the_batch_size_changes_nothing(found):
    baselines = fitted()
    baselines.options = OPTIONS.model_copy(update={"batch_size": 7})
    again = baselines.metrics(split(X["test"]))
    assert list(again) == list(found)
    for name, values in found.items():
        assert again[name] == pytest.approx(values, rel=1e-5)
