"""Which score and which treatment find planted defects best: a choice that looks at no label of test.

    python benchmarks/planted_choice.py RUN [RUN ...] [--folder FOLDER]

Into every val patch of a trained image run a defect is planted, of each kind in turn and of three strengths; the
patches are then scored as stage evaluate scores them, by each score and by pairs of the network's (geometric mean, cell
by cell). Printed is the average precision of planted against intact val patches, scores calibrated by group, mean over
runs and strengths, for all kinds together and for each: the highest is what threshold should be set to, of those that
are alike the simplest. Result: benchmarks/results/planted_choice.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score

from vaelab import artifacts
from vaelab.anomaly.calibration import calibrate, fit_groups
from vaelab.anomaly.preprocessing import aggregate, smoothed
from vaelab.anomaly.score_files import cell_of
from vaelab.data.format.batches import DeviceSplit, load_columns, load_split
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.planted.kinds import DEFECT_KINDS
from vaelab.data.planted.plant import plant
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.models.files import load_model
from vaelab.params.resolve import read_run
from vaelab.params.threshold import Threshold

RESULT = ROOT / "benchmarks" / "results" / "planted_choice.json"
STRENGTHS = (0.15, 0.3, 0.6)
TREATMENTS = ((0.0, "max"), (0.0, "top_k"), (0.8, "max"), (1.0, "top_k"), (1.4, "top_k"))  # smoothing, aggregation
Maps = dict[str, np.ndarray]
Choice = tuple[str, str, float, str]
COLUMNS = ("score", "relative", "smoothing", "aggregation")


def scored(scorer: Scorer, split: DeviceSplit, strip: np.ndarray) -> Maps:
    """Return the maps of all scores of a split, [N, h, h]."""
    parts: dict[str, list[np.ndarray]] = {}
    strips = scorer.strips(split, np.arange(len(split)), strip, 32)
    for index in torch.arange(len(split)).split(32):
        own = {name: of_all.of(index) for name, of_all in strips.items()}
        for name, maps in scorer.maps(split.take(index), own)[0].items():
            parts.setdefault(name, []).append(maps.numpy())
    return {name: np.concatenate(found) for name, found in parts.items()}


def planted(val: DeviceSplit, strength: float) -> DeviceSplit:
    """Return the patches of val, each with a defect."""
    images, kinds, random = val.stored(torch.arange(len(val))).numpy(), list(DEFECT_KINDS), np.random.default_rng(0)
    changed = [
        plant(image, kinds[i % len(kinds)], strength, random, images[(i + 7) % len(images)]).image
        for i, image in enumerate(images)
    ]
    return DeviceSplit([torch.from_numpy(np.stack(changed))], val.group, val.device, "image")


def precisions(run: str) -> Iterator[tuple[Choice, dict[str, float]]]:
    """Yield the average precision of each score under each treatment, for each strength: of all kinds, and of each."""
    settings, device = read_run(artifacts.resolved(run)), torch.device("cpu")
    data = artifacts.prepared(settings.data)
    model, info = load_model(artifacts.models(run) / "model.safetensors").model, read_info(data)
    train, val = (load_split(data, phase, info, device) for phase in ("train", "val"))
    scorer = Scorer(model, settings, train, int(read_meta(data).get("reduce", 1)))
    strip, group = load_columns(data, "val", ["strip"])["strip"].numpy(), val.group.numpy()
    intact = scored(scorer, val, strip)
    label, number = np.repeat([0, 1], len(val)), np.arange(len(val)) % len(DEFECT_KINDS)
    chosen = {kind: np.append(np.ones(len(val), bool), number == place) for place, kind in enumerate(DEFECT_KINDS)}
    chosen["all"] = np.ones(2 * len(val), bool)
    for strength in STRENGTHS:
        changed = scored(scorer, planted(val, strength), strip)
        for relative in ("none", "strip"):
            size = {name: sizes(maps, strip, relative) for name, maps in intact.items()}
            both = [
                with_pairs({name: maps / size[name] for name, maps in found.items()}, settings.evaluate.scores)
                for found in (intact, changed)
            ]
            for (smoothing, aggregation), name in product(TREATMENTS, both[0]):
                options = Threshold(aggregation=aggregation, top_k=4)
                scores = [aggregate(smoothed(maps[name], smoothing), options) for maps in both]
                fitted = fit_groups("log_z", scores[0], group)
                values = np.concatenate([calibrate(fitted, each, group) for each in scores])
                found = {kind: average_precision_score(label[rows], values[rows]) for kind, rows in chosen.items()}
                yield (name, relative, smoothing, aggregation), found


def sizes(maps: np.ndarray, strip: np.ndarray, relative: str) -> np.ndarray:
    """Return what maps are divided by, [N, 1, 1]: 1, or the median of the intact strip."""
    if relative == "none":
        return np.ones((len(strip), 1, 1), np.float32)
    medians = {number: np.median(maps[strip == number]) for number in np.unique(strip)}
    return np.array([medians[number] for number in strip], np.float32)[:, None, None]


def with_pairs(maps: Maps, names: Sequence[str]) -> Maps:
    """Return the maps, and geometric means of pairs of those named."""
    sides = {name: maps[name].shape[1] for name in names}
    pairs = {}
    for pair in combinations(names, 2):
        of = [cell_of(max(sides[name] for name in pair), sides[name]) for name in pair]
        first, second = (maps[name][:, cells][:, :, cells] for name, cells in zip(pair, of, strict=True))
        pairs[" + ".join(pair)] = np.sqrt(first * second)
    return {**maps, **pairs}


def main() -> None:
    """Print and write the mean of every choice, best first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the stages ran")
    options = parser.parse_args()
    os.chdir(options.folder)
    parts = [
        dict(zip(COLUMNS, choice, strict=True)) | values for run in options.runs for choice, values in precisions(run)
    ]
    table = pd.DataFrame(parts).groupby(list(COLUMNS), sort=False).mean().round(4).sort_values("all", ascending=False)
    rows = table.reset_index().to_dict("records")
    RESULT.write_text(json.dumps({"runs": options.runs, "strengths": STRENGTHS, "choices": rows}, indent=1) + "\n")
    print(table.head(20).to_string())
    best = table.groupby("score", sort=False).head(1)
    print("each score at its best:", best.to_string(), sep="\n")
    print(f"written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
