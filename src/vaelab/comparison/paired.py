"""How much better one run finds defects than another, on the same patches, with an interval that is paired by strip."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab import artifacts
from vaelab.anomaly.bootstrap import interval, replicates
from vaelab.anomaly.measure import MEASURED_PHASES
from vaelab.anomaly.patch_measures import RANKING, Patches, patch_measures, unweighted
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.tables import Row
from vaelab.errors import InputError

VALIDATION_PHASES = ("val", "val_defects")
SAME = ("phase", "strip", "top", "left", "label")  # what tells a patch, in both runs alike


def paired_differences(
    run: str,
    other: str,
    resamplings: int,
    seed: int,
    score: str = COMBINED,
    other_score: str = COMBINED,
    phases: Sequence[str] = MEASURED_PHASES,
) -> list[Row]:
    """Return measure, values of run and other, their difference and its 95 % interval, one row for each of RANKING.

    Args:
        run: its name; stage threshold has written its table of patches.
        other: the run that it is compared with.
        resamplings: of strips.
        seed: of those.
        score: of the first run.
        other_score: of the other.
        phases: whose patches count; normals are those of the first.

    Raises:
        InputError: a table is missing or lacks the score, or the two have other patches.
    """
    paths = [artifacts.thresholds(name) / "examples.csv" for name in (run, other)]
    first, second = (_measured_rows(path, phases) for path in paths)
    if [[row[key] for key in SAME] for row in first] != [[row[key] for key in SAME] for row in second]:
        raise InputError(f"{paths[0]} and {paths[1]}: other patches or labels; only runs on the same data are compared")
    patches = _patches(first, phases)
    columns = [_column(*given) for given in zip(paths, (first, second), (score, other_score), strict=True)]
    plain = [patch_measures(patches, values, np.inf, unweighted(len(values))) for values in columns]
    drawn = [replicates(patches, values, np.inf, resamplings, seed) for values in columns]
    rows = []
    for name in RANKING:
        low, high = interval(drawn[0][name] - drawn[1][name])
        here, there = (float(found[name][0]) for found in plain)
        rows.append({"measure": name, run: here, other: there, "difference": here - there, "low": low, "high": high})
    return rows


def labelled_patches(run: str, phases: Sequence[str]) -> int:
    """Return how many patches with a defect these phases of a run have."""
    rows = _measured_rows(artifacts.thresholds(run) / "examples.csv", phases)
    return sum(row["label"] == "1" for row in rows)


def _measured_rows(path: Path, phases: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["phase"] in phases]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); make it again") from None
    if not rows:
        raise InputError(f"{path}: has no patches of {' or '.join(phases)}; the run is not scored for anomalies")
    return sorted(rows, key=lambda row: [row[key] for key in SAME])


def _column(path: Path, rows: Sequence[dict[str, str]], score: str) -> np.ndarray:
    if score not in rows[0]:
        raise InputError(f"{path}: has no score {score!r}")
    return np.array([float(row[score]) for row in rows])


def _patches(rows: Sequence[dict[str, str]], phases: Sequence[str]) -> Patches:
    strips = np.unique([row["strip"] for row in rows], return_inverse=True)[1]
    label, normal = (
        np.array([row[key] == value for row in rows]) for key, value in (("label", "1"), ("phase", phases[0]))
    )
    zeros = np.zeros(len(rows), np.int64)
    return Patches(label, normal, strips, zeros, zeros)
