"""Generated rows: of decoders whose probabilities are known, drawn, at a threshold, and as sets of a given size."""

import itertools

import pytest
import torch
from helpers import random_tags, tag_info, tiny_run
from torch import nn

from vaelab.evaluation.latent.prior import fit_mixture
from vaelab.evaluation.tags.sampling import BATCH, Sampler, draw_sets, shift_to
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Evaluate

INFO = tag_info(random_tags(30, 5))
LATENT = 2
LENGTHS = torch.tensor([0, 5, 0, 15])  # training rows with 0, 1, 2, 3 tags


class Decoder(nn.Module):
    """Logits that depend on the sign of z_0; remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([[-4.0, -1.0, 0.0, 1.0, 4.0]]))
        self.told: list[torch.Tensor] = []

    def forward(self, z: torch.Tensor, group: torch.Tensor) -> Decoded:
        self.told.append(group)
        return Decoded(torch.where(z[:, :1] > 0, self.logits, self.logits.flip(1)))


def sampler(output: str = "sigmoid", mixture: object = None, **options: object) -> Sampler:
    run = tiny_run(kind="tags", model={"output": output}, loss={"terms": {"bce": 0.0, "multinomial": 1.0}})
    model = VAE(nn.Identity(), Decoder(), LATENT, conditional=True)
    return Sampler(model, run, INFO, Evaluate(**options), mixture, LENGTHS)


def test_each_tag_is_drawn_with_its_probability():
    rows = sampler()(8000)
    assert rows.dtype == torch.uint8
    assert rows.shape == (8000, 5)
    logits = torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0])
    expected = 0.5 * (logits.sigmoid() + logits.flip(0).sigmoid())
    torch.testing.assert_close(rows.float().mean(0), expected, atol=0.03, rtol=0)
    likely = rows[:, 4] > rows[:, 0]  # z_0 > 0 nearly always: tags of one row go together
    torch.testing.assert_close(rows[likely].float().mean(0)[1:4], logits.sigmoid()[1:4], atol=0.04, rtol=0)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_at_a_threshold_rows_hold_what_is_probable(output):
    rows = sampler(output, tag_sampling="threshold", threshold=0.6)(500)
    assert {tuple(row) for row in rows.tolist()} == {(0, 0, 0, 1, 1), (1, 1, 0, 0, 0)}


def test_a_multinomial_draws_how_many_tags_from_the_training_rows():
    sizes = sampler("softmax")(4000).sum(1)
    assert set(sizes.tolist()) == {1, 3}
    assert (sizes == 3).float().mean().item() == pytest.approx(0.75, abs=0.03)


def probability(order: tuple[int, ...], weight: list[float]) -> float:
    """Of drawing these tags one after another, each ∝ weight among those that are left."""
    left, found = sum(weight), 1.0
    for tag in order:
        found, left = found * weight[tag] / left, left - weight[tag]
    return found


def test_sets_are_drawn_one_after_another_without_replacement():
    weight, size, count = [0.5, 0.3, 0.15, 0.05], 2, 20_000
    logits = torch.tensor([weight]).log().repeat(count, 1) + 3
    rows = draw_sets(logits, torch.full((count,), size), torch.Generator().manual_seed(0))
    assert rows.sum(1).unique().tolist() == [size]
    for pair in itertools.combinations(range(4), size):
        expected = sum(probability(order, weight) for order in itertools.permutations(pair))
        share = rows[:, list(pair)].all(1).double().mean().item()
        assert share == pytest.approx(expected, abs=0.012)


def test_sets_may_be_empty_and_whole():
    rows = draw_sets(torch.randn(3, 4), torch.tensor([0, 4, 9]), torch.Generator().manual_seed(0))
    assert rows.sum(1).tolist() == [0, 4, 4]
    assert draw_sets(torch.randn(2, 4), torch.tensor([0, 0]), torch.Generator()).sum() == 0


def test_a_sampler_repeats_itself_and_goes_by_its_seed():
    assert torch.equal(sampler()(50), sampler()(50))
    assert not torch.equal(sampler()(50), sampler(seed=1)(50))


def test_a_conditional_model_is_told_all_groups_in_turn():
    made = sampler()
    made(BATCH + 5)
    told = torch.cat(made.model.decoder.told)
    assert torch.equal(told, torch.arange(BATCH + 5) % 3)


def test_latents_come_from_the_mixture_where_it_is_asked_for():
    mean = torch.tensor([3.0, 0.0]) + 0.1 * torch.randn((200, 2), generator=torch.Generator().manual_seed(0))
    mixture = fit_mixture(mean, torch.full_like(mean, -4.0), 1, seed=0)
    rows = sampler(prior="mixture", mixture=mixture, tag_sampling="threshold")(100)
    assert {tuple(row) for row in rows.tolist()} == {(0, 0, 1, 1, 1)}  # z_0 > 0 always


def test_calibrated_samples_have_the_frequencies_of_training():
    rows = sampler(tag_sampling="calibrated")(8000)
    expected = torch.from_numpy(INFO.tag_frequencies).float()
    torch.testing.assert_close(rows.float().mean(0), expected, atol=0.03, rtol=0)
    assert not torch.equal(rows, sampler()(8000))


def test_a_shift_gives_each_tag_its_frequency_and_leaves_the_order_of_rows():
    logits = 3 * torch.randn((500, 4), generator=torch.Generator().manual_seed(0)) - 2
    frequency = torch.tensor([0.01, 0.3, 0.9, 0.0], dtype=torch.float64)
    shift = shift_to(logits, frequency)
    mean = (logits + shift).sigmoid().mean(0)
    torch.testing.assert_close(mean[:3], frequency[:3].float(), atol=1e-5, rtol=0)
    assert shift[3] == pytest.approx(-16, abs=1e-3)
    assert shift_to(logits, logits.sigmoid().double().mean(0)).abs().max() < 1e-4
