"""The film of a run that looks for defects: the same patches after different epochs, and how well each tells them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.anomaly.fit import check_normals, fit_cells, fit_patches
from vaelab.anomaly.measure import measured_patches, measured_scores
from vaelab.anomaly.patch_measures import patch_measures, unweighted
from vaelab.anomaly.preprocessing import COMBINED, preprocess
from vaelab.anomaly.score import calibrated_maps, score
from vaelab.anomaly.score_files import read_phases
from vaelab.data.format.prepared import read_meta, read_rows
from vaelab.figures.defects.maps import ShownPatch, film_frame
from vaelab.figures.defects.overlay import score_scale
from vaelab.figures.defects.run import score_label
from vaelab.params.schema import Run

DEFECTS, NORMALS = 4, 2  # patches that are shown
FRAMES, SCORED = 6, 120
Scorer = Callable[[Run, Path, Path, Path, int], None]


class Frame(NamedTuple):
    """What a checkpoint finds."""

    epoch: int
    auc: float
    patches: int
    shown: list[ShownPatch]


def film(run: Run, score: Scorer) -> Iterator[Figure]:
    """Yield a frame for each of some checkpoints, and at last for the model that is reported, from its saved scores.

    A checkpoint scores about SCORED patches of each phase. Its frame tells the AUC where these are all of them: of
    some, with mixtures of fewer places, it is another number than that of the report.

    Args:
        run: the run.
        score: what scores a run with weights on data, into a folder, so many patches: it needs torch, and pictures
            do not.
    """
    best = storage.read_json(artifacts.evaluation(run.name))["run"]["best_epoch"]
    found = {
        _epoch(path): path for path in (artifacts.models(run.name) / "checkpoints").glob("epoch_*[0-9].safetensors")
    }
    epochs = sorted(found)
    chosen = [epochs[round(i)] for i in np.linspace(0, len(epochs) - 1, min(FRAMES, len(epochs)))]
    frames, quick = [], _with_used_scores(run)
    for epoch in (epoch for epoch in chosen if (epoch, best) != (chosen[-1], epoch)):
        with TemporaryDirectory() as folder:
            score(quick, found[epoch], artifacts.prepared(run.data), Path(folder), SCORED)
            frames.append(_frame(run, epoch, Path(folder)))
    reported = _frame(run, best, artifacts.scores(run.name))
    maps = [one.score for frame in (*frames, reported) for one in frame.shown]
    scale = score_scale(maps, score_label(run.threshold, "cell"))
    for frame in frames:
        auc = f"ROC AUC {frame.auc:.3f} of" if frame.patches == reported.patches else "some of"
        yield film_frame(f"{run.name}, epoch {frame.epoch}: {auc} {reported.patches} patches", frame.shown, scale)
    title = f"{run.name}, epoch {best}, the reported model: ROC AUC {reported.auc:.3f} of {reported.patches} patches"
    yield film_frame(title, reported.shown, scale)


def _with_used_scores(run: Run) -> Run:
    """The run without the scores that are saved, but that its threshold does not rest on: some take long to fit."""
    used = tuple(name for name in run.evaluate.scores if name in run.threshold.scores)
    return run.model_copy(update={"evaluate": run.evaluate.model_copy(update={"scores": used or run.evaluate.scores})})


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch_"))


def _frame(run: Run, epoch: int, folder: Path) -> Frame:
    data = artifacts.prepared(run.data)
    meta, files = read_meta(data), read_phases(folder)
    check_normals(files, meta["groups"], run.threshold)
    phases = {phase: preprocess(file, run.threshold) for phase, file in files.items()}
    fitted, cells = fit_patches(phases["val"]), fit_cells(phases["val"])
    scored = {phase: score(of, fitted) for phase, of in phases.items()}
    combined = measured_scores(scored, run.threshold.aggregation)[COMBINED]
    auc = float(patch_measures(measured_patches(scored), combined, np.inf, unweighted(len(combined)))["roc_auc"][0])
    shown: list[ShownPatch] = []
    for phase, count in (("defects", DEFECTS), ("test", NORMALS)):
        if phase not in files:
            continue
        file = files[phase]
        known = np.flatnonzero(file.label != 0) if phase == "defects" else np.arange(len(file))
        if not len(known):
            continue
        places = known[np.unique(np.linspace(0, len(known) - 1, count).round().astype(int))]
        wanted = np.isin(np.arange(len(file)), places)
        maps = np.concatenate([part[COMBINED] for _, part in calibrated_maps(phases[phase], cells, wanted)])
        arrays, _ = storage.read_tensors(artifacts.score_reconstructions(folder, phase))
        ids = arrays["ids"][places].tolist()
        x = read_rows(data, phase, "x", ids)
        masks = read_rows(data, phase, "mask", ids) if phase == "defects" else [None] * len(ids)
        for number, place in enumerate(places):
            name = Path(meta["strip_names"][int(file.strip[place])]).stem
            defect = meta["defect_names"][int(file.defect[place])] if phase == "defects" else "normal"
            lines = (name, defect.replace("_", " "))
            shown.append(ShownPatch(x[number], arrays["reconstruction"][place], maps[number], masks[number], lines))
    return Frame(epoch, auc, len(combined), shown)
