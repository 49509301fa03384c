"""How much of the way from a method that knows nothing of the example to PCA of as many numbers a model gets.

u = (model − nothing) / (PCA − nothing), in the nats that the run minimises: 0 knows nothing, 1 is PCA's, above 1 is
better. Of the model with drawn z, as it is minimised; of PCA, which has no posterior, at its projection.
"""

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading

LEAST = 5  # examples of a split, below which what differs from training is chance
MODEL, AT_MEAN = "distortion", "distortion_at_mean"
NOTHING = {  # by kind of data, what knows nothing of the example
    "grid": "floors.frequency.distortion",
    "image": "floors.mean_image.distortion",
    "tags": "floors.frequency.distortion",
}
PCA = (
    "floors.pca.distortion_at_mean",
    "floors.patch_pca.distortion_at_mean",
)  # of a map, PCA of its size may be missing


def gain(case: Case, at: str = MODEL) -> Reading | None:
    """Return (nothing − model) / (nothing − PCA) of the distortion; of a latent map, if need be, PCA is of patches."""
    for pca in PCA:
        if (found := _share(case, at, pca)) is not None:
            return Reading(found, case.source(f"final.{at}"))
    return None


def gain_at_mean(case: Case) -> Reading | None:
    """Return the same share with the posterior mean in place of a drawn z; PCA has no noise either."""
    return gain(case, at=AT_MEAN)


def gain_on_train(case: Case) -> Reading | None:
    """Return what was gained on training examples, over the way to PCA in the phase that is reported.

    On few training examples PCA loses nothing: its way there would be none.
    """
    start, model = (case.number(f"train.{path}") for path in (NOTHING[case.kind], MODEL))
    for pca in PCA:
        first, last = (case.number(f"final.{path}") for path in (NOTHING[case.kind], pca))
        if start is not None and model is not None and first is not None and last is not None and last < first:
            return Reading((start - model) / (first - last), case.source(f"train.{MODEL}"))
    return None


def drawn_share(case: Case) -> Reading | None:
    """Return the gain with one drawn z, over the gain with the posterior mean."""
    found = _share(case, MODEL, AT_MEAN)
    return None if found is None else Reading(found, case.source(f"final.{MODEL}"))


def latent_share(case: Case) -> Reading | None:
    """Return the share of the way that is lost when the decoder gets another example's posterior mean."""
    other = "ablations.shuffled_z.distortion"
    found = _share(case, other, AT_MEAN)
    return None if found is None else Reading(1 - found, case.source(f"final.{other}"))


def overfit_share(case: Case) -> Reading | None:
    """Return how much is lost from train to val, as a share of what was gained on train; None of few examples."""
    train, val, nothing = (
        case.number(path) for path in (f"train.{MODEL}", f"val.{MODEL}", f"train.{NOTHING[case.kind]}")
    )
    if train is None or val is None or nothing is None or train >= nothing or _few(case, "val"):
        return None
    return Reading((val - train) / (nothing - train), case.source(f"val.{MODEL}"))


def shift_ratio(case: Case) -> Reading | None:
    """Return the loss from train to val over the difference of val and test; None of few examples."""
    train, val, test = (case.number(f"{phase}.{MODEL}") for phase in ("train", "val", "test"))
    if train is None or val is None or test is None or _few(case, "val") or _few(case, "test"):
        return None
    return Reading(abs(train - val) / max(abs(test - val), 1e-9), case.source(f"test.{MODEL}"))


def _few(case: Case, phase: str) -> bool:
    """Whether it is known that a split has next to no examples."""
    return 0 < sum(case.groups.get(phase, {}).values()) < LEAST


def _share(case: Case, at: str, end: str) -> float | None:
    """The share of the way from knowing nothing to the end at which a number is; None where the end is no better."""
    here, first, last = (case.number(f"final.{path}") for path in (at, NOTHING[case.kind], end))
    if here is None or first is None or last is None or last >= first:
        return None
    return (here - first) / (last - first)
