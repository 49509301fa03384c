"""What scores pictures outside of the pipeline: with the distributions, calibrations and threshold of a run's stages.

N images, h cells of a map to a side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.anomaly.preprocessing import COMBINED, preprocess
from vaelab.anomaly.score import Calibrations, calibrated_maps, calibrated_scores
from vaelab.anomaly.score_files import ScoreFile, ScoreMaps
from vaelab.commands.judge.squares import Start
from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import DataInfo
from vaelab.data.sources.fabric.aitex import fabric_start
from vaelab.errors import InputError
from vaelab.evaluation.scores.normality import Shape
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.models.vae import VAE
from vaelab.params.schema import Run
from vaelab.params.threshold import Threshold
from vaelab.serving.features import Features

FITTED = ("mahalanobis", "mixture")  # scores that need the distribution of normal features


class Scores(NamedTuple):
    """How anomalous images are."""

    score: np.ndarray  # float64 [N], calibrated; larger is less normal
    flagged: np.ndarray  # bool [N], whether the score is above the threshold
    map: np.ndarray  # float32 [N, h, h], calibrated cell by cell
    threshold: float


class Known(NamedTuple):
    """What is fitted to normal images, and all that a detector is saved as."""

    settings: Threshold  # as used: with `select`, as chosen
    threshold: float
    shapes: Mapping[str, Mapping[int, Shape]]  # of latent features, by score and group
    patches: Calibrations  # of the scores of images
    cells: Calibrations  # of the cells of maps
    features: Features | None  # of models that see features of a network
    margin: int | None  # pixels right of the selvage that strips are cut from; None: from their left edge


@dataclass(frozen=True)
class _Maps(ScoreFile):
    """Score maps in memory, where stage threshold has a file."""

    maps: ScoreMaps = field(default_factory=dict)

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[slice, ScoreMaps]]:
        """Yield the maps of some scores, all images at once."""
        yield slice(0, len(self)), {name: self.maps[name] for name in names}


class Detector:
    """Scores pictures as stages evaluate and threshold do.

    Args:
        label: of the model, for messages.
        model: on `device`, in evaluation mode.
        run: its run.
        info: of the pictures.
        known: what is fitted to normal images.
        device: where it is computed.
    """

    def __init__(self, label: str, model: VAE, run: Run, info: DataInfo, known: Known, device: torch.device) -> None:
        self.label, self.model, self.run, self.info, self.known = label, model, run, info, known
        self.device = device

    @property
    def settings(self) -> Threshold:
        """How maps become scores."""
        return self.known.settings

    @property
    def threshold(self) -> float:
        """What scores more is flagged."""
        return self.known.threshold

    @property
    def start(self) -> Start | None:
        """What says the first column of a strip that is cut; None: its left edge."""
        return None if self.known.margin is None else partial(_start, margin=self.known.margin)

    @cached_property
    def scorer(self) -> Scorer:
        """What makes the maps of the scores that count."""
        shape = self.info.shape if self.known.features is None else self.known.features.shape
        empty = torch.empty((0, *shape), dtype=torch.uint8)
        nothing = DeviceSplit([empty], torch.empty(0), self.device, self.info.kind)
        names = self.settings.scores
        plain = tuple(name for name in names if name not in FITTED)
        scorer = Scorer(self.model, scoring(self.run, plain), nothing, 0)
        scorer.names = names  # type: ignore[assignment]
        scorer.shapes = {name: self.known.shapes[name] for name in names if name in FITTED}
        return scorer

    def score(self, images: Tensor, group: Tensor, strip: np.ndarray) -> Scores:
        """Return the scores of images.

        Args:
            images: uint8 [N, C, S, S].
            group: number of each one's group, int64 [N].
            strip: which are of one strip, int [N].

        Raises:
            InputError: the model yields NaN or infinity.
        """
        maps = self._raw_maps(images, group, strip)
        self._check(maps)
        numbers, nothing = group.cpu().numpy(), np.zeros(len(images), np.int64)
        places = dict.fromkeys(("top", "left", "label", "defect"), nothing)
        sides = {name: values.shape[1] for name, values in maps.items()}
        strips = np.unique(strip, return_inverse=True)[1].reshape(-1)
        file = _Maps(Path(self.label), sides, group=numbers, strip=strips, **places, maps=maps)
        phase = preprocess(file, self.settings)
        raw = {name: phase.patch_scores[self.settings.aggregation][name] for name in self.known.patches}
        score = calibrated_scores(raw, numbers, self.known.patches, self.settings.weight)[COMBINED]
        if (bad := ~np.isfinite(score)).any():
            raise InputError(f"{self.label}: the score of image {int(bad.argmax())} is NaN or infinite")
        calibrated = next(calibrated_maps(phase, self.known.cells, np.ones(len(images), bool)))[1][COMBINED]
        return Scores(score, score > self.threshold, calibrated, self.threshold)

    def seen(self, images: Tensor, group: Tensor) -> DeviceSplit:
        """Return images uint8 [N, C, S, S] as the model sees them: their pixels, or features."""
        x = images if self.known.features is None else self.known.features.of(images, self.device)
        return DeviceSplit([x], group, self.device, self.info.kind)

    def _raw_maps(self, images: Tensor, group: Tensor, strip: np.ndarray) -> ScoreMaps:
        split, ids = self.seen(images, group), np.arange(len(images))
        size = max(1, self.run.evaluate.batch_size // 8)
        strips = self.scorer.strips(split, ids, strip, size)
        parts: dict[str, list[np.ndarray]] = {}
        for rows in torch.arange(len(images)).split(size):
            own = {name: of_all.of(rows) for name, of_all in strips.items()}
            for name, values in self.scorer.maps(split.take(rows), own)[0].items():
                parts.setdefault(name, []).append(values.float().cpu().numpy())
        return {name: np.concatenate(each) for name, each in parts.items()}

    def _check(self, maps: ScoreMaps) -> None:
        for name, values in maps.items():
            bad = ~np.isfinite(values).all((1, 2))
            if bad.any():
                raise InputError(f"{self.label}: score {name!r} of image {int(bad.argmax())} is NaN or infinite")


def _start(pixels: np.ndarray, margin: int) -> int:
    column = fabric_start(pixels[..., 0])
    return 0 if column is None else column + margin


def scoring(run: Run, names: tuple[str, ...]) -> Run:
    """Return a run whose evaluation makes these scores alone."""
    return run.model_copy(update={"evaluate": run.evaluate.model_copy(update={"scores": names})})
