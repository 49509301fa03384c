"""Signs of what a model can do: against PCA of its size, by frequency, of its samples."""

from math import isfinite

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import CHANGE, YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs import gain
from vaelab.diagnosis.signs.objective import of_metric, ratio


def foreground_share(case: Case) -> Reading | None:
    """Return the foreground accuracy over PCA's."""
    pairs = [("final.foreground_accuracy", f"final.floors.{name}.foreground_accuracy") for name in ("pca", "patch_pca")]
    return next((found for pair in pairs if (found := ratio(case, *pair)) is not None), None)


def foreground_kept(case: Case) -> Reading | None:
    """Return the foreground accuracy on val after the last epoch, over the best of all epochs and the start."""
    found = [value for _, value in case.curve("val", "foreground_accuracy")]
    if len(found) < 2 or max(found) <= 0:
        return None
    return Reading(found[-1] / max(found), f"{artifacts.models(case.run.name)}/history.csv: foreground_accuracy")


def background_rise(case: Case) -> Reading | None:
    """Return the share of val that is predicted as background after the last epoch, less that of the best one."""
    right, shares = case.curve("val", "foreground_accuracy"), dict(case.curve("val", "predicted_background_share"))
    best = max(right, key=lambda point: point[1])[0] if right else None
    if len(right) < 2 or best not in shares or right[-1][0] not in shares:
        return None
    source = f"{artifacts.models(case.run.name)}/history.csv: predicted_background_share"
    return Reading(shares[right[-1][0]] - shares[best], source)


def loss_risen(case: Case) -> Reading | None:
    """Return how far the training loss, KL included, is above that of the first epoch, as a share of it."""
    losses = [value for _, value in case.curve("train", "loss")]
    if len(losses) < 2 or losses[0] == 0:
        return None
    rise = (losses[-1] - losses[0]) / abs(losses[0])
    return Reading(rise, f"{artifacts.models(case.run.name)}/history.csv: loss")


def predicted_share(case: Case) -> Reading | None:
    """Return how many tags are predicted for each true one; None of a softmax, whose tags share one probability."""
    if case.run.loss.terms.multinomial:
        return None
    return ratio(case, "final.predicted_tags", "final.true_tags")


def residual_used(case: Case) -> Reading | None:
    """Return 1 where the anomaly score is the residual alone."""
    if not case.threshold:
        return None
    scores = case.threshold.get("settings", {}).get("scores", case.run.threshold.scores)
    return Reading(float(set(scores) == {"residual"}), f"threshold.scores {', '.join(scores)}")


def residual_behind(case: Case) -> Reading | None:
    """Return how far the AUC of the residual is below the lower one of two scores that defects can reach as well.

    The distance of the latents, which hold what is reconstructed, and the residual of PCA with fewer numbers.
    """
    rows = {row["score"]: row.get("roc_auc") for row in case.tables.get("scores", ())}
    own, *others = (rows.get(name) for name in ("residual", "mahalanobis", "pca_residual"))
    if not own or not all(others):
        return None
    behind = min(float(auc) for auc in others if auc) - float(own)
    return Reading(behind, f"{artifacts.thresholds(case.run.name)}/scores.csv: roc_auc") if isfinite(behind) else None


DEAD_GAIN = Sign("gain", "share of the way from knowing nothing to PCA", "dead_gain", "below", gain.gain)
POOR_AT_MEAN = Sign(
    "gain_at_mean",
    "share of the way from knowing nothing to PCA, at the posterior mean",
    "poor_gain",
    "below",
    gain.gain_at_mean,
)
TRAIN_LEARNED = Sign("gain_on_train", "gain on training examples, over the way to PCA", "dead_gain", "above",
                     gain.gain_on_train)  # fmt: skip
POOR_GAIN = Sign("gain_poor", "share of the way from knowing nothing to PCA", "poor_gain", "below", gain.gain)
FOREGROUND = Sign("foreground_share", "foreground accuracy over PCA's", "foreground_share", "below", foreground_share)
FOREGROUND_KEPT = Sign("foreground_kept", "foreground accuracy after the last epoch, over that of the best one",
                       "foreground_kept", "below", foreground_kept)  # fmt: skip
BACKGROUND_RISE = Sign("background_rise", "share predicted as background, last epoch less the best one", 0.01,
                       "above", background_rise)  # fmt: skip
LOSS_RISEN = Sign("loss_risen", "training loss since the first epoch", 0, "below", loss_risen, CHANGE)
BLANK = Sign("blank_share", "grids that come out as background only", 0.1, "above", of_metric("final.blank_share"))
RESOLVED = Sign(
    "resolved_share",
    "spatial frequencies that are resolved, over those that hold the data's variance",
    "resolved_share",
    "below",
    lambda case: ratio(case, "final.resolved_cycles", "final.data_cycles"),
)
PCA_RESOLVED = Sign(
    "pca_resolved_share",
    "spatial frequencies that PCA of the same size resolves, over those that hold the data's variance",
    "pca_resolved",
    "below",
    lambda case: ratio(case, "final.floors.pca.resolved_cycles", "final.data_cycles"),
)
RESOLVED_MOST = Sign(
    "resolved_most",
    "spatial frequencies that are resolved, over those that hold the data's variance",
    0.8,
    "below",
    lambda case: ratio(case, "final.resolved_cycles", "final.data_cycles"),
)
NONE_RESOLVED = Sign(
    "resolved_none",
    "spatial frequencies that are resolved, over those that hold the data's variance",
    0.1,
    "below",
    lambda case: ratio(case, "final.resolved_cycles", "final.data_cycles"),
)
PCA_JUDGES = Sign("gain_like_pca", "share of the way from knowing nothing to PCA", 1.2, "below", gain.gain)
HALF_WAY = Sign("gain_half", "share of the way from knowing nothing to PCA", 0.5, "above", gain.gain)
BEHIND_PCA = Sign("gain_near", "share of the way from knowing nothing to PCA", "near_pca", "below", gain.gain)
RESIDUAL_BEHIND = Sign(
    "residual_behind",
    "AUC by which the residual is behind both the distance of the latents and the residual of PCA",
    "residual_behind",
    "above",
    residual_behind,
)
EXPLAINED_MOST = Sign(
    "explained_most", "share of the variance explained", 0.9, "above", of_metric("final.explained_variance")
)
EXPLAINED = Sign(
    "explained_variance",
    "share of the variance explained",
    "reconstructed",
    "above",
    of_metric("final.explained_variance"),
)
HALF_EXPLAINED = Sign(
    "explained_half", "share of the variance explained in all", 0.5, "above", of_metric("final.explained_variance")
)
QUARTER_EXPLAINED = Sign(
    "explained_quarter", "share of the variance explained in all", 0.25, "above", of_metric("final.explained_variance")
)
RESIDUAL_USED = Sign("residual_score", "the score is the residual alone", 0, "above", residual_used, YES_OR_NO)
HOLE = Sign(
    "sample_reconstruction_mmd",
    "distance of samples from reconstructions, MMD",
    "hole",
    "above",
    of_metric("final.sample_reconstruction_mmd"),
)
DIVERSITY = Sign("entropy_share", "entropy of sampled tag combinations, over that of real ones", "diversity", "below",
                 lambda case: ratio(case, "final.entropy", "final.real_entropy"))  # fmt: skip
PREDICTED = Sign("predicted_share", "predicted tags per row, over true ones", "predicted_share", "below",
                 predicted_share)  # fmt: skip
