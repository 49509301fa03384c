"""Anomaly scores of a trained model on every phase but train, beside those of baselines, as saved for stage threshold.

N images, h cells of a map to a side, c channels of a latent map.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts, storage
from vaelab.data.format.batches import default_device, load_columns, load_split
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.format.prepared import read_meta, split_files
from vaelab.evaluation.scores.normality import MOST_MIXED
from vaelab.evaluation.scores.painter import fit_painter
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.measures.image.batch import stored
from vaelab.models.files import load_model
from vaelab.models.image.features import Inputs
from vaelab.models.vae import VAE, Decoded
from vaelab.params.schema import Run

PHASES = ("val", "test", *DEFECT_PHASES)  # those of normals first
QUICK = 4000  # places that a mixture is fitted to where only some images are scored
PLACES = ("strip", "top", "left", "label", "defect")


class Scores(NamedTuple):
    """Everything of one phase."""

    phase: str
    ids: np.ndarray  # of the images in the phase [N]
    arrays: dict[str, np.ndarray]  # maps float32 [N, h, h] by score; group, strip, top, left and so on, [N]
    reconstruction: np.ndarray  # uint8 [N, C, S, S]; of feature maps what they look like


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
    meta, inputs = read_meta(data), Inputs(run.model, data, device)
    train = inputs.split("train")
    some = 0 < most < max(len(load_split(data, phase, inputs.data, device)) for phase in PHASES)
    scorer = Scorer(model, run, train, 0 if most else int(meta.get("reduce", 1)), QUICK if some else MOST_MIXED)
    pixels = run.model.features == "none"
    paint = _as_it_is if pixels else fit_painter(train, load_split(data, "train", inputs.data, device))
    for phase in PHASES:
        split = inputs.split(phase)
        if not len(split):
            continue
        columns = {name: tensor.numpy() for name, tensor in load_columns(data, phase, PLACES).items()}
        places = {"strip": np.arange(len(split)), "top": np.zeros(len(split)), "left": np.zeros(len(split)), **columns}
        places["group"] = split.group.cpu().numpy()
        ids = whole_strips(places["strip"], places["group"], most or len(split))
        parts: dict[str, list[np.ndarray]] = {}
        size = max(1, run.evaluate.batch_size // 8)
        strips = scorer.strips(split, ids, places["strip"][ids], size)
        for rows in torch.arange(len(ids)).split(size):
            own = {name: of_all.of(rows) for name, of_all in strips.items()}
            found, reconstruction = scorer.maps(split.take(torch.from_numpy(ids)[rows]), own)
            parts.setdefault("", []).append(stored(Decoded(paint(reconstruction))).cpu().numpy())
            for name, maps in found.items():
                parts.setdefault(name, []).append(maps.float().cpu().numpy())
        arrays = {name: np.concatenate(each) for name, each in parts.items()}
        images = arrays.pop("")
        types = {"label": np.uint8}
        arrays |= {name: values[ids].astype(types.get(name, np.int32)) for name, values in places.items()}
        yield Scores(phase, ids, arrays, images)


def _as_it_is(images: Tensor) -> Tensor:
    return images


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
