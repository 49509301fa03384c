"""A trained model in use. Give it what you have; what comes back are NumPy arrays, in the order of the examples.

N examples, L latent dimensions, C S S image, S S grid, D tags, K classes, h cells of an anomaly map to a side.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.models.files import ModelFile
from vaelab.models.vae import Decoded
from vaelab.params.kinds import KINDS
from vaelab.serving.coded import cells_of, names_of
from vaelab.serving.detector import Detector, Scores
from vaelab.serving.examples import Examples, Given, Posterior, check_kind, examples_of, latents_of, shown
from vaelab.serving.groups import Group, by_colour, told
from vaelab.serving.priors import Prior, check_asked, drawn


class LoadedModel:
    """A model with all that it needs to be used; `vaelab.load` makes it.

    Args:
        label: what messages call it.
        file: the model, in evaluation mode on `device`.
        device: where it is computed.
        batch_size: examples at a time.
        detector: makes what scores pictures, when it is first asked for.
        prior: makes what samples are drawn from, likewise.
    """

    def __init__(
        self,
        label: str,
        file: ModelFile,
        device: torch.device,
        batch_size: int,
        detector: Callable[[], Detector],
        prior: Callable[[], Prior],
    ) -> None:
        self.seen: DataInfo  # what the model itself takes: of pictures their pixels, or features
        self.label, self.device, self.batch_size = label, device, batch_size
        self.model, self.run, self.seen, self.facts = file
        self._detector, self._prior = detector, prior

    def __repr__(self) -> str:
        return f"<vaelab model {self.label}: {KINDS[self.kind].plural} {'x'.join(map(str, self.seen.shape))}>"

    @property
    def kind(self) -> str:
        """Kind of data: image, grid or tags."""
        return self.seen.kind

    @property
    def info(self) -> DataInfo:
        """What the model knows of its data: shape, groups, classes, how pictures become examples."""
        return self.seen if self.run.model.features == "none" else self.detector.info

    @property
    def latent_dim(self) -> int:
        """L."""
        return self.model.latent_dim

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of its data, which models of several and anomaly scores must be told."""
        return self.seen.groups

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the tags, or of the classes of grids."""
        return self.seen.classes

    @cached_property
    def detector(self) -> Detector:
        """What scores pictures: distributions of normal features, calibrations, the threshold."""
        return self._detector()

    @cached_property
    def prior(self) -> Prior:
        """What samples are drawn from, as `evaluate.prior` says; None: N(0, 1)."""
        return self._prior()

    @torch.no_grad()
    def encode(self, examples: Given, group: Group = None) -> Posterior:
        """Return mean and log-variance of the posteriors.

        Args:
            examples: as `vaelab.serving.examples.examples_of` takes them.
            group: of a conditional model, name or number: one for all, or one each.

        Raises:
            InputError: the examples do not fit the model, or a group is missing or unknown.
        """
        found = [self.model.encode(x, numbers) for x, numbers in self._batches(examples, group)]
        return Posterior(*(torch.cat(parts).float().cpu().numpy() for parts in zip(*found, strict=True)))

    @torch.no_grad()
    def decode(self, z: np.ndarray | Tensor, group: Group = None) -> np.ndarray:
        """Return what latents [N, L] stand for.

        Images: float32 [N, C, S, S] in [0, 1]. Grids: uint8 [N, S, S], K outside. Tags: probabilities, float32 [N, D].

        Raises:
            InputError: z has another shape, or a group is missing or unknown.
        """
        latents = latents_of(z, self.latent_dim)
        numbers = self._told(group, len(latents), None, needed=self.model.conditional)
        parts = [
            shown(self.kind, self.model.decode(part.to(self.device), some.to(self.device)))
            for part, some in zip(latents.split(self.batch_size), numbers.split(self.batch_size), strict=True)
        ]
        return np.concatenate(parts)

    @torch.no_grad()
    def reconstruct(self, examples: Given, group: Group = None) -> np.ndarray:
        """Return the examples decoded from their posterior means, in the form that `decode` says.

        Raises:
            InputError: the examples do not fit the model, or a group is missing or unknown.
        """
        if self.run.model.features != "none":
            raise InputError(f"{self.label}: sees features of a network (model.features), which make no pictures")
        parts = []
        for x, numbers in self._batches(examples, group):
            inference = self.model(x, group=numbers)
            parts.append(shown(self.kind, Decoded(inference.reconstruction, inference.extent)))
        return np.concatenate(parts)

    def sample(self, n: int, seed: int = 0, group: Group = None, prior: Literal["run", "normal"] = "run") -> np.ndarray:
        """Return what `n` draws of z decode to, the same ones for the same n and seed.

        z is of the density that `evaluate.prior` names, fitted to the training posteriors; with prior="normal" of
        N(0, 1). A conditional model is told `group`, name or number: one for all, or one each.

        Raises:
            InputError: a group is missing or unknown, or the run's density is not known here.
        """
        check_asked(n, seed, prior)
        return self.decode(drawn(self.prior if prior == "run" else None, n, self.latent_dim, seed), group)

    def score(self, images: Given, group: Group = None, strip: Sequence[int] | np.ndarray | None = None) -> Scores:
        """Return how anomalous images are: calibrated maps and scores, and what the run's threshold flags.

        Images are scored in 8 bits, as the run's own were.

        Args:
            images: as `vaelab.serving.examples.examples_of` takes them.
            group: of each, name or number; needed where the data have several. Colour and gray are seen.
            strip: which images are of one strip [N], where the run measures against strips; by default each picture
                that was given is one.

        Raises:
            InputError: the images do not fit the model, there is nothing to score with, or a group is missing.
        """
        detector = self.detector
        given = examples_of(images, self.info, detector.start)
        numbers = self._told(group, len(given.x), given)
        strips = given.source if strip is None else np.asarray(strip)
        if strips.shape != (len(given.x),):
            raise InputError(f"strip: shape {list(strips.shape)}; expected [{len(given.x)}]")
        return detector.score(given.stored(), numbers, strips)

    def tags(self, probabilities: np.ndarray, threshold: float = 0.5) -> list[list[str]]:
        """Return the names of the tags [N, D] whose probability is at least the threshold, row by row."""
        check_kind(self.label, self.kind, "tags")
        return names_of(probabilities, self.seen, threshold)

    def grids(self, canvases: np.ndarray) -> list[np.ndarray]:
        """Return grids [N, S, S] without the cells outside of them, each in its own height and width."""
        check_kind(self.label, self.kind, "grid")
        return cells_of(canvases, self.seen)

    def _batches(self, examples: Given, group: Group) -> Iterator[tuple[Tensor, Tensor]]:
        """The examples as the model gets them, a few at a time, and the groups that it is told."""
        given = examples_of(examples, self.info)
        numbers = self._told(group, len(given.x), given, needed=self.model.conditional)
        if self.run.model.features != "none":
            split = self.detector.seen(given.stored(), numbers)
            yield from ((batch.x, batch.group) for batch in split.in_order(self.batch_size))
            return
        for start in range(0, len(given.x), self.batch_size):
            rows = slice(start, start + self.batch_size)
            part = Examples(given.x[rows].to(self.device), given.source[rows])
            yield part.ready(self.kind), numbers[rows].to(self.device)

    def _told(self, group: Group, count: int, given: Examples | None, needed: bool = True) -> Tensor:
        """The number of each example's group, int64 [N]; 0 where it is not said and makes no difference."""
        found = told(group, self.groups, count)
        if found is None and given is not None and self.kind == "image":
            found = by_colour(self.groups, given.stored())
        if found is None and needed and len(self.groups) > 1:
            raise InputError(f"{self.label}: say which group the examples are of: group=; {', '.join(self.groups)}")
        return torch.zeros(count, dtype=torch.int64) if found is None else found
