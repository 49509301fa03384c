"""Anomaly scores of a trained model on every phase but train, beside those of baselines, as saved for stage threshold.

N images, h cells of a map to a side, c channels of a latent map.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts
from vaelab.data.format.batches import DeviceSplit, default_device, load_columns, load_split
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.format.prepared import read_meta, split_files
from vaelab.data.format.row_file import row_file
from vaelab.evaluation.scores.normality import MOST_MIXED
from vaelab.evaluation.scores.painter import fit_painter
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.evaluation.scores.strips import Strips
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
    places: dict[str, np.ndarray]  # group, strip, top, left and so on, [N]
    # of a few images at a time: maps float32 [b, h, h] by score; reconstructions uint8 [b, C, S, S], of feature maps
    # what they look like
    parts: Iterator[tuple[dict[str, np.ndarray], np.ndarray]]


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
        _write(found, artifacts.score_maps(folder, found.phase), artifacts.score_reconstructions(folder, found.phase))


def _write(found: Scores, maps: Path, reconstructions: Path) -> None:
    """Write the scores of a phase as they come."""
    ids, rows = {"ids": found.ids.astype(np.int32)}, len(found.ids)
    first = next(found.parts)
    with (
        row_file(maps, {**first[0], **found.places}, rows) as scores,
        row_file(reconstructions, {"reconstruction": first[1], **ids}, rows) as pictures,
    ):
        scores.add(found.places)
        pictures.add(ids)
        for of_maps, images in chain([first], found.parts):
            scores.add(of_maps)
            pictures.add({"reconstruction": images})


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
        types = {"label": np.uint8}
        own = {name: values[ids].astype(types.get(name, np.int32)) for name, values in places.items()}
        size = max(1, split.at_once(run.evaluate.batch_size) // 8)
        strips = scorer.strips(split, ids, places["strip"][ids], size)
        yield Scores(phase, ids, own, _parts(scorer, split, ids, strips, paint, size))


def _parts(
    scorer: Scorer,
    split: DeviceSplit,
    ids: np.ndarray,
    strips: Mapping[str, Strips],
    paint: Callable[[Tensor], Tensor],
    size: int,
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Maps and reconstructions of images, so many at a time."""
    for rows in torch.arange(len(ids)).split(size):
        own = {name: of_all.of(rows) for name, of_all in strips.items()}
        found, reconstruction = scorer.maps(split.take(torch.from_numpy(ids)[rows]), own)
        maps = {name: values.float().cpu().numpy() for name, values in found.items()}
        yield maps, stored(Decoded(paint(reconstruction))).cpu().numpy()


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
