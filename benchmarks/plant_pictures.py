"""Pictures of plants for docs/playbook.md: what a healthy run shows, and one that was broken on purpose.

    python benchmarks/plant_pictures.py FOLDER

FOLDER is where benchmarks/plants.py has trained the development plants. One small PNG for each of PICTURES in
docs/images/playbook; a plant that is not there is left out, and said.
"""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from vaelab import artifacts, storage
from vaelab.data.format import prepared
from vaelab.figures.canvas.files import new_figure, save_png
from vaelab.params.resolve import read_run

COLUMNS, INCHES = 8, 0.8  # of tiles


class Picture(NamedTuple):
    """A healthy run beside a broken one."""

    draw: Callable[[str, str], Figure]
    healthy: str
    broken: str


def reconstructions(healthy: str, broken: str) -> Figure:
    """Return test images, and what both runs make of them."""
    arrays = [_arrays(name) for name in (healthy, broken)]
    x = arrays[0]["test_x"]
    rows = _spread(len(x))
    found = {"original": x, "healthy": arrays[0]["test_reconstruction"], "broken": arrays[1]["test_reconstruction"]}
    return _tiles({name: [_shown(values[row]) for row in rows] for name, values in found.items()})


def samples(healthy: str, broken: str) -> Figure:
    """Return test images, and samples of the prior of both runs."""
    arrays = {name: _arrays(run) for name, run in (("healthy", healthy), ("broken", broken))}
    x = arrays["healthy"]["test_x"]
    found = {"test images": [_shown(x[row]) for row in _spread(len(x))]}
    return _tiles(found | {name: [_shown(x) for x in of["samples"][:COLUMNS]] for name, of in arrays.items()})


def masks(healthy: str, broken: str) -> Figure:
    """Return defective patches with the outlines of their masks, and the maps of their scores."""
    found: dict[str, list[np.ndarray]] = {}
    outlines: dict[str, list[np.ndarray]] = {}
    for name, run in (("healthy", healthy), ("broken", broken)):
        data = read_run(artifacts.resolved(run)).data
        files = prepared.split_files(artifacts.prepared(data), "defects")
        parts = [storage.read_tensors(path)[0] for path in files]
        x, mask = (np.concatenate([part[key] for part in parts]) for key in ("x", "mask"))
        maps, _ = storage.read_tensors(artifacts.scores(run) / "anomaly-defects.safetensors")
        rows = np.argsort(-mask.reshape(len(mask), -1).sum(1))[4 : 4 + COLUMNS]
        found[f"{name}: patch, mask"] = [_shown(x[row]) for row in rows]
        found[f"{name}: score"] = [maps["mahalanobis"][row] for row in rows]
        outlines[f"{name}: patch, mask"] = [mask[row].squeeze() for row in rows]
    return _tiles(found, outlines)


def histograms(healthy: str, broken: str) -> Figure:
    """Return the scores of normals and defects of both runs with their thresholds."""
    figure, axes = _panels()
    for place, (name, run) in zip(axes, (("healthy", healthy), ("broken", broken)), strict=True):
        rows = _table(artifacts.threshold_plots(run) / "histogram.csv")
        for pool in ("test normals", "defects"):
            points = [(float(row["score"]), float(row["share"])) for row in rows if row["pool"] == pool]
            place.plot(*zip(*points, strict=True), label=pool)
        place.axvline(float(rows[0]["threshold"]), color="black", linestyle="--", label="threshold")
        place.set(
            title=f"{name}: percentile {read_run(artifacts.resolved(run)).threshold.percentile:g}", xlabel="score"
        )
    axes[0].legend(fontsize=7)
    return figure


def curves(healthy: str, broken: str) -> Figure:
    """Return the loss on training and val over the epochs of both runs."""
    figure, axes = _panels()
    for place, (name, run) in zip(axes, (("healthy", healthy), ("broken", broken)), strict=True):
        rows = _table(artifacts.models(run) / "history.csv")
        for phase in ("train", "val"):
            own = [row for row in rows if row["phase"] == phase and row["epoch"] != "0"]
            place.plot([int(row["epoch"]) for row in own], [float(row["loss"]) for row in own], label=phase)
        place.set(title=name, xlabel="epoch", ylabel="loss, nats")
    axes[0].legend(fontsize=7)
    return figure


PICTURES: Mapping[str, Picture] = {  # by cause
    "beta_too_high": Picture(reconstructions, "h_pho_plain", "p02_pho"),
    "beta_too_low": Picture(samples, "h_pho_plain", "p05_pho"),
    "detail_lost": Picture(reconstructions, "h_pho", "p08_pho"),
    "overfitting": Picture(curves, "h_tag", "p21_tag"),
    "prior_hole": Picture(samples, "h_doc", "p08_doc"),
    "masks_misaligned": Picture(masks, "h_tex", "p20_tex_masks"),
    "threshold_too_high": Picture(histograms, "h_tex", "p01_tex_pct"),
}


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of trained plants")
    parser.add_argument("--to", type=Path, default=ROOT / "docs/images/playbook", help="where the pictures go")
    options = parser.parse_args()
    target = options.to.resolve()
    os.chdir(options.folder)
    for cause, picture in PICTURES.items():
        missing = [run for run in picture[1:] if not artifacts.evaluation(run).exists()]
        if missing:
            print(f"{cause}: left out, not trained: {', '.join(missing)}")
            continue
        path = target / f"{cause}.png"
        save_png(picture.draw(picture.healthy, picture.broken), path)
        Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def _tiles(rows: Mapping[str, list[np.ndarray]], outlines: Mapping[str, list[np.ndarray]] | None = None) -> Figure:
    """Rows of images with their names at the left, and outlines of masks."""
    figure = new_figure(COLUMNS * INCHES + 1.2, len(rows) * INCHES)
    axes = figure.subplots(len(rows), COLUMNS)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for number, (place, image) in enumerate(zip(line, images, strict=True)):
            place.imshow(image, cmap="gray" if ": score" not in name else "magma", interpolation="nearest")
            place.set(xticks=[], yticks=[])
            if outlines and name in outlines:
                place.contour(outlines[name][number], levels=[0.5], colors="red", linewidths=0.8)
        line[0].set_ylabel(name.replace(": ", ":\n"), rotation=0, ha="right", va="center", fontsize=7)
    return figure


def _panels() -> tuple[Figure, tuple[Axes, Axes]]:
    figure = new_figure(6.4, 2.2)
    left, right = figure.subplots(1, 2)
    return figure, (left, right)


def _shown(x: np.ndarray) -> np.ndarray:
    """An image [C, H, W] as matplotlib wants it."""
    image: np.ndarray = x[0] if len(x) == 1 else np.moveaxis(x, 0, -1)
    return image


def _spread(count: int) -> np.ndarray:
    rows: np.ndarray = np.linspace(0, count - 1, COLUMNS).round().astype(int)
    return rows


def _arrays(run: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = storage.read_tensors(artifacts.scores(run) / "arrays.safetensors")[0]
    return arrays


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
