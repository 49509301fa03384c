"""Anomaly scores of a trained model on every phase but train, beside those of baselines, as saved for stage threshold.

N images, h cells of a map to a side, c channels of a latent map.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts, storage
from vaelab.data.format.batches import Batch, DeviceSplit, default_device, load_columns, load_split
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.format.prepared import read_info, read_meta, split_files
from vaelab.evaluation.scores.baselines import Baselines
from vaelab.evaluation.scores.maps import OF_RECONSTRUCTION, STEP, Maps, absolute, dense, latent_cells, spread
from vaelab.evaluation.scores.normality import MOST_MIXED, Shape, distances, fit_mixtures, fit_normals
from vaelab.evaluation.scores.projection import projected
from vaelab.measures.image.batch import stored
from vaelab.models.files import load_model
from vaelab.models.image.local import LocalEncoder
from vaelab.models.vae import VAE, Decoded, Inference
from vaelab.params.schema import Run

PHASES = ("val", "test", *DEFECT_PHASES)  # those of normals first
QUICK = 4000  # places that a mixture is fitted to where only some images are scored
PLACES = ("strip", "top", "left", "label", "defect")


class Scores(NamedTuple):
    """Everything of one phase."""

    phase: str
    ids: np.ndarray  # of the images in the phase [N]
    arrays: dict[str, np.ndarray]  # maps float32 [N, h, h] by score; group, strip, top, left and so on, [N]
    reconstruction: np.ndarray  # uint8 [N, C, S, S]


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
        size = max(1, run.evaluate.batch_size // (8 if self.local else 1))
        with torch.no_grad():
            self.baselines = Baselines(train, reduce, size) if reduce else None
            self.shapes: dict[str, Mapping[int, Shape]] = {}  # of the posterior means, by score
            if "mahalanobis" in self.names:
                self.shapes["mahalanobis"] = fit_normals(self._means, train, size)
            if "mixture" in self.names:
                self.shapes["mixture"] = fit_mixtures(self._means, train, size, run.evaluate.seed, places)

    def maps(self, batch: Batch) -> tuple[Maps, Tensor]:
        """Return the maps of all scores and baselines, and the reconstructions that they are of."""
        with torch.no_grad():
            found = self._dense(batch) if self.local else {}
            inference = self.model(batch.x, group=batch.group)
            reconstruction = inference.reconstruction.clamp(0, 1)
            for name in self.names:
                if name in OF_RECONSTRUCTION and name not in found:
                    found[name] = OF_RECONSTRUCTION[name](batch.x, reconstruction)
            if not self.local:
                found |= self._of_latents(inference, batch.group)
            baselines = self.baselines.maps(batch) if self.baselines else {}
        if "projection" in self.names:
            found["projection"] = absolute(batch.x, projected(self.model, batch, self.steps))
        return {**{name: found[name] for name in self.names}, **baselines}, reconstruction

    def _dense(self, batch: Batch) -> Maps:
        values = dense(self.model, batch.x, batch.group)
        means = values.pop("mean")
        values |= self._distances(means, batch.group)
        return {name: spread(maps, self.side // STEP) for name, maps in values.items()}

    def _of_latents(self, inference: Inference, group: Tensor) -> Maps:
        mean, kl = latent_cells(inference, self.channels)
        return {"kl": kl} | self._distances(mean, group)

    def _distances(self, means: Tensor, group: Tensor) -> Maps:
        return {name: distances(shapes, means, group) for name, shapes in self.shapes.items()}

    def _means(self, batch: Batch) -> Tensor:
        return latent_cells(self.model(batch.x, group=batch.group), self.channels)[0]


def write_scores(run: Run, weights: Path, data: Path) -> None:
    """Save the scores of a run where it has any: `run.evaluate.anomalies` says so, or its data have defects.

    Raises:
        InputError: model file or data are missing or damaged.
    """
    asked = run.evaluate.anomalies
    if asked == "always" or (asked == "auto" and split_files(data, "defects")):
        save_scores(run, weights, data, artifacts.scores(run.name))


def save_scores(run: Run, weights: Path, data: Path, folder: Path, most: int = 0) -> None:
    """Save the scores of the model in a file, with the reconstructions that they are of, in a folder.

    Args:
        run: whose `evaluate` block says which scores.
        weights: the model file.
        data: folder of the prepared data set.
        folder: where to.
        most: about how many images of each phase are scored, whole strips, without baselines; 0: all, with them.

    Raises:
        InputError: model file or data are missing or damaged.
    """
    device = default_device()
    loaded = load_model(weights, device)
    asked = loaded.run.model_copy(update={"evaluate": run.evaluate})
    for found in score(asked, loaded.model, data, device, most):
        storage.write_tensors(artifacts.score_maps(folder, found.phase), found.arrays)
        images = {"reconstruction": found.reconstruction, "ids": found.ids.astype(np.int32)}
        storage.write_tensors(artifacts.score_reconstructions(folder, found.phase), images)


def score(run: Run, model: VAE, data: Path, device: torch.device, most: int = 0) -> Iterator[Scores]:
    """Yield the scores of each phase that the data have.

    Args:
        run: whose `evaluate` block says which scores, and how many images at a time.
        model: on `device`, in evaluation mode.
        data: folder of the prepared data set.
        device: where it is computed.
        most: about how many images of each phase, whole strips, without baselines; 0: all, with them. Where that leaves
            none out, scores are the same as those of all.

    Raises:
        InputError: the data are missing or damaged.
    """
    info, meta = read_info(data), read_meta(data)
    train = load_split(data, "train", info, device)
    some = 0 < most < max(len(load_split(data, phase, info, device)) for phase in PHASES)
    scorer = Scorer(model, run, train, 0 if most else int(meta.get("reduce", 1)), QUICK if some else MOST_MIXED)
    for phase in PHASES:
        split = load_split(data, phase, info, device)
        if not len(split):
            continue
        columns = {name: tensor.numpy() for name, tensor in load_columns(data, phase, PLACES).items()}
        places = {"strip": np.arange(len(split)), "top": np.zeros(len(split)), "left": np.zeros(len(split)), **columns}
        places["group"] = split.group.cpu().numpy()
        ids = whole_strips(places["strip"], places["group"], most or len(split))
        parts: dict[str, list[np.ndarray]] = {}
        for index in torch.from_numpy(ids).split(max(1, run.evaluate.batch_size // 8)):
            found, reconstruction = scorer.maps(split.take(index))
            parts.setdefault("", []).append(stored(Decoded(reconstruction)).cpu().numpy())
            for name, maps in found.items():
                parts.setdefault(name, []).append(maps.float().cpu().numpy())
        arrays = {name: np.concatenate(each) for name, each in parts.items()}
        images = arrays.pop("")
        types = {"label": np.uint8}
        arrays |= {name: values[ids].astype(types.get(name, np.int32)) for name, values in places.items()}
        yield Scores(phase, ids, arrays, images)


def whole_strips(strip: np.ndarray, group: np.ndarray, most: int) -> np.ndarray:
    """Return the ids of about `most` images, sorted: all of each of some strips, evenly spread.

    More than that where it takes two strips of each group, which calibration needs.
    """
    chosen: list[int] = []
    for number in np.unique(group):
        known = np.unique(strip[group == number])
        count = min(len(known), max(2, round(len(known) * most / len(strip))))
        chosen += known[np.linspace(0, len(known) - 1, count).round().astype(int)].tolist()
    return np.flatnonzero(np.isin(strip, chosen))
