import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaelab.evaluation.grid import place_prior
from vaelab.evaluation.grid.place_prior import Maps, PlacePrior, before, drawn_from, fit_places, sample_places

COUNT, CHANNELS, SIDE = 120, 2, 3


def maps(seed: int = 0) -> Maps:
    """Maps whose places are all like their first one, of grids of different size; with the sign of it beside them."""
    source = torch.Generator().manual_seed(seed)
    first = torch.randint(2, (COUNT, 1, 1, 1), generator=source) * 2.0 - 1
    reach = torch.randint(1, SIDE + 1, (COUNT, 2), generator=source)
    rows, columns = torch.arange(SIDE).view(1, -1, 1), torch.arange(SIDE).view(1, 1, -1)
    inside = (rows < reach[:, :1, None]) & (columns < reach[:, 1:, None])
    places = (first + 0.1 * torch.randn((COUNT, CHANNELS, SIDE, SIDE), generator=source)) * inside.unsqueeze(1)
    return Maps(places, inside, reach.float())


def narrow(mean: Maps) -> Maps:
    return Maps(torch.full_like(mean.places, -6.0), mean.inside, torch.full_like(mean.rest, -20.0))


def test_nats_are_those_of_a_mixture_of_gaussians():
    prior, given = PlacePrior(CHANNELS, 2), torch.randn(7, PlacePrior(CHANNELS, 2).network[0].in_features)
    weights, means, log_std = prior.density(given)
    mixture = MixtureSameFamily(Categorical(logits=weights), Independent(Normal(means, log_std.exp()), 1))
    z = torch.randn(7, CHANNELS)
    torch.testing.assert_close(prior.nats(given, z), -mixture.log_prob(z))


def at(maps: Maps, row: int, column: int) -> torch.Tensor:
    """What a place of all grids is given."""
    every = torch.ones(COUNT, dtype=torch.int64)
    return before(maps, torch.arange(COUNT), row * every, column * every)


def test_a_place_sees_what_is_before_it_and_nothing_else():
    one = maps()
    for row, column in ((0, 0), (1, 1), (2, 0)):
        seen = at(one, row, column)
        later = torch.arange(SIDE**2).view(SIDE, SIDE) >= row * SIDE + column
        changed = Maps(one.places + 9.0 * later, one.inside, one.rest)
        assert torch.equal(at(changed, row, column), seen)
        assert len(seen) == COUNT
    left = at(one, 1, 1)[:, :CHANNELS]
    assert torch.equal(left, one.places[:, :, 1, 0])
    mean = at(one, 1, 1)[:, 11 * CHANNELS + 10 - CHANNELS : 11 * CHANNELS + 10]
    seen = one.inside.flatten(1)[:, :4].sum(1, keepdim=True)
    torch.testing.assert_close(mean, one.places.flatten(2)[:, :, :4].sum(2) / seen)


def test_samples_hang_together_as_the_data_do(monkeypatch):
    monkeypatch.setattr(place_prior, "STEPS", 200)
    monkeypatch.setattr(place_prior, "BATCH", 64)
    mean = maps()
    prior = fit_places(mean, narrow(mean), seed=0)
    z = sample_places(prior, mean, narrow(mean), 300, seed=1)
    assert torch.equal(z, sample_places(fit_places(mean, narrow(mean), 0), mean, narrow(mean), 300, seed=1))
    places, rest = z[:, : CHANNELS * SIDE**2].view(300, CHANNELS, SIDE, SIDE), z[:, CHANNELS * SIDE**2 :]
    sizes = rest.round().int()
    inside = (torch.arange(SIDE).view(1, -1, 1) < sizes[:, :1, None]) & (torch.arange(SIDE) < sizes[:, 1:, None])
    assert (places[(~inside).unsqueeze(1).expand_as(places)] == 0).all()
    first = places[:, :1, :1, :1].sign()
    same = (places.sign() == first)[inside.unsqueeze(1).expand_as(places)].double().mean()
    assert same > 0.95
    assert 0.3 < (first > 0).double().mean() < 0.7


def test_draws_are_of_the_posteriors_and_0_outside():
    mean = maps()
    log_var = Maps(torch.zeros_like(mean.places), mean.inside, torch.full_like(mean.rest, -20.0))
    drawn = drawn_from(mean, log_var, seed=0, number=3)
    off = (drawn.places - mean.places)[mean.inside.unsqueeze(1).expand_as(mean.places)]
    assert float(off.std()) == pytest.approx(1, abs=0.1)
    assert (drawn.places[(~mean.inside).unsqueeze(1).expand_as(mean.places)] == 0).all()
    torch.testing.assert_close(drawn.rest, mean.rest, atol=1e-3, rtol=0)
