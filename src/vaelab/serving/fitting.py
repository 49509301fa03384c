"""A detector from what a project has of a run: its training images, its saved scores, its threshold."""

from pathlib import Path

import torch

from vaelab import artifacts, storage
from vaelab.anomaly.fit import Fitted, fit
from vaelab.anomaly.preprocessing import COMBINED, preprocess
from vaelab.anomaly.score_files import read_phases
from vaelab.anomaly.select import BASELINES
from vaelab.errors import InputError
from vaelab.evaluation.scores.normality import MOST_MIXED
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.models.files import ModelFile
from vaelab.models.image.features import Inputs
from vaelab.params.datasets import Aitex
from vaelab.params.problems import check, raise_problems
from vaelab.params.resolve import read_dataset, read_run
from vaelab.params.threshold import Threshold
from vaelab.serving.detector import FITTED, Detector, Known, scoring
from vaelab.serving.features import features_of


def fitted_detector(project: Path, name: str, file: ModelFile, device: torch.device) -> Detector:
    """Return what scores pictures as the stages of a run did.

    Args:
        project: its root.
        name: of the run.
        file: its model, on `device`.
        device: where it is computed.

    Raises:
        InputError: the run has no anomaly scores, or what they were made of is not there.
    """
    run = read_run(project / artifacts.resolved(name))
    asked = file.run.model_copy(update={"evaluate": run.evaluate})
    fitted = _thresholds(project, name)
    settings = fitted.val.settings
    if wanted := sorted(BASELINES & set(settings.scores)):
        raise InputError(f"{name}: threshold.scores has {', '.join(wanted)}, which the pipeline alone computes")
    seen = Inputs(file.run.model, project / artifacts.prepared(run.data), device)
    features = features_of(seen)
    names = tuple(score for score in settings.scores if score in FITTED)
    shapes = Scorer(file.model, scoring(asked, names), seen.split("train"), 0, MOST_MIXED).shapes
    scores = (COMBINED, *settings.scores) if settings.combine == "cells" else settings.scores
    patches, cells = (
        {score: of_all[score] for score in scores} for of_all in (fitted.patches[settings.aggregation], fitted.cells)
    )
    known = Known(settings, fitted.thresholds[COMBINED], shapes, patches, cells, features, _margin(project, run.data))
    return Detector(name, file.model, asked, file.info if features is None else seen.data, known, device)


def _margin(project: Path, data: str) -> int | None:
    """What is left out beside the selvage, of data that have one."""
    path = project / artifacts.dataset(data)
    settings = read_dataset(path).settings if path.is_file() else None
    return settings.margin if isinstance(settings, Aitex) else None


def _thresholds(project: Path, name: str) -> Fitted:
    """What stage threshold has learned, with the settings that it used."""
    files = read_phases(project / artifacts.scores(name))
    path = project / artifacts.thresholds(name) / "settings.json"
    if not files:
        text = "evaluate.anomalies: always, then `dvc repro`, makes them of any images"
        raise InputError(f"{name}: has no anomaly scores ({project / artifacts.scores(name)}); {text}")
    raw = storage.read_json(path)
    raise_problems(str(path), check(Threshold, raw))
    settings = Threshold.model_validate(raw)
    phases = {phase: preprocess(file, settings) for phase, file in files.items()}
    return fit(phases["val"], phases.get("val_defects"))
