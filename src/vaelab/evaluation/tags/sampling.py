"""Rows of tags that a model generates: latents from the prior, probabilities, and tags drawn from these.

n rows, D tags, L latent dimensions, M tags of the longest training row.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.data.format.info import DataInfo
from vaelab.evaluation.latent.prior import Mixture, sample_prior
from vaelab.measures.tags.batch import likelihood
from vaelab.measures.tags.reconstruction import predicted
from vaelab.models.vae import VAE
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import Run

BATCH = 1024  # rows that are decoded at a time; another number is another draw
CALIBRATION = 4096  # latents of the prior from which the shifts of `calibrated` are found
LARGEST_SHIFT = 16.0  # of a logit


class Sampler:
    """Generates rows: the same ones each time it is asked for so many.

    Args:
        model: in evaluation mode.
        run: as trained; its output says what probabilities mean.
        info: of the data.
        options: of the samples.
        mixture: what z is drawn from where `options.prior` says so.
        lengths: training rows with 0 ... M tags [M + 1], from which a multinomial draws how many tags a row has.
    """

    def __init__(
        self, model: VAE, run: Run, info: DataInfo, options: Evaluate, mixture: Mixture | None, lengths: Tensor
    ) -> None:
        self.model = model
        self.multinomial = likelihood(run.model) == "multinomial"
        self.groups = max(1, len(info.groups))
        self.options = options
        self.mixture = mixture
        self.lengths = lengths.double()
        self.shift: Tensor | None = None  # of the logits [D]
        if options.tag_sampling == "calibrated":
            frequency = torch.from_numpy(info.tag_frequencies)
            self.shift = shift_to(torch.cat([*self._logits(CALIBRATION, options.seed + 1)]), frequency)

    def __call__(self, count: int) -> Tensor:
        """Return rows uint8 [count, D] on the CPU; a conditional model is told all groups in turn."""
        source = generator(self.options.seed, 0, stream=23)
        return torch.cat([self._tags(logits, source) for logits in self._logits(count, self.options.seed)])

    @torch.no_grad()
    def _logits(self, count: int, seed: int) -> Iterator[Tensor]:
        """Yield the logits of so many latents of the prior, each [BATCH, D], on the CPU."""
        device = next(self.model.parameters()).device
        z = sample_prior("mixture" if self.mixture else "normal", count, self.model.latent_dim, self.mixture, seed)
        groups = torch.arange(count) % self.groups
        for part, group in zip(z.split(BATCH), groups.split(BATCH), strict=True):
            yield self.model.decode(part.to(device), group.to(device)).reconstruction.float().cpu()

    def _tags(self, logits: Tensor, source: torch.Generator) -> Tensor:
        if self.options.tag_sampling == "threshold":
            return predicted(logits, logits, self.options.threshold).byte()
        if self.multinomial:
            sizes = torch.multinomial(self.lengths, len(logits), replacement=True, generator=source)
            return draw_sets(logits, sizes, source)
        shifted = logits if self.shift is None else logits + self.shift
        return (torch.rand(logits.shape, generator=source) < shifted.sigmoid()).byte()


def shift_to(logits: Tensor, frequency: Tensor) -> Tensor:
    """Return what must be added to the logits [n, D] of each tag for its mean probability to be its frequency, [D].

    By bisection; LARGEST_SHIFT at most, which a tag of frequency 0 gets.
    """
    low, high = logits.new_full((2, logits.shape[1]), LARGEST_SHIFT)
    low = -low
    for _ in range(24):
        middle = (low + high) / 2
        too_often = (logits + middle).sigmoid().double().mean(0) > frequency
        low, high = torch.where(too_often, low, middle), torch.where(too_often, middle, high)
    shift: Tensor = (low + high) / 2
    return shift


def draw_sets(logits: Tensor, sizes: Tensor, source: torch.Generator) -> Tensor:
    """Return rows uint8 [n, D] with `sizes` [n] tags each, drawn one after another without replacement ∝ exp(logit).

    By the largest of logit + Gumbel noise. Source: Kool et al. 2019, section 2.3.
    """
    noise = torch.empty_like(logits).exponential_(generator=source).log()
    most = min(logits.shape[1], int(sizes.max()))
    first = (logits - noise).topk(most, dim=1).indices
    chosen = (torch.arange(most) < sizes.unsqueeze(1)).byte()
    return torch.zeros(logits.shape, dtype=torch.uint8).scatter_(1, first, chosen)
