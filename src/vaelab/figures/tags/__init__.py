"""Pictures of tag vectors."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.kind import ExamplePictures, KindFigures, Named, RunMaterial, Titled, curves_of
from vaelab.figures.tags import cooccurrence, evolution, outcomes, points, rows, samples
from vaelab.figures.tags.outcomes import LEGEND
from vaelab.figures.tags.tiles import ORDER, PRINTED, as_decoded, tag_tiles
from vaelab.metrics.directions import VALIDATION
from vaelab.metrics.nested import flat

if TYPE_CHECKING:  # it is read by name alone
    from vaelab.comparison.collect import Result

LINES = 22  # of text beside a row, at most
SCORE = f"({ORDER}; {LEGEND}, with its probability)"


def _of_run(m: RunMaterial) -> Iterator[Named]:
    x, y, measured, threshold = m.of("x"), m.of("reconstruction"), flat(m.metrics[m.phase]), m.run.evaluate.threshold
    yield "reconstructions", _reconstructions(m)
    yield "threshold_curves", outcomes.threshold_curves(x, y, m.phase, threshold, measured.get("best_threshold"))
    if all(name in m.arrays for name in ("tag_true", "tag_predicted", "tag_hits")):
        counts = points.TagCounts(m.arrays["tag_true"], m.arrays["tag_predicted"], m.arrays["tag_hits"])
        yield "tag_quality", points.tag_quality(counts, m.info, m.phase, threshold)
    drawn = m.arrays.get("samples")
    if drawn is None or not len(drawn):
        return
    total = int((m.examples["phase"] == m.phase).sum())
    real = m.arrays["tag_true"] / total if "tag_true" in m.arrays else (x > 0).mean(0)
    sampled = m.arrays.get("sample_frequency", (drawn > 0).mean(0))
    count = int(measured.get("generated_samples") or len(drawn))
    yield "tag_frequencies", samples.tag_frequencies(real, sampled, m.info, m.phase, count, measured)
    yield "cooccurrence", cooccurrence.cooccurrence(x, drawn, m.info, m.phase, measured)
    yield "combinations", cooccurrence.combinations(x, drawn, m.phase)


def _reconstructions(m: RunMaterial) -> Figure:
    x, options, kept, threshold = m.of("x"), m.run.visualize, m.kept, m.run.evaluate.threshold
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(x))[: options.examples])
    scores = kept[VALIDATION["tags"].example_score]
    captions = [
        (
            rows.original_caption(x[i], m.phase, m.of("ids")[i]),
            f"reconstruction\n{PRINTED.format(scores.iloc[i])}",
        )
        for i in chosen
    ]
    title = f"{m.run.name}: {m.phase} rows and their reconstructions, a random choice; threshold {threshold:g} {SCORE}"
    decoded = m.of("reconstruction")[chosen]
    return rows.reconstructed_rows(title, x[chosen], decoded, captions, m.info, threshold, LINES, fixed=False)


def _of_group(group: Sequence["Result"], data: str, info: DataInfo) -> Iterator[Titled]:
    metrics = {result.run.name: result.final for result in group}
    yield "generation", "Samples of the prior", samples.generation(metrics, data, group[0].phase)


TAGS = KindFigures(
    noun="row",
    score=SCORE,
    printed=PRINTED,
    curves=curves_of(
        {
            "loss": (None, None),
            "lrap": (0, 1),
            "f1_micro": (0, 1),
            "predicted_tags": (0, None),
            "kl": (0, None),
        }
    ),
    pair=lambda original, made, info: tag_tiles([as_decoded(original), made], info),
    examples=ExamplePictures(
        checkpoint=rows.checkpoint,
        filmstrip=evolution.filmstrip,
        by_run=evolution.by_run,
        prior_samples=rows.prior_samples,
        traversals=evolution.traversals,
        interpolations=evolution.interpolations,
    ),
    of_run=_of_run,
    of_group=_of_group,
)
