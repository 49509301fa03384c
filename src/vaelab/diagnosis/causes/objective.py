"""Causes that lie in what is minimised: the weight of KL, and ways around it."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.causes.optimisation import FOLLOWS
from vaelab.diagnosis.prescriptions import objective as weights
from vaelab.diagnosis.signs import capacity, objective, optimisation

BETA_TOO_HIGH = Cause(
    "beta_too_high", "β is too high: KL leaves nothing in the latents",
    (
        Rule("breaks", (capacity.DEAD_GAIN, objective.RATE_ASKED, optimisation.QUICK)),
        Rule("breaks", (capacity.DEAD_GAIN, objective.HIGH_BETA)),
        Rule("breaks", (capacity.DEAD_GAIN, objective.RATE_USUAL, optimisation.LONG_WAY)),
        Rule("breaks", (objective.DRAWN_SHARE, objective.RAISED_BETA)),
        Rule("costs", (capacity.POOR_GAIN, objective.HIGH_BETA)),
        Rule("costs", (objective.RATE_SHORT, objective.RAISED_BETA)),
        Rule("costs", (objective.NOISY, objective.RAISED_BETA)),
        Rule("breaks", (objective.FLAT_MEANS, objective.RAISED_BETA)),  # last: where no PCA can be held against it
        Rule("note", (optimisation.LOST_AGAIN, optimisation.RATE_FELL)),
    ),
    "KL weighs so much that the encoder gives every example about the same z (posterior collapse), or a z with too "
    "little in it. The decoder answers with an average. What counts is the effective β: the weight of KL once the "
    "reconstruction is in nats per example. Under a mean over pixels the same β weighs thousands of times more. A "
    "start from PCA does not help: the "
    "rate falls epoch by epoch, and what was known at the start is lost.",
    "Lower β until effective β is about 1 (images), .3 (grids) or .2 (tags); take a likelihood in place of a mean "
    "error. Where KL is held at a capacity (`loss.capacity`), raise that.",
    (weights.raise_capacity, weights.lower_beta, weights.likelihood, weights.summed, weights.free_bits),
    explains=("not_learned", "overfitting", "unstable", *FOLLOWS),
    symptoms=(objective.FLAT_MEANS, objective.ALIKE, objective.DRAWN_SHARE, objective.RATE_SHORT),
    seen="effective β 9 to 24000: gain up to .03; healthy runs have effective β up to 2.1",
)  # fmt: skip

BETA_TOO_LOW = Cause(
    "beta_too_low", "β is too low: the latents are far from the prior",
    (
        Rule("costs", (objective.LOW_BETA, objective.PRIOR_GAP)),
        Rule("costs", (objective.LOWER_BETA, objective.SAMPLING_COST)),
        Rule("note", (objective.LOWER_BETA, optimisation.RATE_GREW)),
    ),
    "KL weighs so little that posteriors shrink to points and spread beyond the prior. Reconstructions are good; but "
    "samples of the prior fall where no example was, distances in the latents mean little, and the model may copy "
    "defects too. Of a start from PCA the best epoch may be one of the first, before the posteriors shrink: what is "
    "kept is then nearly the start, and the epochs after it were wasted.",
    "Raise β until effective β is about 1 (images), .3 (grids) or .2 (tags), or sample from a prior that is fitted.",
    (weights.raise_beta, weights.likelihood, weights.fitted_prior),
    explains=("prior_hole", "degenerate_samples"),
    symptoms=(objective.SMALL_SIGMA, objective.EXTREME),
    seen="effective β .001 to .02: prior gap .26 to .77 of the rate; healthy runs up to .19",
)  # fmt: skip

BOTTLENECK_BYPASSED = Cause(
    "bottleneck_bypassed", "Skips carry the picture past the latents",
    (
        Rule("breaks", (objective.SKIPS, objective.BYPASSED_RATE)),
        Rule("breaks", (objective.SKIPS, objective.LATENT_SHARE)),
    ),
    "Reconstructions are good, but the latents hold next to nothing: features of the encoder reach the decoder "
    "directly. Samples are then worthless, and defects are copied.",
    "Train without skips (`model.skips`: false). For sharper pictures take a latent map (`model.latent`: map).",
    (weights.no_skips,),
    explains=("not_learned", "prior_hole", "reconstructs_defects"),
    symptoms=(objective.FLAT_MEANS,), kinds=("image",),
    seen="1.9 of 93 nats that a linear VAE spends, at good PSNR",
)  # fmt: skip

PRIOR_HOLE = Cause(
    "prior_hole", "Samples are worse than reconstructions",
    (Rule("note", (capacity.HOLE,)),),
    "Samples of the prior fall where no example lies, and look unlike reconstructions. It matters only if you draw "
    "samples: the run may be healthy otherwise.",
    "Sample from a mixture that is fitted to the posteriors (`evaluate.prior`: mixture), or raise β.",
    (weights.fitted_prior, weights.raise_beta),
    kinds=("grid", "image"),
    seen="distance .18 to 1.4 with β too low; healthy runs up to .31, so that only what is far beyond is said",
)  # fmt: skip

OF_OBJECTIVE = (BETA_TOO_HIGH, BOTTLENECK_BYPASSED, BETA_TOO_LOW, PRIOR_HOLE)
