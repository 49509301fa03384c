"""Which score and which treatment find planted defects best: a choice that looks at no label of test.

    python benchmarks/planted_choice.py RUN [RUN ...] [--folder FOLDER]

Into every val patch of a trained image run a defect is planted, of each kind in turn and of three strengths; the
patches are then scored as stage evaluate scores them. Printed is the average precision of planted against intact val
patches, scores calibrated by group, mean over runs and strengths: the highest is what threshold should be set to, of
those that are alike the simplest. Result: benchmarks/results/planted_choice.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np
import torch
from sklearn.metrics import average_precision_score

from vaelab import artifacts
from vaelab.anomaly.aggregation import aggregate
from vaelab.anomaly.calibration import calibrate, fit_groups
from vaelab.anomaly.treatment import smoothed
from vaelab.data.batches import DeviceSplit, load_columns, load_split
from vaelab.data.planted import plant
from vaelab.data.planted_kinds import KINDS
from vaelab.data.prepared import read_info, read_meta
from vaelab.evaluation.scoring import Scorer
from vaelab.models.files import load_model
from vaelab.params.resolve import read_run
from vaelab.params.threshold import Threshold

RESULT = ROOT / "benchmarks" / "results" / "planted_choice.json"
STRENGTHS = (0.15, 0.3, 0.6)
TREATMENTS = [  # relative, smoothing, aggregation
    (relative, smoothing, aggregation)
    for relative in ("none", "strip")
    for smoothing, aggregation in ((0.0, "max"), (0.0, "top_k"), (0.8, "max"), (1.0, "top_k"), (1.4, "top_k"))
]
Maps = dict[str, np.ndarray]
Choice = tuple[str, str, float, str]


def scored(scorer: Scorer, split: DeviceSplit) -> Maps:
    """Return the maps of all scores of a split, [N, h, h]."""
    parts: dict[str, list[np.ndarray]] = {}
    for index in torch.arange(len(split)).split(32):
        for name, maps in scorer.maps(split.take(index))[0].items():
            parts.setdefault(name, []).append(maps.numpy())
    return {name: np.concatenate(found) for name, found in parts.items()}


def planted(val: DeviceSplit, strength: float) -> DeviceSplit:
    """Return the patches of val, each with a defect."""
    images, kinds, random = val.stored(torch.arange(len(val))).numpy(), list(KINDS), np.random.default_rng(0)
    changed = [
        plant(image, kinds[i % len(kinds)], strength, random, images[(i + 7) % len(images)]).image
        for i, image in enumerate(images)
    ]
    return DeviceSplit([torch.from_numpy(np.stack(changed))], val.group, val.device, "image")


def precisions(run: str) -> Iterator[tuple[Choice, float]]:
    """Yield the average precision of each score under each treatment, for each strength."""
    settings, device = read_run(artifacts.resolved(run)), torch.device("cpu")
    data = artifacts.prepared(settings.data)
    model, info = load_model(artifacts.models(run) / "model.safetensors").model, read_info(data)
    train, val = (load_split(data, phase, info, device) for phase in ("train", "val"))
    scorer = Scorer(model, settings, train, int(read_meta(data).get("reduce", 1)))
    strip, group, intact = load_columns(data, "val", ["strip"])["strip"].numpy(), val.group.numpy(), scored(scorer, val)
    label = np.repeat([0, 1], len(val))
    for strength in STRENGTHS:
        changed = scored(scorer, planted(val, strength))
        for relative, smoothing, aggregation in TREATMENTS:
            options = Threshold(aggregation=aggregation, top_k=4)
            for name, maps in intact.items():
                size = np.ones(len(strip))
                if relative == "strip":
                    size = np.array([np.median(maps[strip == number]) for number in strip])
                scores = [
                    aggregate(smoothed((found / size[:, None, None]).astype(np.float32), smoothing), options)
                    for found in (maps, changed[name])
                ]
                fitted = fit_groups("log_z", scores[0], group)
                both = np.concatenate([calibrate(fitted, values, group) for values in scores])
                yield (name, relative, smoothing, aggregation), float(average_precision_score(label, both))


def main() -> None:
    """Print and write the mean of every choice, best first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the stages ran")
    options = parser.parse_args()
    os.chdir(options.folder)
    found: dict[Choice, list[float]] = {}
    for run in options.runs:
        for choice, value in precisions(run):
            found.setdefault(choice, []).append(value)
    columns = ("score", "relative", "smoothing", "aggregation")
    rows = [
        dict(zip(columns, choice, strict=True)) | {"planted_average_precision": round(float(np.mean(values)), 4)}
        for choice, values in sorted(found.items(), key=lambda item: -float(np.mean(item[1])))
    ]
    RESULT.write_text(json.dumps({"runs": options.runs, "strengths": STRENGTHS, "choices": rows}, indent=1) + "\n")
    for row in rows[:20]:
        print(*row.values(), sep="  ")
    print(f"written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
