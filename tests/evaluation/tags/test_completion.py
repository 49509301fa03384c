"""Completion of rows: the protocol, and the measures against counting in plain Python."""

import math

import numpy as np
import pytest
import torch
from helpers import random_tags
from known_tags import random_rows
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.tags.completion import completion, gain, hidden_tags, masked, means
from vaelab.params.blocks import Evaluate

OPTIONS = Evaluate(top_k=(2,), completion_share=0.3, completion_masks=2)
X = random_tags(40, 12, seed=3)
X[:3] = 0
X[1, 4] = X[2, :] = 1  # rows without a tag, with one, with all


def split(x: Tensor = X) -> DeviceSplit:
    return DeviceSplit([x], torch.zeros(len(x)), torch.device("cpu"), "tags")


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.99])
def test_that_share_of_a_row_is_hidden_one_tag_at_least_and_never_all(share):
    x = X.float()
    hidden = hidden_tags(x, share, torch.Generator().manual_seed(0))
    assert ((hidden == 0) | ((hidden == 1) & (x == 1))).all()
    for there, count in zip(x.sum(1).tolist(), hidden.sum(1).tolist(), strict=True):
        assert count == (0 if there < 2 else min(max(1, round(share * there)), there - 1))


def test_each_tag_of_a_row_is_hidden_as_often():
    hidden = hidden_tags(torch.ones(4000, 8), 0.25, torch.Generator().manual_seed(0))
    assert hidden.mean(0).numpy() == pytest.approx(0.25, abs=0.03)


def test_masks_are_a_function_of_seed_and_number_whatever_the_batches():
    def mask(number: int, **options: int) -> Tensor:
        return torch.cat([hidden for _, hidden in masked(split(), OPTIONS.model_copy(update=options), number)])

    assert torch.equal(mask(0), mask(0, batch_size=7))
    assert not torch.equal(mask(0), mask(1))
    assert not torch.equal(mask(0), mask(0, seed=1))


def of_row(scores: np.ndarray, seen: np.ndarray, hidden: np.ndarray, k: int) -> tuple[float, float]:
    """Recall@k and NDCG@k of a row, without ties, of the ranks of what is not seen."""
    order = [tag for tag in np.argsort(-scores, kind="stable") if not seen[tag]][:k]
    count = int(hidden.sum())
    if not count:
        return math.nan, math.nan
    ideal = sum(1 / math.log2(2 + rank) for rank in range(min(k, count)))
    gains = [1 / math.log2(2 + rank) for rank, tag in enumerate(order) if hidden[tag]]
    return len(gains) / min(k, count), sum(gains) / ideal


def test_measures_are_those_of_counting_and_of_the_same_masks_for_all_methods():
    matrix = torch.randn((12, 12), generator=torch.Generator().manual_seed(1))
    found = completion({"one": lambda x: x @ matrix, "other": lambda x: x @ matrix}, split(), OPTIONS)
    for name, values in found["one"].items():
        torch.testing.assert_close(values, found["other"][name], equal_nan=True)
    assert set(found["one"]) == {f"completion_{what}_at_{k}" for what in ("recall", "ndcg") for k in (2, 10)}
    for mask in range(2):
        seen, hidden = next(iter(masked(split(), OPTIONS, mask)))
        rows = zip((seen @ matrix).numpy(), seen.numpy(), hidden.numpy(), strict=True)
        expected = np.array([of_row(*row, 2) for row in rows])
        for column, what in enumerate(("recall", "ndcg")):
            of_mask = found["one"][f"completion_{what}_at_2"][mask].numpy()
            np.testing.assert_allclose(of_mask, expected[:, column], rtol=1e-6)
    assert np.isnan(expected).any(1).sum() == int((X.sum(1) < 2).sum())


def test_what_copies_its_input_completes_nothing_and_what_knows_the_rest_everything():
    pairs = torch.zeros((200, 6), dtype=torch.uint8)
    which = torch.arange(200) % 3
    pairs[torch.arange(200), 2 * which] = pairs[torch.arange(200), 2 * which + 1] = 1  # tags come in pairs
    partner = torch.eye(6).view(3, 2, 6).flip(1).reshape(6, 6)
    options = Evaluate(top_k=(1,))
    found = completion({"copy": lambda x: x, "partner": lambda x: x @ partner}, split(pairs), options)
    reached = {name: means(columns)["completion_recall_at_1"] for name, columns in found.items()}
    assert reached["copy"] == pytest.approx(1 / 5)  # all that is hidden is tied
    assert reached["partner"] == 1


def test_the_gain_is_paired_and_its_error_that_of_rows():
    own, other = (torch.from_numpy(np.random.default_rng(seed).random((3, 50))) for seed in (0, 1))
    own[:, 7] = other[:, 7] = torch.nan
    found, rows = gain(own, other), np.delete((own - other).numpy().mean(0), 7)
    assert found["completion_gain_over_ease"] == pytest.approx(rows.mean())
    assert found["completion_gain_over_ease_error"] == pytest.approx(rows.std(ddof=1) / 7)
    part = torch.arange(5)
    assert gain(own, other, part)["completion_gain_over_ease"] == pytest.approx(rows[:5].mean())
    assert means({"a": own}, part)["a"] == pytest.approx(own[:, :5].mean().item())


def test_rows_of_a_single_tag_have_no_measure():
    x = torch.eye(5, dtype=torch.uint8)
    found = completion({"any": lambda x: x}, split(x), OPTIONS)["any"]
    assert all(values.isnan().all() for values in found.values())
    assert math.isnan(means(found)["completion_ndcg_at_10"])


def test_independent_tags_are_completed_by_chance():
    x = random_rows(400, 30, 0.2, seed=0)
    found = completion(
        {"noise": lambda x: torch.rand(x.shape, generator=torch.Generator().manual_seed(2))}, split(x), OPTIONS
    )
    chance = means(found["noise"])["completion_recall_at_10"]
    assert chance == pytest.approx(10 / 25.7, abs=0.05)  # of 30 tags 4.3 are seen
