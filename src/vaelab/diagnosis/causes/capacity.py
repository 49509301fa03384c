"""Causes that lie in what the model can hold, or should not."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import capacity as sizes
from vaelab.diagnosis.prescriptions import decision as thresholds
from vaelab.diagnosis.prescriptions import objective as weights
from vaelab.diagnosis.prescriptions import optimisation as steps
from vaelab.diagnosis.signs import across, capacity

MOSTLY_BACKGROUND = "Accuracy looks high because most cells are background."

MAJORITY_COLLAPSE = Cause(
    "majority_collapse", "The background is predicted in place of objects",
    (
        Rule(
            "breaks", (capacity.FOREGROUND,),
            f"{MOSTLY_BACKGROUND} Of the other cells fewer than half as many are right as with PCA of the same size.",
        ),
        Rule(
            "costs", (capacity.FOREGROUND_KEPT, capacity.BACKGROUND_RISE, capacity.LOSS_RISEN),
            f"{MOSTLY_BACKGROUND} Of the other cells fewer are right at the end than at the best epoch, although "
            "the loss fell: the objective gives them up, and what is kept is an early epoch.",
        ),
    ),
    f"{MOSTLY_BACKGROUND} Of the other cells fewer than half as many are right as "
    "with PCA of the same size. Or they were right, and with each epoch fewer are, while the loss falls: the objective "
    "gives them up, and what is kept is an early epoch.",
    "Take the cross-entropy (`loss.terms`) and a lower β, or weigh rare colours more (`loss.class_weights`: "
    "sqrt_inverse). Start from PCA (`model.init`: pca).",
    (sizes.lower_gamma, sizes.class_weights, weights.lower_beta, steps.pca_start),
    symptoms=(capacity.BLANK,), kinds=("grid",),
    seen="focal loss without class weights: foreground .15 to .29 of PCA's; healthy 1.27; after the last epoch .01 to "
    ".75 of the best one's; healthy from .97",
)  # fmt: skip

DETAIL_LOST = Cause(
    "detail_lost", "Reconstructions are blurred",
    (
        Rule("costs", (capacity.HALF_EXPLAINED, capacity.RESOLVED, capacity.PCA_RESOLVED, capacity.PCA_JUDGES)),
        Rule("costs", (capacity.NONE_RESOLVED, capacity.PCA_RESOLVED, capacity.HALF_WAY, capacity.PCA_JUDGES)),
        Rule("costs", (capacity.HALF_EXPLAINED, capacity.RESOLVED, capacity.BEHIND_PCA)),
        Rule("note", (capacity.QUARTER_EXPLAINED, capacity.RESOLVED)),
        Rule("note", (capacity.HALF_EXPLAINED, capacity.RESOLVED_MOST, capacity.BEHIND_PCA)),
    ),
    "The error as a whole is small, since large areas are right. But at high spatial frequencies less than half of the "
    "variance is explained: edges, texture and letters are gone. Where PCA of as many numbers resolves hardly more, "
    "the latents are too few; where it resolves much more, training has not come that far. Near PCA it is a note.",
    "Give the model more latents, or a latent map; lower β; add an SSIM or perceptual term.",
    (sizes.more_latents, steps.pca_start, sizes.lower_rate_cost, steps.more_epochs),
    kinds=("image",),
    seen="4 latents for photos: 0 to 1 of 3 to 5 cycles; healthy runs 3 to 10, or one cycle less than "
    "PCA; pages with 4 latents: 0 of 10; a latent map far ahead of a PCA that resolves nothing is a note",
)  # fmt: skip

RECONSTRUCTS_DEFECTS = Cause(
    "reconstructs_defects", "The model reconstructs defects, so that errors do not show them",
    (
        Rule("costs", (capacity.RESIDUAL_USED, across.RATE_RISE, across.AUC_FALL)),
        Rule("costs", (capacity.RESIDUAL_USED, capacity.EXPLAINED)),
        Rule("costs", (capacity.RESIDUAL_USED, capacity.EXPLAINED_MOST, capacity.RESIDUAL_BEHIND)),
    ),
    "The anomaly score is the error of the reconstruction, and the model has room enough to reconstruct defects too. "
    "With more latents the score gets worse, while every other number gets better.",
    "Score by the distance of the latents (`threshold.scores`: [mahalanobis]). Or take fewer latents, or a higher β.",
    (thresholds.mahalanobis, sizes.fewer_channels, weights.raise_beta),
    explains=("masks_misaligned", "defects_not_found", "unfinished"),
    kinds=("image",),
    seen="64 channels: 1.000 of the variance explained, 40: .966 and AUC .04 behind PCA's; healthy up to .978",
)  # fmt: skip

DEGENERATE_SAMPLES = Cause(
    "degenerate_samples", "Samples are nearly all the same",
    (Rule("costs", (capacity.DIVERSITY,)),),
    "Rows that are drawn from the prior are far less varied than real ones: the entropy of their combinations of tags "
    "is low. It is 0 where all samples are one row.",
    "Draw tags from their probabilities in place of a threshold (`evaluate.tag_sampling`: draw). Lower β where the "
    "latents are empty.",
    (sizes.drawn_tags, weights.lower_beta),
    kinds=("tags",),
    seen="tags above a threshold of a collapsed model: entropy 0 of 6.3; healthy 6.2",
)  # fmt: skip

PREDICTS_NOTHING = Cause(
    "predicts_nothing", "No tag reaches the threshold",
    (Rule("costs", (capacity.PREDICTED,)),),
    "The model predicts hardly any tag at the threshold in force, although rows have tags. F1, recall and the Jaccard "
    "index are then near 0 whatever the ranking is worth.",
    "Set `evaluate.threshold` to that of the best F1 on val. If the ranking is poor too, lower β.",
    (sizes.own_threshold, weights.lower_beta, steps.more_epochs),
    kinds=("tags",),
    seen="tags of frequency below .1 at a threshold of .5: .000 of the tags",
)  # fmt: skip

WORSE_THAN_BASELINE = Cause(
    "worse_than_baseline", "PCA of the same size does far better",
    (Rule("costs", (capacity.POOR_AT_MEAN,)),),
    "The model gets less than half of the way from knowing nothing to PCA with as many numbers, and no other cause "
    "that is known here explains it.",
    "Start from PCA (`model.init`: pca; not for tags), train longer (`train.epochs`), or look at what the checkpoints "
    "draw (plots/runs/<run>/epochs.gif).",
    (steps.pca_start, steps.more_epochs, weights.lower_beta),
    seen="healthy runs get from .72 to 1.57 of the way",
)  # fmt: skip

OF_CAPACITY = (
    MAJORITY_COLLAPSE, DETAIL_LOST, RECONSTRUCTS_DEFECTS, DEGENERATE_SAMPLES, PREDICTS_NOTHING, WORSE_THAN_BASELINE,
)  # fmt: skip
