"""How much of the way from a method that knows nothing of the example to PCA of as many numbers a model gets.

u = (model − nothing) / (PCA − nothing): 0 knows nothing, 1 is PCA's, above 1 is better. In the nats that the run
minimises where all three are saved, else in a stand-in of the kind of data. This file alone knows the stand-ins.
"""

from typing import NamedTuple

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading


class Scale(NamedTuple):
    """Paths of a measure of a phase: of the model, of what knows nothing of x, and of PCA."""

    model: str
    nothing: str
    pca: str


NATS = {
    "grid": "floors.frequency.distortion",
    "image": "floors.mean_image.distortion",
    "tags": "floors.frequency.distortion",
}
STAND_INS = {  # until the nats of PCA are saved
    "grid": Scale("accuracy", "floors.majority.accuracy", "floors.pca.accuracy"),
    "image": Scale("psnr", "floors.mean_image.psnr", "floors.pca.psnr"),
    "tags": Scale("distortion_at_mean", "floors.frequency.distortion", "floors.pca.distortion_at_mean"),
}


def scales(kind: str) -> list[Scale]:
    """Return the measures in which the way is known, best first; a map without PCA of its size has that of patches."""
    found = [Scale("distortion", NATS[kind], "floors.pca.distortion"), STAND_INS[kind]]
    return [scale for one in found for scale in (one, one._replace(pca=one.pca.replace(".pca.", ".patch_pca.")))]


def gain(case: Case) -> Reading | None:
    """Return u of the phase that is reported."""
    for scale in scales(case.kind):
        model, nothing, pca = (case.number(f"final.{path}") for path in scale)
        if model is not None and nothing is not None and pca is not None and _is_way(scale, nothing, pca):
            return Reading((model - nothing) / (pca - nothing), case.source(f"final.{scale.model}"))
    return None


def drawn_share(case: Case) -> Reading | None:
    """Return what is left of the way with one drawn z in place of the posterior mean."""
    for scale in scales(case.kind):
        name = scale.model.removesuffix("_at_mean")
        mean, nothing = case.number(f"final.{scale.model}"), case.number(f"final.{scale.nothing}")
        drawn = case.number(f"final.sampled.{name}")
        drawn = case.number("final.distortion") if drawn is None and name != scale.model else drawn
        if mean is not None and nothing is not None and drawn is not None and _is_way(scale, nothing, mean):
            return Reading((drawn - nothing) / (mean - nothing), case.source(f"final.sampled.{name}"))
    return None


def latent_share(case: Case) -> Reading | None:
    """Return the share of the way that is lost when the decoder gets another example's z."""
    for scale in scales(case.kind):
        name = scale.model.removesuffix("_at_mean")
        mean, nothing = case.number(f"final.{scale.model}"), case.number(f"final.{scale.nothing}")
        other = case.number(f"final.ablations.shuffled_z.{name}")
        if mean is not None and nothing is not None and other is not None and _is_way(scale, nothing, mean):
            path = f"final.ablations.shuffled_z.{name}"
            return Reading((mean - other) / (mean - nothing), case.source(path))
    return None


def overfit_share(case: Case) -> Reading | None:
    """Return how much is lost from train to val, as a share of what was gained on train."""
    for scale in scales(case.kind):
        name = scale.model.removesuffix("_at_mean")
        train, val = case.number(f"train.{name}"), case.number(f"val.{name}")
        nothing = _first(case, f"train.{scale.nothing}", f"val.{scale.nothing}")
        if train is not None and val is not None and nothing is not None and _is_way(scale, nothing, train):
            return Reading((train - val) / (train - nothing), case.source(f"val.{name}"))
    return None


def shift_ratio(case: Case) -> Reading | None:
    """Return the loss from train to val over the difference of val and test."""
    for scale in scales(case.kind):
        name = scale.model.removesuffix("_at_mean")
        train, val, test = (case.number(f"{phase}.{name}") for phase in ("train", "val", "test"))
        if train is not None and val is not None and test is not None:
            return Reading(abs(train - val) / max(abs(test - val), 1e-9), case.source(f"test.{name}"))
    return None


def _first(case: Case, *paths: str) -> float | None:
    return next((value for path in paths if (value := case.number(path)) is not None), None)


def _is_way(scale: Scale, start: float, end: float) -> bool:
    """Whether there is a way up from one to the other."""
    return end < start if "distortion" in scale.model else end > start
