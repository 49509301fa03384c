"""All pictures of one run, from what its stages saved: which there are, and what each is called."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.evaluation.metric_names import CAPTIONS, FLOORS
from vaelab.figures import curves, latents, projection
from vaelab.figures.grid import recall as classes
from vaelab.figures.image import distributions, errors, reconstructions, spectra
from vaelab.figures.tags import combinations, frequencies, quality, thresholds
from vaelab.figures.tags import pairs as tag_pairs
from vaelab.figures.tags import rows as tag_rows
from vaelab.figures.tags.outcomes import LEGEND
from vaelab.params.schema import Run

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.evaluation.latent.decoding import Traversal

Named = tuple[str, Figure]
LINES = 22  # of text beside a row of tags, at most
NOUNS = {"grid": "grid", "image": "image", "tags": "row"}  # for one example


class Material(NamedTuple):
    """What the pictures of a run are made of; N examples of the phase, n of them with reconstruction."""

    run: Run
    info: DataInfo
    phase: str  # the one that is reported
    arrays: dict[str, np.ndarray]  # of data/scores/<run>/arrays.safetensors
    examples: pd.DataFrame
    dimensions: pd.DataFrame
    history: pd.DataFrame
    metrics: dict[str, dict[str, Any]]
    samples: np.ndarray  # of the prior
    traversal: "Traversal"
    interpolations: tuple[np.ndarray, np.ndarray]  # examples [rows, steps, ...], pairs of ids [rows, 2]
    spectra: dict[str, np.ndarray]  # radial, dB: original, reconstruction [n, R], and of floors [R]

    def of(self, name: str) -> np.ndarray:
        """Return an array of the reported phase."""
        return self.arrays[f"{self.phase}_{name}"]

    @property
    def kept(self) -> pd.DataFrame:
        """Rows of the examples whose reconstructions are saved, in that order."""
        rows = self.examples[self.examples["phase"] == self.phase]
        return rows.set_index("index").loc[self.of("ids")].reset_index()


def pictures(material: Material) -> Iterator[Named]:
    """Yield every picture of a run with the name of its file."""
    m = material
    priors = {"normal": "z ~ N(0, I)", "mixture": "z ~ a Gaussian mixture fitted to the latents"}
    prior = priors["normal" if m.info.kind == "grid" else m.run.evaluate.prior]
    yield "prior_samples", latents.prior_samples(m.samples, m.info, prior)
    yield "posterior_histograms", latents.posterior_histograms(m.of("mean"), m.of("log_var"), m.phase)
    yield "kl_per_dimension", latents.kl_per_dimension(m.dimensions, m.phase)
    start = f"{m.phase} {NOUNS[m.info.kind]} {m.traversal.start}, the one with the largest KL"
    t = m.traversal
    yield "traversals", latents.traversals(t.examples, t.dimensions, t.values, m.info, start)
    examples, pairs = m.interpolations
    if len(pairs):
        yield "interpolations", latents.interpolations(examples, pairs, m.phase, m.info)
    if len(m.info.groups) > 1:
        yield "latent_projection", projection.latent_projection(m.of("mean"), m.of("group"), m.info.groups, m.phase)
    yield "curves", curves.training_curves(m.history, m.info.kind)
    yield from BY_KIND[m.info.kind](m)


def _of_grids(m: Material) -> Iterator[Named]:
    recall = [m.metrics[m.phase][f"recall_{number}"] for number in range(len(m.info.classes))]
    yield "recall", classes.recall_bars(recall, m.info.class_counts, m.info.classes, m.phase)


def _of_images(m: Material) -> Iterator[Named]:
    x, y, kept, options = m.of("x"), m.of("reconstruction"), m.kept, m.run.visualize
    names = [f"{m.phase} {number}" for number in m.of("ids")]
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(x))[: options.examples])
    scores = {name: kept[name].to_numpy()[chosen] for name in ("mse", "psnr", "ssim")}
    chosen_names = [names[i] for i in chosen]
    title = f"{m.run.name}: {m.phase} images and their reconstructions, a random choice"
    yield "reconstructions", reconstructions.reconstructions(x[chosen], y[chosen], scores, chosen_names, title)
    groups = np.array(m.info.groups)[kept["group"]]
    psnr = kept["psnr"].to_numpy()
    yield "best_and_worst", reconstructions.best_and_worst(x, y, psnr, groups, names, m.phase, options.examples)
    yield "error_maps", errors.error_maps(x[chosen], y[chosen], chosen_names)
    yield "mean_error_maps", errors.mean_error_maps(x, y, m.phase)
    measured = m.metrics[m.phase]
    floors = {
        title: {name: measured[f"{prefix}{name}"] for name in ("mse", "psnr", "ssim")}
        for title, prefix in FLOORS["image"].items()
        if f"{prefix}mse" in measured
    }
    yield "metric_histograms", distributions.metric_histograms(m.examples, floors, m.phase)
    if len(m.info.groups) > 1:
        yield "psnr_by_group", distributions.psnr_by_group(m.examples, m.info.groups, m.phase)
    frequency = np.arange(1, m.spectra["original"].shape[1] + 1) / m.info.shape[-1]
    beside = {name: values for name, values in m.spectra.items() if name not in ("original", "reconstruction")}
    of_both = m.spectra["original"], m.spectra["reconstruction"]
    yield "radial_spectra", spectra.radial_spectra(frequency, *of_both, m.phase, beside)


def _of_tags(m: Material) -> Iterator[Named]:
    x, y, measured, threshold = m.of("x"), m.of("reconstruction"), m.metrics[m.phase], m.run.evaluate.threshold
    yield "reconstructions", _rows_of_tags(m)
    yield "threshold_curves", thresholds.threshold_curves(x, y, m.phase, threshold, measured.get("best_threshold"))
    if all(name in m.arrays for name in ("tag_true", "tag_predicted", "tag_hits")):
        counts = quality.Counts(m.arrays["tag_true"], m.arrays["tag_predicted"], m.arrays["tag_hits"])
        yield "tag_quality", quality.tag_quality(counts, m.info, m.phase, threshold)
    samples = m.arrays.get("samples")
    if samples is None or not len(samples):
        return
    total = int((m.examples["phase"] == m.phase).sum())
    real = m.arrays["tag_true"] / total if "tag_true" in m.arrays else (x > 0).mean(0)
    sampled = m.arrays.get("sample_frequency", (samples > 0).mean(0))
    rows = int(measured.get("generated_samples") or len(samples))
    yield "tag_frequencies", frequencies.tag_frequencies(real, sampled, m.info, m.phase, rows, measured)
    yield "cooccurrence", tag_pairs.cooccurrence(x, samples, m.info, m.phase, measured)
    yield "combinations", combinations.combinations(x, samples, m.phase)


def _rows_of_tags(m: Material) -> Figure:
    x, options, kept = m.of("x"), m.run.visualize, m.kept
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(x))[: options.examples])
    metric, printed = CAPTIONS["tags"]
    captions = []
    for i in chosen:
        count = int(x[i].sum(dtype=np.int64))
        score = printed.format(kept[metric].iloc[i])
        captions.append((f"original: {count} {'tag' if count == 1 else 'tags'}\n{m.phase} {m.of('ids')[i]}",
                         f"reconstruction\n{score}"))  # fmt: skip
    threshold = m.run.evaluate.threshold
    title = f"{m.run.name}: {m.phase} rows and their reconstructions, a random choice; threshold {threshold:g}"
    title = f"{title} ({tag_rows.ORDER}; {LEGEND}, with its probability)"
    return tag_rows.pairs(
        title, x[chosen], m.of("reconstruction")[chosen], captions, m.info, threshold, LINES, fixed=False
    )


BY_KIND: dict[str, Callable[[Material], Iterator[Named]]] = {
    "grid": _of_grids,
    "image": _of_images,
    "tags": _of_tags,
}
