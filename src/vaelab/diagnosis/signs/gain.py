"""How much of the way from a method that knows nothing of the example to PCA of as many numbers a model gets.

u = (model − nothing) / (PCA − nothing): 0 knows nothing, 1 is PCA's, above 1 is better. In the nats that the run
minimises where all three are saved, else in a stand-in of the kind of data. This file alone knows the stand-ins.
Nats of drawn z, as they are minimised; a stand-in is of the posterior mean.
"""

from typing import NamedTuple

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading


class Scale(NamedTuple):
    """Paths of a measure of a phase: of the model, drawn z and posterior mean; of what knows nothing of x; of PCA."""

    drawn: str
    mean: str
    nothing: str
    pca: str


def _nats(nothing: str) -> Scale:
    return Scale("distortion", "distortion_at_mean", f"floors.{nothing}.distortion", "floors.pca.distortion_at_mean")


def _stand_in(measure: str, nothing: str) -> Scale:
    return Scale(f"sampled.{measure}", measure, f"floors.{nothing}.{measure}", f"floors.pca.{measure}")


SCALES = {  # the first whose numbers are saved: nats of drawn z, which is what is minimised
    "grid": (_nats("frequency"), _stand_in("accuracy", "majority")),
    "image": (_nats("mean_image"), _stand_in("psnr", "mean_image")),
    "tags": (_nats("frequency"),),
}


def gain(case: Case) -> Reading | None:
    """Return u of the phase that is reported; of a latent map against PCA of patches where PCA has no such size."""
    for scale in SCALES[case.kind]:
        model = scale.drawn if "distortion" in scale.drawn else scale.mean
        for pca in (scale.pca, scale.pca.replace(".pca.", ".patch_pca.")):
            if (found := _share(case, "final", model, scale.nothing, pca)) is not None:
                return Reading(found, case.source(f"final.{model}"))
    return None


def drawn_share(case: Case) -> Reading | None:
    """Return what is left of the way with one drawn z in place of the posterior mean."""
    for scale in SCALES[case.kind]:
        if (found := _share(case, "final", scale.drawn, scale.nothing, scale.mean)) is not None:
            return Reading(found, case.source(f"final.{scale.drawn}"))
    return None


def latent_share(case: Case) -> Reading | None:
    """Return the share of the way that is lost when the decoder gets another example's z."""
    for scale in SCALES[case.kind]:
        other = f"ablations.shuffled_z.{scale.drawn.removeprefix('sampled.')}"
        if (found := _share(case, "final", other, scale.nothing, scale.mean)) is not None:
            return Reading(1 - found, case.source(f"final.{other}"))
    return None


def overfit_share(case: Case) -> Reading | None:
    """Return how much is lost from train to val, as a share of what was gained on train."""
    for scale in SCALES[case.kind]:
        name = scale.drawn if "distortion" in scale.drawn else scale.mean
        train, val = case.number(f"train.{name}"), case.number(f"val.{name}")
        nothing = case.number(f"train.{scale.nothing}")
        nothing = case.number(f"val.{scale.nothing}") if nothing is None else nothing
        if train is not None and val is not None and nothing is not None and _is_way(name, nothing, train):
            return Reading((train - val) / (train - nothing), case.source(f"val.{name}"))
    return None


def shift_ratio(case: Case) -> Reading | None:
    """Return the loss from train to val over the difference of val and test."""
    for scale in SCALES[case.kind]:
        name = scale.drawn if "distortion" in scale.drawn else scale.mean
        train, val, test = (case.number(f"{phase}.{name}") for phase in ("train", "val", "test"))
        if train is not None and val is not None and test is not None:
            return Reading(abs(train - val) / max(abs(test - val), 1e-9), case.source(f"test.{name}"))
    return None


def _share(case: Case, phase: str, at: str, start: str, end: str) -> float | None:
    """The share of the way from one saved number to another at which a third one is; None where there is no way up."""
    here, first, last = (case.number(f"{phase}.{path}") for path in (at, start, end))
    if here is None or first is None or last is None or not _is_way(end, first, last):
        return None
    return (here - first) / (last - first)


def _is_way(name: str, start: float, end: float) -> bool:
    """Whether there is a way up from one to the other."""
    return end < start if "distortion" in name else end > start
