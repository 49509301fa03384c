"""The pictures of a run that looks for defects, from what its stages saved: which there are, and their names."""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab import artifacts, storage
from vaelab.anomaly.fit import fit_cells
from vaelab.anomaly.preprocessing import COMBINED, preprocess
from vaelab.anomaly.score import calibrated_maps
from vaelab.anomaly.score_files import ScoreFile, read_phases
from vaelab.data.format.prepared import read_meta, read_rows
from vaelab.figures.defects.maps import PER_ROW, ShownPatch, film_frame, kinds_of_patches, patches
from vaelab.figures.defects.overlay import score_scale
from vaelab.figures.defects.rates import by_defect, by_percentile
from vaelab.figures.defects.scores import roc_and_precision, score_histogram
from vaelab.figures.defects.strips import Strip, strip_view
from vaelab.figures.kind import Named
from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.params.schema import Run
from vaelab.params.threshold import Threshold

ROWS, STRIPS, MISSED = 6, 4, 60  # of a picture of patches, of strips, of all missed defects
FINAL = ("test", "defects")
POOLS = ("val normals", "test normals", "clean patches of defective strips", "defects")
UNITS = {"log_z": "standard deviations of normals", "quantile": "nats", "none": "the unit of the map"}
TEXTS = {"phase", "strip", "group", "defect", "score"}  # columns that are no numbers, whatever they look like

Row = dict[str, Any]


class DefectMaterial(NamedTuple):
    """What stage threshold saved of a run, and where the images are."""

    run: Run
    data: Path
    meta: dict[str, Any]
    phases: dict[str, ScoreFile]
    rows: list[Row]  # a row for each patch of every phase
    maps: dict[str, np.ndarray]  # calibrated, by phase [N, h, h]
    threshold: float
    percentile_used: float


def defect_pictures(run: Run) -> Iterator[Named]:
    """Yield each picture with the name of its file; none of a run that was not scored."""
    phases = read_phases(artifacts.scores(run.name))
    if not phases:
        return
    found = _read(run, phases)
    tables = {name: _table(artifacts.thresholds(run.name) / f"{name}.csv") for name in ("scores", "defects")}
    points = {
        name: _table(artifacts.threshold_plots(run.name) / f"{name}.csv") for name in ("roc", "pr", "percentiles")
    }
    val, test, clean, defects = (
        np.array([row[COMBINED] for row in found.rows if _pool(row) == name]) for name in POOLS
    )
    yield "histogram", score_histogram(val, test, clean, defects, found.threshold, score_label(run.threshold, "patch"))
    percentile = run.threshold.percentile if run.threshold.method == "percentile" else None
    yield "percentiles", by_percentile(points["percentiles"], percentile, found.percentile_used)
    if points["roc"]:
        scores = _once(tables["scores"], run.threshold)
        yield "curves", roc_and_precision(points["roc"], points["pr"], scores, tuple(DEFECT_BASELINES))
        yield "by_defect", by_defect(tables["defects"])
    chosen, strips = _chosen(found), _strips(found)
    every = [one for _, shown in chosen.values() for one in shown]
    maps = [one.score for one in every] + [strip.score for strip in strips]
    scale = score_scale(maps, score_label(run.threshold, "cell"))
    if kinds := _kinds(found):
        yield "found_and_missed", kinds_of_patches(_counted(found), kinds, scale)
    if missed := _missed(found):
        title = f"{run.name}: {len(missed)} missed defects by strip, below the threshold {found.threshold:.2f}"
        yield "all_missed", film_frame(title, missed, scale)
    for name, (title, shown) in chosen.items():
        yield name, patches(f"{run.name}: {title} (threshold {found.threshold:.2f})", shown, scale, every)
    if strips:
        yield "strips", strip_view(f"{run.name}: strips with the highest scores, and flagged patches", strips, scale)


def score_label(settings: Threshold, of: str) -> str:
    """Return what the score of a patch, or a cell, is, and its unit."""
    kind = "score" if settings.calibration == "none" else "calibrated score"
    if len(settings.scores) > 1 and settings.combine == "patches":
        return f"sum of {kind}s of a {of}, each in {UNITS[settings.calibration]}"
    return f"{kind} of a {of}, {UNITS[settings.calibration]}"


def _once(scores: Sequence[Row], settings: Threshold) -> list[Row]:
    """The rows of scores, the combined one first: under its own name, where it is one score."""
    if len(settings.scores) > 1:
        return list(scores)
    first = [row for row in scores if row["score"] == settings.scores[0]]
    return first + [row for row in scores if row["score"] not in (COMBINED, settings.scores[0])]


def _read(run: Run, phases: dict[str, ScoreFile]) -> DefectMaterial:
    data = artifacts.prepared(run.data)
    rows = _table(artifacts.thresholds(run.name) / "examples.csv")
    preprocessed = {phase: preprocess(file, run.threshold) for phase, file in phases.items()}
    cells = fit_cells(preprocessed["val"])
    maps = {}
    for phase in FINAL:
        if phase in preprocessed:
            parts = calibrated_maps(preprocessed[phase], cells, np.ones(len(preprocessed[phase]), bool))
            maps[phase] = np.concatenate([part[COMBINED] for _, part in parts])
    saved = storage.read_json(artifacts.thresholds(run.name) / "summary.json")
    limits = float(saved["threshold"]), float(saved["percentile_used"])
    return DefectMaterial(run, data, read_meta(data), phases, rows, maps, *limits)


def _table(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [{name: text if name in TEXTS else _value(text) for name, text in row.items()} for row in rows]


def _value(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text or "nan")
    return text


def _pool(row: Row) -> str:
    """Name of the pool that a patch belongs to; nothing for labelled patches of val."""
    if row["phase"] in ("val", "test"):
        return POOLS[0] if row["phase"] == "val" else POOLS[1]
    return "" if row["phase"] != "defects" else POOLS[3] if row["label"] else POOLS[2]


def _chosen(found: DefectMaterial) -> dict[str, tuple[str, list[ShownPatch]]]:
    """Patches of each picture, with its title: first the errors of the run, then the extremes."""
    final = sorted((row for row in found.rows if row["phase"] in FINAL), key=lambda row: float(row[COMBINED]))
    defects, others = ([row for row in final if bool(row["label"]) is has] for has in (True, False))
    normals = np.sort([row[COMBINED] for row in found.rows if row["phase"] == "val"])
    chosen = {
        "missed": ("defects with the lowest scores: a higher threshold misses these first", defects[:ROWS]),
        "false_alarms": ("patches without a mask that score highest: the first false alarms", others[::-1][:ROWS]),
        "most_anomalous": ("patches that score highest", final[::-1][:ROWS]),
        "least_anomalous": ("patches that score lowest", final[:ROWS]),
    }
    return {
        name: (title, [_shown(found, row, normals) for row in rows]) for name, (title, rows) in chosen.items() if rows
    }


def _kinds(found: DefectMaterial) -> list[list[ShownPatch]]:
    """A few of the defects that are found, of those that are missed, and of the false alarms; none without defects."""
    if not any(_pool(row) == POOLS[3] for row in found.rows):
        return []
    return [
        [
            one._replace(caption=[f"{what}: {row['defect']}".replace("_", " ").removesuffix(": none"),
                                  f"{row['group']}, score {row[COMBINED]:.2f}"])
            for one, row in zip((_shown(found, row, np.zeros(1)) for row in rows), rows, strict=True)
        ]
        for what, rows in ((what, _spread_out(rows)) for what, rows in _by_outcome(found).items())
    ]  # fmt: skip


def _by_outcome(found: DefectMaterial) -> dict[str, list[Row]]:
    """The patches of each outcome, by the score, highest first."""
    rows = sorted(found.rows, key=lambda row: -float(row[COMBINED]))
    defects, normals = ([row for row in rows if _pool(row) == pool] for pool in (POOLS[3], POOLS[1]))
    return {
        "found": [row for row in defects if row["flagged"]],
        "missed": [row for row in defects if not row["flagged"]],
        "false alarm": [row for row in normals if row["flagged"]],
    }


def _spread_out(rows: Sequence[Row]) -> list[Row]:
    """PER_ROW of sorted rows, from the first to the last."""
    if len(rows) <= PER_ROW:
        return list(rows)
    return [rows[round(place)] for place in np.linspace(0, len(rows) - 1, PER_ROW)]


def _counted(found: DefectMaterial) -> str:
    """How many patches there are of each outcome, and which are shown."""
    hits, lost, alarms = (len(rows) for rows in _by_outcome(found).values())
    return (
        f"{found.run.name} at its threshold {found.threshold:.2f}: {hits} of {hits + lost} defective patches found, "
        f"{lost} missed, {alarms} false alarms. Of each kind those of the highest, the middle and the lowest score"
    )


def _missed(found: DefectMaterial) -> list[ShownPatch]:
    """The first MISSED defects that are not flagged, strip by strip."""
    rows = [row for row in found.rows if row["phase"] == "defects" and row["label"] and not row["flagged"]]
    rows.sort(key=lambda row: (row["strip"], row["left"], row["top"]))
    shown = [_shown(found, row, np.zeros(1)) for row in rows[:MISSED]]
    return [
        one._replace(caption=[one.caption[0], f"{row['defect']}, score {row[COMBINED]:.2f}".replace("_", " ")])
        for one, row in zip(shown, rows, strict=False)
    ]


def _shown(found: DefectMaterial, row: Row, normals: np.ndarray) -> ShownPatch:
    phase, number = str(row["phase"]), int(row["id"])
    x = read_rows(found.data, phase, "x", [number])[0]
    with storage.opened(artifacts.score_reconstructions(artifacts.scores(found.run.name), phase), "numpy") as file:
        reconstruction = file.get_slice("reconstruction")[number : number + 1][0]
    mask = read_rows(found.data, phase, "mask", [number])[0] if phase == "defects" else None
    below = float((normals <= float(row[COMBINED])).mean())
    scored, meta = found.phases[phase], found.meta
    group = meta["groups"][int(scored.group[number])]
    defect = meta["defect_names"][int(scored.defect[number])].replace("_", " ") if row["label"] else ""
    what = f"defect: {defect}" if row["label"] else "intact, of a defective strip" if phase == "defects" else "normal"
    caption = (
        f"{Path(meta['strip_names'][int(scored.strip[number])]).stem}, {int(row['left'])} px", f"{group}, {what}",
        f"score {row[COMBINED]:.2f}{', flagged' if row['flagged'] else ''}", f"above {below:.0%} of normals",
    )  # fmt: skip
    return ShownPatch(x, reconstruction, found.maps[phase][number], mask, caption)


def _strips(found: DefectMaterial) -> list[Strip]:
    """The strips whose best patch scores highest, and a normal one; none where a strip is a single patch."""
    shapes: Sequence[Sequence[int]] = found.meta.get("strip_shapes", ())
    best: dict[tuple[str, int], float] = {}
    for row in found.rows:
        if row["phase"] in FINAL:
            strip = int(found.phases[str(row["phase"])].strip[int(row["id"])])
            best[row["phase"], strip] = max(best.get((row["phase"], strip), -np.inf), float(row[COMBINED]))
    ranked = sorted(best, key=lambda key: -best[key])
    ranked = [key for key in ranked if shapes and _patches_of(found, *key).sum() > 1]
    normal = [key for key in ranked if key[0] == "test"][:1]
    return [_strip(found, *key) for key in [*[key for key in ranked if key not in normal][:STRIPS], *normal]]


def _patches_of(found: DefectMaterial, phase: str, strip: int) -> np.ndarray:
    chosen: np.ndarray = found.phases[phase].strip == strip
    return chosen


def _strip(found: DefectMaterial, phase: str, strip: int) -> Strip:
    scored, meta = found.phases[phase], found.meta
    ids = np.flatnonzero(_patches_of(found, phase, strip)).tolist()
    rows = {int(row["id"]): row for row in found.rows if row["phase"] == phase}
    mask = read_rows(found.data, phase, "mask", ids) if phase == "defects" else None
    height, width = meta["strip_shapes"][strip]
    group = meta["groups"][int(scored.group[ids[0]])]
    return Strip(
        Path(meta["strip_names"][strip]).stem, group, meta["strip_defects"][strip], (height, width), meta["reduce"],
        read_rows(found.data, phase, "x", ids), scored.top[ids], scored.left[ids], found.maps[phase][ids], mask,
        np.array([bool(rows[i]["flagged"]) for i in ids]), np.array([float(rows[i][COMBINED]) for i in ids]),
    )  # fmt: skip
