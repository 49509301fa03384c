"""Pictures to anomaly scores as one graph: the model, its maps, calibration and threshold, all inside.

B batch, C S S image, h cells of a map to a side, G groups.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.anomaly.preprocessing import COMBINED, TINY
from vaelab.anomaly.score import Calibrations
from vaelab.anomaly.score_files import cell_of
from vaelab.errors import InputError
from vaelab.evaluation.scores.maps import framed, latent_cells, spread
from vaelab.evaluation.scores.normality import Shape
from vaelab.evaluation.scores.strips import STANDARDISED
from vaelab.models.image.local import LocalEncoder
from vaelab.serving.calibrations import APPLIED, PARTS, numbers
from vaelab.serving.detector import Detector
from vaelab.serving.export.graphs import Graph, example, of_group, told, traceable
from vaelab.serving.export.local_graph import of_places
from vaelab.serving.export.score_maps import IN_A_GRAPH, median_of, standardised
from vaelab.serving.features import cut

OUTPUTS = ("score", "flagged", "map")
NOT_IN_A_GRAPH = {"projection": "takes gradients"}


def refusal(detector: Detector) -> str | None:
    """Return why a detector cannot be one graph; None where it can."""
    for name in detector.settings.scores:
        if name in NOT_IN_A_GRAPH:
            return f"score {name} {NOT_IN_A_GRAPH[name]}"
    return None


def is_of_strips(detector: Detector) -> bool:
    """Return whether images are measured against those that they are handed in with."""
    return detector.settings.relative == "strip" or STANDARDISED in detector.settings.scores


def score_graph(detector: Detector) -> Graph:
    """Return the graph from `image` float [B, C, S, S] in [0, 1] to `score` [B], `flagged` [B] and `map` [B, h, h].

    Where the data have several groups, `group` int64 [B] says which; with `threshold.relative: strip`, and of
    the score `standardised`, a batch is one strip.

    Raises:
        InputError: it cannot be one graph.
    """
    if reason := refusal(detector):
        raise InputError(f"{detector.label}: no score.onnx: {reason}; `vaelab score` does it")
    groups = len(detector.info.groups) > 1
    return Graph(ScoreGraph(detector).eval(), {"image": example(detector.info)} | told(groups), OUTPUTS)


class ScoreGraph(nn.Module):
    """What `vaelab.serving.detector` does, in tensor operations alone."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        known, scorer = detector.known, detector.scorer
        self.settings, self.threshold, self.local, self.step = (
            known.settings,
            known.threshold,
            scorer.local,
            scorer.step,
        )
        self.model, self.channels, self.side = traceable(detector.model), scorer.channels, scorer.side
        encoder = detector.model.encoder
        self.stride = encoder.cell // self.step if isinstance(encoder, LocalEncoder) else 1  # places to the next cell
        self.features = known.features
        self.network = self.features and self.features.network(detector.device)
        count = len(detector.info.groups)
        self.shapes = {name: _each(shapes, count) for name, shapes in known.shapes.items()}
        self.patches, self.cells = (
            _stacked(of, known.settings.calibration, count) for of in (known.patches, known.cells)
        )

    def forward(self, image: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return score [B], whether it is above the threshold [B], and the calibrated map [B, h, h]."""
        group = image.new_zeros(image.shape[0], dtype=torch.int64) if group is None else group
        maps = self._maps(self._seen(image), group)
        if self.settings.relative == "strip":
            maps = {name: values / _median(values) for name, values in maps.items()}
        finest = max(values.shape[-1] for values in maps.values())
        if self.settings.combine == "cells":
            maps = {COMBINED: self._mean(maps, finest)}
        maps = {name: self._smoothed(values) for name, values in maps.items()}
        scores = {name: self._calibrated(self.patches[name], self._aggregated(of), group) for name, of in maps.items()}
        cells = {name: self._calibrated(self.cells[name], of, group) for name, of in maps.items()}
        weight = {COMBINED: 1.0} if self.settings.combine == "cells" else self.settings.weight
        score = torch.stack([factor * scores[name] for name, factor in weight.items()]).sum(0)
        whole = torch.stack([factor * _enlarged(cells[name], finest) for name, factor in weight.items()]).sum(0)
        return score, score > self.threshold, whole

    def _seen(self, image: Tensor) -> Tensor:
        if self.features is None or self.network is None:
            return image
        return self.features.stored(cut(self.network, image)) / 255

    def _maps(self, x: Tensor, group: Tensor) -> dict[str, Tensor]:
        found, means, y = of_places(self.model, x, group) if self.local else self._of_image(x, group)
        for name in self.settings.scores:
            if name == STANDARDISED:
                found[name] = standardised(means, self.stride)
            if name in self.shapes:
                found[name] = of_group(torch.stack([shape.distance(means) for shape in self.shapes[name]], 1), group)
        if self.local:
            found = {name: spread(values, self.side // self.step) for name, values in found.items()}
        missing = [name for name in self.settings.scores if name not in found]
        if missing:
            y = (self.model(x, group=group).reconstruction if y is None else y).clamp(0, 1)  # twice, and ONNX loses one
            found |= {name: IN_A_GRAPH[name](x, y) for name in missing}
        chosen = {name: found[name] for name in self.settings.scores}
        return {name: framed(values) for name, values in chosen.items()} if self.features is not None else chosen

    def _of_image(self, x: Tensor, group: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        inference = self.model(x, group=group)
        means, kl = latent_cells(inference, self.channels)
        return {"kl": kl}, means, inference.reconstruction

    def _mean(self, maps: Mapping[str, Tensor], side: int) -> Tensor:
        """Weighted geometric mean, cell by cell."""
        weight = self.settings.weight
        logs = [factor * _enlarged((maps[name] + float(TINY)).log(), side) for name, factor in weight.items()]
        return (torch.stack(logs).sum(0) / sum(weight.values())).exp()

    def _smoothed(self, maps: Tensor) -> Tensor:
        """As `vaelab.anomaly.preprocessing.smoothed`: a Gaussian of the logarithms, cut at three deviations."""
        deviation = self.settings.smoothing
        if not deviation:
            return maps
        reach = int(3 * deviation + 0.5)
        kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / deviation).square())
        kernel = kernel / kernel.sum()
        logs = F.pad((maps + float(TINY)).log()[:, None], (reach, reach, reach, reach), mode="replicate")
        smooth = F.conv2d(F.conv2d(logs, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
        return smooth[:, 0].exp()

    def _aggregated(self, maps: Tensor) -> Tensor:
        cells = maps.flatten(1)
        if self.settings.aggregation == "top_k":
            return cells.topk(min(self.settings.top_k, cells.shape[1])).values.mean(1)
        return cells.mean(1) if self.settings.aggregation == "mean" else cells.amax(1)

    def _calibrated(self, parts: Sequence[Tensor], values: Tensor, group: Tensor) -> Tensor:
        """Values [B, ...], each calibrated as its group is."""
        own = [part[group].view(group.shape[0], *[1] * (values.ndim - 1), *part.shape[1:]) for part in parts]
        return APPLIED[self.settings.calibration](values, *own)


def _each(shapes: Mapping[int, Shape], count: int) -> list[Shape]:
    """A distribution for each group; of one without any, that of the first: it is refused before it gets here."""
    return [shapes.get(number, next(iter(shapes.values()))) for number in range(count)]


def _stacked(calibrations: Calibrations, kind: str, count: int) -> dict[str, list[Tensor]]:
    """What the calibrations of all groups are made of, by score, float32 [G, ...]; knots are as many in all."""
    found = {}
    for score, by_group in calibrations.items():
        fitted = [numbers(by_group.get(number, next(iter(by_group.values())))) for number in range(count)]
        parts = [[values[part] for values in fitted] for part in PARTS[kind]]
        found[score] = [torch.from_numpy(_even(each)).float() for each in parts]
    return found


def _even(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of one length: the last value of a shorter one is repeated, which changes nothing."""
    longest = max(part.size for part in parts)
    return np.stack([part if part.ndim == 0 else np.pad(part, (0, longest - part.size), "edge") for part in parts])


def _median(values: Tensor) -> Tensor:
    """Median of all values; 1 for 0."""
    median = median_of(values.reshape(1, -1))[:, 0]
    return torch.where(median == 0, torch.ones_like(median), median)


def _enlarged(maps: Tensor, side: int) -> Tensor:
    """Maps [B, h, h] on a finer grid, each cell with the value of the one that it lies in."""
    if maps.shape[-1] == side:
        return maps
    nearest = torch.from_numpy(cell_of(side, maps.shape[-1]))
    return maps[:, nearest][:, :, nearest]
