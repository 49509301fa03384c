"""Anomaly scores that need no network: PCA of blocks and plain statistics of windows, fitted to each group.

B batch, b images of a group, h cells of a map to a side, D values of a block.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.evaluation.scores.maps import STEP, spread
from vaelab.evaluation.scores.normality import by_group, distances, fit_normals
from vaelab.models.image import patch_pca
from vaelab.models.pca import Pca

RESIDUAL_COMPONENTS, LATENT_COMPONENTS = 8, 24


class Baselines:
    """What needs no network: PCA of blocks, and plain statistics of windows, fitted to each group.

    Of feature maps, PCA of the features of each place, and their Mahalanobis distance.

    Args:
        train: the training split.
        reduce: source pixels to a side of one of the images'.
        batch_size: images at a time.
        features: components of the PCA of feature maps; 0: of images.
    """

    def __init__(self, train: DeviceSplit, reduce: int, batch_size: int, features: int = 0) -> None:
        self.block = min(max(8, 16 // reduce), train.shape[-1])  # 16 source pixels, but no fewer than 8
        self.step = max(STEP, self.block // 4)
        self.kept, self.latent_size = RESIDUAL_COMPONENTS, LATENT_COMPONENTS
        self.name, self.described = "local_statistics", self._statistics
        if features:
            self.block, self.step, self.kept, self.latent_size = 1, 1, features, features
            self.name, self.described = "feature_mahalanobis", _as_they_are
        self.models: dict[int, Pca] = {}
        for number, batches in by_group(train, batch_size):
            side = train.shape[-1] // self.block * self.block
            images = torch.cat([batch.x for batch in batches]).cpu()[..., :side, :side]
            values = images.shape[1] * self.block**2
            most = min(self.latent_size, values, images.numel() // values - 1)
            self.models[number] = patch_pca.fit_patch_pca(images, self.block, most, 0)
        self.statistics = fit_normals(self.described, train, batch_size)

    def maps(self, batch: Batch) -> dict[str, Tensor]:
        """Return the maps [B, h, h] of `pca_residual`, `pca_mahalanobis`, and `local_statistics`, or its like."""
        statistics = distances(self.statistics, self.described(batch), batch.group)
        return self.of_pca(batch) | {self.name: spread(statistics, batch.x.shape[-1] // self.step)}

    def of_pca(self, batch: Batch) -> dict[str, Tensor]:
        """Return the first two of these; of a group that was not trained on, the least of all groups' distances."""
        found: dict[str, Tensor] = {}
        for number in batch.group.unique().tolist():
            here = batch.group == number
            models = [self.models[number]] if number in self.models else list(self.models.values())
            of_models = [self._of_model(batch.x[here], model) for model in models]
            for name in of_models[0]:
                values = torch.stack([maps[name] for maps in of_models]).amin(0)
                if name not in found:
                    found[name] = values.new_empty((len(batch.x), *values.shape[1:]))
                found[name][here] = values
        return {name: spread(values, batch.x.shape[-1] // self.step) for name, values in found.items()}

    def latents(self, batch: Batch, step: int) -> Tensor:
        """Return the PCA's components of blocks `step` pixels apart, [B, k, h, h], 0 where a group has fewer.

        Of a group that was not trained on, those of the first one.
        """
        blocks = F.unfold(batch.x, self.block, stride=step).transpose(1, 2)  # [B, places, D]
        found = blocks.new_zeros((*blocks.shape[:2], self.latent_size))
        for number in batch.group.unique().tolist():
            here, model = batch.group == number, self.models.get(number, next(iter(self.models.values())))
            components = model.components.T.to(blocks)
            found[here, :, : components.shape[1]] = (blocks[here] - model.mean.to(blocks)) @ components
        side = round(blocks.shape[1] ** 0.5)
        maps: Tensor = found.transpose(1, 2).unflatten(2, (side, side))
        return maps

    def _of_model(self, x: Tensor, model: Pca) -> dict[str, Tensor]:
        blocks = F.unfold(x, self.block, stride=self.step).transpose(1, 2)  # [b, places, D]
        side = round(blocks.shape[1] ** 0.5)
        scores = (blocks - model.mean.to(x)) @ model.components.T.to(x)
        total = (blocks - model.mean.to(x)).square().sum(2)
        left = (total - scores[..., : self.kept].square().sum(2)).clamp_min(0) / blocks.shape[2]
        distance = (scores.square() / model.variance.to(x)).sum(2)
        return {"pca_residual": left.unflatten(1, (side, side)), "pca_mahalanobis": distance.unflatten(1, (side, side))}

    def _statistics(self, batch: Batch) -> Tensor:
        """Mean, log standard deviation and log gradient energy of each window, [B, 3, h, h]."""
        x = batch.x.mean(1, keepdim=True)
        mean, square = (F.avg_pool2d(values, self.block, self.step) for values in (x, x.square()))
        deviation = (square - mean.square()).clamp_min(0)
        steps = F.pad((x[..., 1:] - x[..., :-1]).square(), (0, 1)) + F.pad(
            (x[..., 1:, :] - x[..., :-1, :]).square(), (0, 0, 0, 1)
        )
        return torch.cat([mean, (deviation + 1e-5).log(), (F.avg_pool2d(steps, self.block, self.step) + 1e-5).log()], 1)


def _as_they_are(batch: Batch) -> Tensor:
    return batch.x
