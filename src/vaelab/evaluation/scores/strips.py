"""How far features of a place lie from those of its own strip: no labels, and nothing of training but the features.

A strip of another batch of yarn is then not one single defect; a defect that fills its strip is lost.

N images, B batch, f features, h cells of a map to a side.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.evaluation.scores.normality import MOST_IMAGES, Features

STANDARDISED, PCA_STANDARDISED = "standardised", "pca_standardised"  # scores; the first saves both
NORMAL_MAD = 0.6744897501960817  # median absolute deviation of N(0, 1)


class Strips(NamedTuple):
    """What the features of each image are measured against: those of all images of its strip."""

    median: Tensor  # [N, f]
    scale: Tensor  # [N, f], 1 / deviation; 0 of a feature that is the same all over the strip

    def of(self, index: Tensor) -> "Strips":
        """Return those of some images."""
        return Strips(self.median[index.to(self.median.device)], self.scale[index.to(self.scale.device)])

    def distance(self, features: Tensor) -> Tensor:
        """Return the sum of the squared standardised features of each place, [B, h, h], of features [B, f, h, h]."""
        standardised = (features - self.median[:, :, None, None]) * self.scale[:, :, None, None]
        return standardised.square().sum(1)


def fit_strips(features: Features, split: DeviceSplit, ids: np.ndarray, strip: np.ndarray, batch_size: int) -> Strips:
    """Return median and deviation of the features of each image's strip, robust and without labels.

    The deviation is the median absolute one over that of N(0, 1), or, where more than half of the places have one
    value, the standard deviation.

    Args:
        features: of a batch [B, f, h, h].
        split: which holds the images.
        ids: of the images in it, int [N], strips whole.
        strip: of each image, int [N].
        batch_size: images at a time.
    """
    order = np.argsort(strip, kind="stable")
    medians, scales = [], []
    for members in np.split(order, np.flatnonzero(np.diff(strip[order])) + 1):
        some = torch.from_numpy(ids[members])[evenly(len(members), MOST_IMAGES)]
        rows = [features(split.take(part)).flatten(2).transpose(1, 2).flatten(0, 1) for part in some.split(batch_size)]
        median, deviation = _robust(torch.cat(rows).cpu().double().numpy())
        scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        medians.append(np.repeat(median[None], len(members), 0))
        scales.append(np.repeat(scale[None], len(members), 0))
    back = np.argsort(order)
    every = [torch.from_numpy(np.concatenate(each)[back]).float().to(split.device) for each in (medians, scales)]
    return Strips(*every)


def _robust(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and deviation of each column."""
    median = np.median(rows, 0)
    deviation = np.median(np.abs(rows - median), 0) / NORMAL_MAD
    return median, np.where(deviation > 0, deviation, rows.std(0))
