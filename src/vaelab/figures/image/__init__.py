"""Pictures of images."""

from collections.abc import Iterator, Sequence

import numpy as np

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import image_tile
from vaelab.figures.image import distributions, errors, reconstructions
from vaelab.figures.kind import KindFigures, Named, RunMaterial, curves_of
from vaelab.figures.tile_pictures import Tiling, tile_pictures
from vaelab.metrics.nested import FLOORS
from vaelab.metrics.records import BASELINES

SCORES = ("mse", "psnr", "ssim")


def image_tiles(images: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return images [C, S, S] as tiles, whole."""
    return [image_tile(image) for image in images]


def _of_run(m: RunMaterial) -> Iterator[Named]:
    x, y, kept, options = m.of("x"), m.of("reconstruction"), m.kept, m.run.visualize
    names = [f"{m.phase} {number}" for number in m.of("ids")]
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(x))[: options.examples])
    scores = {name: kept[name].to_numpy()[chosen] for name in SCORES}
    chosen_names = [names[i] for i in chosen]
    title = f"{m.run.name}: {m.phase} images and their reconstructions, a random choice"
    yield "reconstructions", reconstructions.reconstructions(x[chosen], y[chosen], scores, chosen_names, title)
    groups, psnr = np.array(m.info.groups)[kept["group"]], kept["psnr"].to_numpy()
    ends = reconstructions.best_and_worst(x, y, psnr, groups, names, m.phase, options.examples)
    yield "best_and_worst", ends
    yield "error_maps", errors.error_maps(x[chosen], y[chosen], chosen_names)
    yield "mean_error_maps", errors.mean_error_maps(x, y, m.phase)
    yield "metric_histograms", distributions.metric_histograms(m.examples, _baselines(m), m.phase)
    if len(m.info.groups) > 1:
        yield "psnr_by_group", distributions.psnr_by_group(m.examples, m.info.groups, m.phase)
    spectra = dict(m.decoded.spectra)
    if not spectra:  # of feature maps
        return
    of_both = spectra.pop("original"), spectra.pop("reconstruction")
    frequency = np.arange(1, of_both[0].shape[1] + 1) / m.info.shape[-1]
    yield "radial_spectra", distributions.radial_spectra(frequency, *of_both, m.phase, spectra)


def _baselines(m: RunMaterial) -> dict[str, dict[str, float]]:
    """By title what each baseline reaches that was measured."""
    measured = m.metrics[m.phase][FLOORS]
    return {
        title: {name: measured[method][name] for name in SCORES}
        for method, title in BASELINES["image"].items()
        if method in measured
    }


SCORE, PRINTED = "(dB: PSNR of the image, peak 1)", "{:.1f} dB"
IMAGE = KindFigures(
    noun="image",
    score=SCORE,
    printed=PRINTED,
    curves=curves_of(
        {  # a negative log density may be below 0
            "loss": (None, None),
            "psnr": (None, None),
            "ssim": (0, 1),
            "mse": (0, None),
            "kl": (0, None),
        }
    ),
    pair=lambda original, made, info: image_tiles([original, made], info),
    examples=tile_pictures(Tiling(image_tiles, SCORE, PRINTED, "as decoded")),
    of_run=_of_run,
)
