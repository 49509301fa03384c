import pytest
import torch
from helpers import steady, tag_info
from hypothesis import given
from hypothesis import strategies as st

from vaelab.data.format.info import tags_info
from vaelab.objective.weights import TAG_METHODS as METHODS
from vaelab.objective.weights import pos_weights
from vaelab.params.loss import Loss

ROWS = 1000
COUNTS = st.lists(st.integers(1, ROWS - 1), min_size=2, max_size=12)
UNLIMITED = 1e9


def weights(counts: list[int], method: str, largest: float = UNLIMITED) -> torch.Tensor:
    info = tags_info([str(number) for number in range(len(counts))], counts, ROWS, ("all",))
    return pos_weights(info, Loss(pos_weight=method, max_pos_weight=largest)).double()


def test_none_is_1_for_every_tag():
    assert weights([0, 3, 999, 1000], "none").tolist() == [1, 1, 1, 1]


@steady
@given(counts=COUNTS)
def test_inverse_is_rows_without_over_rows_with_the_tag(counts):
    expected = [(ROWS - count) / count for count in counts]
    assert weights(counts, "inverse").tolist() == pytest.approx(expected)
    assert weights(counts, "sqrt_inverse").square().tolist() == pytest.approx(expected)


@steady
@given(counts=COUNTS)
def test_under_inverse_a_tag_weighs_the_same_in_both_sums(counts):
    """Over the training rows, those with a tag count as much as those without it."""
    present = torch.tensor(counts, dtype=torch.float64)
    torch.testing.assert_close(weights(counts, "inverse") * present, ROWS - present)


@steady
@given(counts=COUNTS)
def test_inverse_spreads_the_weights_more_than_its_root_and_none_not_at_all(counts):
    ratios = {method: weights(counts, method).max() / weights(counts, method).min() for method in METHODS}
    assert ratios["inverse"] * (1 + 1e-5) >= ratios["sqrt_inverse"]
    assert ratios["sqrt_inverse"] * (1 + 1e-5) >= ratios["none"] == 1


@steady
@given(counts=st.lists(st.integers(0, ROWS), min_size=2, max_size=12).filter(any), largest=st.floats(1, 1e4))
def test_the_rarer_tag_weighs_more_up_to_the_limit(counts, largest):
    for method in METHODS:
        found = weights(sorted(counts), method, largest)
        assert (found.diff() <= 0).all()
        assert 0 < found.min() <= found.max() <= largest * (1 + 1e-6)


@pytest.mark.parametrize("method", ["inverse", "sqrt_inverse"])
def test_a_tag_of_no_row_gets_the_largest_weight(method):
    assert weights([0, 20, 500], method, 100.0)[0] == 100


@pytest.mark.parametrize("method", ["inverse", "sqrt_inverse"])
def test_a_tag_of_all_rows_weighs_as_one_of_all_but_one(method):
    found = weights([ROWS, ROWS - 1, 500], method)
    assert found[0] == pytest.approx(float(found[1]), rel=1e-2)
    assert found[0] > 0


def test_counts_come_from_the_training_rows():
    x = torch.tensor([[1, 0, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.uint8)
    found = pos_weights(tag_info(x), Loss(pos_weight="inverse"))
    torch.testing.assert_close(found, torch.tensor([1 / 3, 3.0, 1.0]))
