"""What the report says of completion and of rows that are new to training."""

import pytest
from comparisons import result

from vaelab.comparison.collect import Result
from vaelab.comparison.completion import completion

COMPLETED = {
    "completion_rows": 90, "completion_left_out": 10, "completion_ndcg_at_10": 0.6, "completion_gain_over_ease": 0.02,
    "completion_gain_over_ease_error": 0.004, "seen_share": 0.02, "unseen_rows": 98, "lrap": 0.8, "rate": 2.0,
    "bce": 8.0,
}  # fmt: skip


def run(beta: float = 1.0, pca: float = 0.9, blocks: dict | None = None, **metrics: float) -> Result:
    found = result("mine", kind="tags", blocks=blocks or {}, **COMPLETED | metrics)
    for values in (found.metrics["val"], found.metrics.get("test", {})):
        values.setdefault("floors", {})["pca"] = {"lrap": pca, "unseen_lrap": 0.4}
    found.metrics["run"]["effective_beta"] = beta
    return found


def said(*results: Result) -> str:
    return "\n".join(completion(results))


def test_nothing_is_said_of_runs_that_complete_nothing():
    assert completion([result("grid"), result("tags", kind="tags")]) == []


def test_what_completion_rests_on_is_said():
    text = said(run())
    assert "25% of each row's tags are hidden" in text
    assert "10 rows of fewer than two tags have nothing to complete." in text
    assert "2.0% of the" in text
    assert "LRAP of new rows" not in text
    assert "nothing to complete" not in said(run(completion_left_out=0))


def test_why_a_run_loses_to_pca_is_said_where_its_beta_is_the_cause():
    text = said(run(beta=4.0))
    assert "mine ranks a row's own tags worse than PCA with as many numbers (LRAP 0.800, PCA 0.900)" in text
    assert "2.0 nats a row, of 10.0 in all. At an effective beta of 4 " in text
    assert "worse than PCA" not in said(run(beta=0.2))
    assert "worse than PCA" not in said(run(pca=0.7))


@pytest.mark.parametrize(("gain", "dropout", "expected"), [
    (0.02, 0.0, "mine completes rows better than EASE: NDCG@10 0.600, +0.020 ± 0.004."),
    (-0.02, 0.0, "-0.020 ± 0.004: in training it always saw whole rows; model.input_dropout hides tags"),
    (-0.02, 0.5, "mine completes rows worse than EASE: NDCG@10 0.600, -0.020 ± 0.004."),
])  # fmt: skip
def test_a_difference_to_ease_is_said_with_its_error(gain, dropout, expected):
    blocks = {"model": {"input_dropout": dropout}}
    assert expected in said(run(blocks=blocks, completion_gain_over_ease=gain))


@pytest.mark.parametrize("gain", [0.007, -0.007, float("nan")])
def test_a_difference_within_its_error_is_not_said(gain):
    assert "EASE" not in said(run(completion_gain_over_ease=gain))


def test_new_rows_are_set_apart_where_many_are_known():
    found = run(seen_share=0.9)
    for values in (found.metrics["val"], found.metrics.get("test", {})):
        values["unseen"] = {"lrap": 0.5}
    assert "mine: LRAP of new rows 0.500, of all 0.800, PCA's 0.400." in said(found)
