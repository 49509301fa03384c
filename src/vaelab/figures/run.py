"""All pictures of one run, from what its stages saved: which there are, and what each is called."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from vaelab import artifacts, storage
from vaelab.figures import latents
from vaelab.figures.curves import training_curves
from vaelab.figures.kind import PRIORS, Named, RunMaterial
from vaelab.figures.kinds import FIGURES
from vaelab.figures.latent_plane import latent_projection
from vaelab.params.schema import Run

if TYPE_CHECKING:  # it needs torch, and pictures do not
    from vaelab.evaluation.latent.decoding import Decoded


def read_material(run: Run, decoded: "Decoded") -> RunMaterial:
    """Return what the pictures of a run are made of: what its evaluation saved, and what its model decodes."""
    scores = artifacts.scores(run.name)
    arrays, _ = storage.read_tensors(scores / "arrays.safetensors")
    examples, dimensions, history = (
        pd.read_csv(scores / f"{name}.csv") for name in ("examples", "dimensions", "history")
    )
    metrics = storage.read_json(artifacts.evaluation(run.name))
    return RunMaterial(run, decoded, arrays, examples, dimensions, history.assign(run=run.name), metrics)


def run_pictures(m: RunMaterial) -> Iterator[Named]:
    """Yield every picture of a run with the name of its file."""
    kind, info, decoded = FIGURES[m.info.kind], m.info, m.decoded
    yield "prior_samples", kind.examples.prior_samples(decoded.samples, PRIORS[decoded.prior], info)
    yield "posterior_histograms", latents.posterior_histograms(m.of("mean"), m.of("log_var"), m.phase)
    yield "kl_per_dimension", latents.kl_per_dimension(m.dimensions, m.phase)
    moved = decoded.traversal
    start = f"{m.phase} {kind.noun} {moved.start}, the one with the largest KL"
    yield "traversals", kind.examples.traversals(moved.examples, moved.dimensions, moved.values, start, info)
    examples, pairs = decoded.interpolations
    if len(pairs):
        yield "interpolations", kind.examples.interpolations(examples, pairs, m.phase, info)
    if len(info.groups) > 1:
        yield "latent_projection", latent_projection(m.of("mean"), m.of("group"), info.groups, m.phase)
    yield "curves", training_curves(m.history, info.kind)
    yield from kind.of_run(m)
