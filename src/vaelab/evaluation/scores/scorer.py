"""The score maps of a batch: those of a model that are asked for, and those of baselines.

B images, h cells of a map to a side, c channels of a latent map.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.evaluation.scores.baselines import Baselines
from vaelab.evaluation.scores.maps import OF_RECONSTRUCTION, STEP, Maps, absolute, dense, framed, latent_cells, spread
from vaelab.evaluation.scores.normality import MOST_MIXED, Features, Shape, distances, fit_mixtures, fit_normals
from vaelab.evaluation.scores.projection import projected
from vaelab.evaluation.scores.strips import PCA_STANDARDISED, STANDARDISED, Strips, fit_strips
from vaelab.models.image.local import LocalEncoder
from vaelab.models.vae import VAE, Inference
from vaelab.params.schema import Run

NO_STRIPS: Mapping[str, Strips] = {}


class Scorer:
    """Scores images with a model and with baselines, both fitted to the normal images of the training split.

    Args:
        model: of images.
        run: its run; `run.evaluate.scores` says which scores.
        train: the training split.
        reduce: source pixels to a side of one of the images'; 0: no baselines.
        places: that mixtures are fitted to.
    """

    def __init__(self, model: VAE, run: Run, train: DeviceSplit, reduce: int, places: int = MOST_MIXED) -> None:
        self.model, self.names, self.side = model, run.evaluate.scores, train.shape[-1]
        self.steps = run.evaluate.projection_steps
        self.channels = run.model.latent_channels if run.model.latent == "map" else model.latent_dim
        self.local = isinstance(model.encoder, LocalEncoder)
        self.step, self.features = min(STEP, run.model.cell), run.model.features != "none"
        size = max(1, run.evaluate.batch_size // (8 if self.local else 1))
        with torch.no_grad():
            self.baselines = Baselines(train, reduce, size, self.channels * self.features) if reduce else None
            self.shapes: dict[str, Mapping[int, Shape]] = {}  # of the posterior means, by score
            if "mahalanobis" in self.names:
                self.shapes["mahalanobis"] = fit_normals(self._means, train, size)
            if "mixture" in self.names:
                self.shapes["mixture"] = fit_mixtures(self._means, train, size, run.evaluate.seed, places)

    def strips(self, split: DeviceSplit, ids: np.ndarray, strip: np.ndarray, size: int) -> dict[str, Strips]:
        """Return what latents are standardised by, by score; nothing where no score asks for it.

        Args:
            split: which holds the images that will be scored.
            ids: of these images [N], strips whole.
            strip: of each of them [N].
            size: images at a time.
        """
        if STANDARDISED not in self.names:
            return {}
        features: dict[str, Features] = {STANDARDISED: self._means}
        if self.baselines:
            features[PCA_STANDARDISED] = partial(self.baselines.latents, step=self.baselines.block)
        with torch.no_grad():
            return {name: fit_strips(of, split, ids, strip, size) for name, of in features.items()}

    def maps(self, batch: Batch, strips: Mapping[str, Strips] = NO_STRIPS) -> tuple[Maps, Tensor]:
        """Return the maps of all scores and baselines, and the reconstructions that they are of.

        Args:
            batch: images [B].
            strips: what the latents of these images are standardised by.
        """
        with torch.no_grad():
            found = self._dense(batch, strips) if self.local else {}
            inference = self.model(batch.x, group=batch.group)
            reconstruction = inference.reconstruction.clamp(0, 1)
            for name in self.names:
                if name in OF_RECONSTRUCTION and name not in found:
                    found[name] = OF_RECONSTRUCTION[name](batch.x, reconstruction)
            if not self.local:
                found |= self._of_latents(inference, batch.group, strips)
            baselines = self._of_baselines(batch, strips)
        if "projection" in self.names:
            found["projection"] = absolute(batch.x, projected(self.model, batch, self.steps))
        chosen: Maps = {**{name: found[name] for name in self.names}, **baselines}
        if self.features:
            chosen = {name: framed(values) for name, values in chosen.items()}
        return chosen, reconstruction

    def _dense(self, batch: Batch, strips: Mapping[str, Strips]) -> Maps:
        values = dense(self.model, batch.x, batch.group)
        means = values.pop("mean")
        values |= self._distances(means, batch.group, strips)
        return {name: spread(maps, self.side // self.step) for name, maps in values.items()}

    def _of_latents(self, inference: Inference, group: Tensor, strips: Mapping[str, Strips]) -> Maps:
        mean, kl = latent_cells(inference, self.channels)
        return {"kl": kl} | self._distances(mean, group, strips)

    def _distances(self, means: Tensor, group: Tensor, strips: Mapping[str, Strips]) -> Maps:
        found = {name: distances(shapes, means, group) for name, shapes in self.shapes.items()}
        return found | ({STANDARDISED: strips[STANDARDISED].distance(means)} if STANDARDISED in strips else {})

    def _of_baselines(self, batch: Batch, strips: Mapping[str, Strips]) -> Maps:
        if not self.baselines:
            return {}
        found = self.baselines.maps(batch)
        if PCA_STANDARDISED in strips:
            maps = strips[PCA_STANDARDISED].distance(self.baselines.latents(batch, self.baselines.step))
            found[PCA_STANDARDISED] = spread(maps, self.side // self.baselines.step)
        return found

    def _means(self, batch: Batch) -> Tensor:
        return latent_cells(self.model(batch.x, group=batch.group), self.channels)[0]
