"""Causes that lie in the training: known from its history, most of them while it runs."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import optimisation as steps
from vaelab.diagnosis.signs import capacity, objective, optimisation

FOLLOWS = (  # from a model that has learned nothing
    "unfinished", "worse_than_baseline", "detail_lost", "majority_collapse", "degenerate_samples", "predicts_nothing",
    "defects_not_found", "aggregation_hides_defects", "prior_hole",
)  # fmt: skip

NOT_FINITE = Cause(
    "not_finite", "Training broke off: a number was not finite",
    (Rule("breaks", (optimisation.NOT_FINITE,)),),
    "A loss or a gradient became infinite, so that no step could follow. There is no model.",
    "Lower the learning rate and let it rise slowly (`train.warmup`), or clip gradients (`train.clip_norm`). If it "
    "stops again in the first steps, look at the examples that metrics/failed/<run>/nonfinite.json names.",
    (steps.lower_rate, steps.clip),
    explains=("unstable", *FOLLOWS),
    symptoms=(optimisation.GRADIENT_RATIO,),
    seen="learning rates of .3 and 5: stops in the first epoch",
)  # fmt: skip

UNSTABLE = Cause(
    "unstable", "Training jumps",
    (
        Rule("costs", (optimisation.GRADIENT_RATIO, optimisation.NOT_SWAMPED)),
        Rule("costs", (optimisation.LOSS_JUMP, optimisation.LONG_WAY, optimisation.NOT_SWAMPED)),
        Rule("costs", (optimisation.OVERSHOOT, optimisation.FAST, optimisation.NOT_SWAMPED)),
    ),
    "One of three things happened. In some epoch the loss rose by a large part of all that it had fallen. Or "
    "gradients were many times longer than usual. Or the first steps, with a large learning rate, made the model far "
    "worse than it was untrained. What was learned before is lost then, and it is luck which weights are kept.",
    "Lower the learning rate, let it rise slowly at the start (`train.warmup`), or clip gradients (`train.clip_norm`).",
    (steps.lower_rate, steps.clip),
    explains=("not_learned", "worse_than_baseline", "unfinished"),
    seen="learning rate .08: loss rises by 6.1 times what it had fallen, gradients to 148 times their median",
)  # fmt: skip

NOT_LEARNED = Cause(
    "not_learned", "The model has learned next to nothing",
    (
        Rule("breaks", (capacity.DEAD_GAIN, optimisation.SLOW)),
        Rule("breaks", (capacity.DEAD_GAIN, optimisation.DROPOUT)),
        Rule("breaks", (capacity.DEAD_GAIN, optimisation.SETTLED)),
        Rule("breaks", (objective.DRAWN_SHARE,)),
    ),
    "Reconstructions are hardly better than one and the same answer for all examples, and the weight of KL is not the "
    "reason. The learning rate is far off, dropout is too heavy, or there were too few steps.",
    "Take a learning rate of about 1e-3 (`train.learning_rate`), dropout of .3 or less (`model.dropout`), and a start "
    "from PCA (`model.init`: pca).",
    (steps.raise_rate, steps.less_dropout, steps.more_epochs, steps.pca_start),
    explains=FOLLOWS,
    symptoms=(objective.FLAT_MEANS, objective.ALIKE, objective.DRAWN_SHARE, optimisation.SHORT_WAY),
    seen="learning rate 1e-5, or dropout .6: gain up to .003; healthy runs from .72",
)  # fmt: skip

UNFINISHED = Cause(
    "unfinished", "Training stopped too early",
    (
        Rule("breaks", (capacity.DEAD_GAIN, optimisation.STILL_GAINING, optimisation.BEST_IS_LAST)),
        Rule("costs", (optimisation.STILL_GAINING, optimisation.BEST_IS_LAST)),
        Rule("costs", (capacity.POOR_AT_MEAN, optimisation.FEW_STEPS)),
    ),
    "The last quarter of the epochs still brought a good part of all progress on val, and the last epoch is the best. "
    "Or the model is far behind PCA after so few steps that no weight can have moved far from where it started.",
    "Train longer. With a learning rate that falls at the end (`train.decay`: cosine) the same epochs go further.",
    (steps.more_epochs,),
    explains=("worse_than_baseline", "predicts_nothing", "majority_collapse"),
    seen="4 to 9 epochs where 30 are needed: last quarter .15 to .49 of all, or less than .2 of learning "
    "rate in all steps; healthy runs up to .07 of progress",
)  # fmt: skip

OF_OPTIMISATION = (NOT_FINITE, UNSTABLE, NOT_LEARNED, UNFINISHED)
