"""detector.safetensors: what scores pictures beside a model file, anywhere. Arrays, and a description that is checked.

`shape/<score>/<group>/<part>` distributions of features; `patches/` and `cells/` likewise calibrations; `features/` the
scale of features.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from vaelab import __version__, storage
from vaelab.anomaly.calibration import Calibration
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError, shortened
from vaelab.evaluation.scores.normality import Mixture, Normal, Shape
from vaelab.models.description import open_model
from vaelab.models.files import ModelFile
from vaelab.params.base import Block
from vaelab.params.blocks import Evaluate
from vaelab.params.problems import check, raise_problems
from vaelab.params.threshold import Threshold
from vaelab.serving.calibrations import PARTS, numbers, restored
from vaelab.serving.detector import Detector, Known
from vaelab.serving.features import Features

METADATA = "vaelab_detector"
SHAPES: dict[str, Any] = {"mahalanobis": Normal, "mixture": Mixture}

Arrays = dict[str, np.ndarray]


class _Features(Block):
    layer: Literal["stem", "s2", "s4", "s8", "s16b", "s32a"]
    side: int


class _Stored(Block):
    version: str
    settings: Threshold
    evaluate: Evaluate
    threshold: float
    info: DataInfo
    groups: dict[str, list[int]]  # by score: those that are calibrated
    features: _Features | None
    margin: int | None = None


def write_detector(path: Path, detector: Detector) -> None:
    """Write all that a detector is, but its model."""
    known, arrays = detector.known, Arrays()
    for score, shapes in known.shapes.items():
        for number, shape in shapes.items():
            for part, tensor in shape._asdict().items():  # type: ignore[attr-defined]
                arrays[f"shape/{score}/{number}/{part}"] = tensor.cpu().numpy()
    for what, calibrations in (("patches", known.patches), ("cells", known.cells)):
        for score, by_group in calibrations.items():
            for number, calibration in by_group.items():
                for part, value in numbers(calibration).items():
                    arrays[f"{what}/{score}/{number}/{part}"] = value
    if known.features is not None:
        arrays |= {f"features/{name}": getattr(known.features, name).numpy() for name in ("mean", "deviation")}
    groups = {score: sorted(by_group) for score, by_group in known.patches.items()}
    described = {
        "version": __version__, "settings": known.settings.model_dump(mode="json"),
        "evaluate": detector.run.evaluate.model_dump(mode="json"), "threshold": known.threshold,
        "info": asdict(detector.info), "groups": groups,
        "features": known.features and {"layer": known.features.layer, "side": known.features.side},
        "margin": known.margin,
    }  # fmt: skip
    storage.write_tensors(path, arrays, {METADATA: json.dumps(described)})


def read_detector(path: Path, label: str, file: ModelFile, device: torch.device) -> Detector:
    """Return the detector in a file, for the model beside it.

    Raises:
        InputError: the file is damaged, or was made for another model.
    """
    with open_model(path) as opened:  # which looks at the size of its header first
        metadata = opened.metadata() or {}
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    try:
        raw = json.loads(metadata[METADATA])
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: holds no detector: {shortened(error)}") from None
    raise_problems(f"the description in {path}", check(_Stored, raw))
    stored = _Stored.model_validate(raw)
    if stored.features is None and stored.info.shape != file.info.shape:
        raise InputError(f"{path}: made for images {list(stored.info.shape)}; the model takes {list(file.info.shape)}")
    try:
        _check_numbers(arrays, stored.settings)
        known = _known(stored, arrays, device)
        _check(known, stored, file)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise InputError(f"{path}: damaged: {shortened(error)}; export the run again") from None
    run = file.run.model_copy(update={"evaluate": stored.evaluate})
    return Detector(label, file.model, run, stored.info, known, device)


def _check_numbers(arrays: Mapping[str, np.ndarray], settings: Threshold) -> None:
    """Raise a ValueError where a number would make scores NaN, of which a threshold flags none, or has no place."""
    for name, values in arrays.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"{name} is not finite")
        what, _, part = name.partition("/")[0], *name.rpartition("/")[1:]
        if what in ("patches", "cells"):
            if part in ("std", "excess") and not (values > 0).all():
                raise ValueError(f"{name} is not above 0")
            if settings.calibration == "log_z" and values.size != 1:
                raise ValueError(f"{name} has {values.size} numbers, expected 1")


def _known(stored: _Stored, arrays: Mapping[str, np.ndarray], device: torch.device) -> Known:
    shapes: dict[str, dict[int, Shape]] = {}
    for name in arrays:
        if name.startswith("shape/"):
            _, score, number, _ = name.split("/")
            parts = {part: arrays[f"shape/{score}/{number}/{part}"] for part in SHAPES[score]._fields}
            found = {part: torch.from_numpy(np.array(value)).to(device) for part, value in parts.items()}
            shapes.setdefault(score, {})[int(number)] = SHAPES[score](**found)
    features = None
    if stored.features is not None:
        mean, deviation = (torch.from_numpy(np.array(arrays[f"features/{name}"])) for name in ("mean", "deviation"))
        features = Features(stored.features.layer, mean, deviation, stored.features.side)
    kind = stored.settings.calibration
    patches, cells = (
        {score: _calibrations(arrays, f"{what}/{score}", kind, stored.groups[score]) for score in stored.groups}
        for what in ("patches", "cells")
    )
    return Known(stored.settings, stored.threshold, shapes, patches, cells, features, stored.margin)


def _check(known: Known, stored: _Stored, file: ModelFile) -> None:
    """Raise a ValueError where what is stored does not go together."""
    model, settings = file.run.model, stored.settings
    channels = model.latent_channels if model.latent == "map" else file.model.latent_dim
    numbers = range(len(stored.info.groups))
    for of in (known.patches, known.cells):
        for score in (*settings.scores, *([COMBINED] if settings.combine == "cells" else [])):
            of[score]
    for score in settings.scores:
        if score in SHAPES and set(known.shapes[score]) != set(stored.groups[score]):
            raise ValueError(f"score {score} lacks the distribution of a group")
        if not set(stored.groups[score]) <= set(numbers):
            raise ValueError(f"score {score} has groups {stored.groups[score]} of {len(numbers)}")
    for shapes in known.shapes.values():
        for shape in shapes.values():
            pair: Any = shape
            first, second = pair
            if first.shape[-1] != channels or second.shape != (*first.shape, channels):
                raise ValueError(f"a distribution of {list(first.shape)} features; the model has {channels}")


def _calibrations(
    arrays: Mapping[str, np.ndarray], prefix: str, kind: str, groups: Sequence[int]
) -> dict[int, Calibration]:
    return {
        group: restored(kind, {part: arrays[f"{prefix}/{group}/{part}"] for part in PARTS[kind]}) for group in groups
    }
