"""A prior of latent maps fitted after training: place by place, each given those before it, in the order of reading.

N(0, I) is what the objective compares posteriors with, and far from what they are together: neighbouring places say the
same thing. A small network gives the density of a place, a mixture of M Gaussians, from the places left and above, the
mean of all before it, and extent and palette, which are those of a random training grid (Oord et al. 2016 do so with
pixels, Razavi et al. 2019 with latents; Bishop 1994 for the mixture).

N grids, C channels of the map, s its side, R latents of palette and extent, F values that a place is given.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.batches import generator

BEFORE = ((0, -1), (0, -2), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (-2, -1), (-2, 0), (-2, 1))  # rows, columns
HIDDEN, COMPONENTS, STEPS, BATCH, RATE = 192, 16, 800, 512, 2e-3
LEAST_STD = 0.05


class Maps(NamedTuple):
    """Latents of grids."""

    places: Tensor  # [N, C, s, s], 0 outside of a grid
    inside: Tensor  # bool [N, s, s], places that hold cells
    rest: Tensor  # palette and extent [N, R]


class PlacePrior(nn.Module):
    """The density of a place given what is before it.

    Args:
        channels: C.
        rest: R.
    """

    def __init__(self, channels: int, rest: int) -> None:
        super().__init__()
        self.channels = channels
        given = len(BEFORE) * (channels + 1) + channels + 4 + rest
        self.network = nn.Sequential(
            nn.Linear(given, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(),
            nn.Linear(HIDDEN, COMPONENTS * (1 + 2 * channels)),
        )  # fmt: skip

    def density(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-weights [n, M], means and log standard deviations [n, M, C] from what is before, [n, F]."""
        weights, values = self.network(given).split([COMPONENTS, 2 * COMPONENTS * self.channels], dim=1)
        means, log_std = values.unflatten(1, (COMPONENTS, 2, self.channels)).unbind(2)
        return weights.log_softmax(1), means, log_std.clamp(math.log(LEAST_STD), 2)

    def nats(self, given: Tensor, z: Tensor) -> Tensor:
        """Return −log p(z | given) of places z [n, C], nats each [n]."""
        weights, means, log_std = self.density(given)
        errors = (z.unsqueeze(1) - means) * (-log_std).exp()
        log_p = -(0.5 * errors.square() + log_std + 0.5 * math.log(2 * math.pi)).sum(2)
        return -(weights + log_p).logsumexp(1)


def before(maps: Maps, n: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Return what places of grids n are given [P, F]: neighbours, which are inside, the mean of all before, and where.

    Args:
        maps: of all grids.
        n: the grid of each place [P].
        row: its row [P].
        column: its column [P].
    """
    side, place = maps.inside.shape[1], row * maps.inside.shape[1] + column
    padded, there = F.pad(maps.places, (2, 2, 2, 0)), F.pad(maps.inside, (2, 2, 2, 0)).float()
    found = [padded[n, :, row + 2 + i, column + 2 + j] for i, j in BEFORE]
    flags = [there[n, row + 2 + i, column + 2 + j] for i, j in BEFORE]
    total, count = (_sum_before(values.flatten(-2)) for values in (maps.places, maps.inside.float()))
    mean = total[n, :, place] / count[n, place].clamp_min(1).unsqueeze(1)
    where = torch.stack([row / side, column / side, row == 0, column == 0], dim=1)
    return torch.cat([*found, torch.stack(flags, dim=1), mean, where, maps.rest[n]], dim=1)


def _sum_before(values: Tensor) -> Tensor:
    return F.pad(values.cumsum(-1)[..., :-1], (1, 0))


def fit_places(mean: Maps, log_var: Maps, seed: int) -> PlacePrior:
    """Return the prior of places with these posteriors, fitted to draws from them by maximum likelihood."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        prior = PlacePrior(mean.places.shape[1], mean.rest.shape[1])
    optimizer, places = torch.optim.Adam(prior.parameters(), RATE), mean.inside.nonzero()
    n, i, j = places.unbind(1)
    for epoch in range(-(-STEPS * BATCH // len(places))):
        drawn = drawn_from(mean, log_var, seed, epoch)
        given, z = before(drawn, n, i, j), drawn.places[n, :, i, j]
        order = torch.randperm(len(places), generator=generator(seed, epoch, stream=52))
        for index in order.split(BATCH):
            optimizer.zero_grad()
            prior.nats(given[index], z[index]).mean().backward()
            optimizer.step()
    return prior.eval()


def drawn_from(mean: Maps, log_var: Maps, seed: int, number: int) -> Maps:
    """Return a draw from each posterior; what is outside stays 0."""
    source = generator(seed, number, stream=50)
    places = mean.places + (0.5 * log_var.places).exp() * torch.randn(mean.places.shape, generator=source)
    rest = mean.rest + (0.5 * log_var.rest).exp() * torch.randn(mean.rest.shape, generator=source)
    return Maps(places * mean.inside.unsqueeze(1), mean.inside, rest)


@torch.no_grad()
def sample_places(prior: PlacePrior, mean: Maps, log_var: Maps, count: int, seed: int) -> Tensor:
    """Return latents of new grids [count, L]: extent and palette of random training grids, places one by one."""
    source = generator(seed, 0, stream=51)
    chosen = torch.randint(len(mean.rest), (count,), generator=source)
    centres, spreads = (Maps(*(tensor[chosen] for tensor in maps)) for maps in (mean, log_var))
    inside, rest = centres.inside, drawn_from(centres, spreads, seed, number=0).rest
    maps, every = Maps(torch.zeros((count, *mean.places.shape[1:])), inside, rest), torch.arange(count)
    for row in range(inside.shape[1]):
        for column in range(inside.shape[2]):
            at = (torch.full((count,), position) for position in (row, column))
            weights, means, log_std = prior.density(before(maps, every, *at))
            component = torch.multinomial(weights.exp(), 1, generator=source).view(-1, 1, 1)
            place = component.expand(-1, 1, prior.channels)
            noise = torch.randn((count, prior.channels), generator=source)
            z = means.gather(1, place)[:, 0] + log_std.exp().gather(1, place)[:, 0] * noise
            maps.places[:, :, row, column] = z * inside[:, row, column].unsqueeze(1)
    return torch.cat([maps.places.flatten(1), rest], dim=1)
