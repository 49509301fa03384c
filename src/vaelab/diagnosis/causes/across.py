"""Causes that show only beside other runs: stage compare looks for them."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import across as others
from vaelab.diagnosis.signs import across

CONVENTIONS_DIFFER = Cause(
    "conventions_differ", "Runs are compared under different conventions",
    (Rule("note", (across.CONVENTIONS,)),),
    "Runs on the same data count their reconstruction in different units: as a mean or a sum over the elements, with "
    "another σ, by another likelihood, or of features. The same β then weighs differently, and losses do not compare.",
    "Compare what has no such units (PSNR, F1, AUC, rate), or give all runs one reduction and one σ, and set β by the "
    "effective β.",
    (others.same_convention,),
    symptoms=(across.BETA_FACTOR,),
    seen="not among them; a sum and a mean over 3072 values differ by the factor 3072 at the same β",
)  # fmt: skip

SEEDS_DISAGREE = Cause(
    "seeds_disagree", "Seeds disagree",
    (Rule("costs", (across.SEEDS_BROKEN,)), Rule("costs", (across.SEED_SPREAD,))),
    "Runs of the same options and another seed end far apart. What one seed reaches is luck, and so is the order of "
    "configurations that differ by less.",
    "Report mean and spread of three seeds or more. Train longer, lower the learning rate or let it rise slowly; start "
    "from PCA, from which seeds hardly differ.",
    (others.from_pca,),
    seen="not among them",
)  # fmt: skip

OTHER_CHOICE_BETTER = Cause(
    "other_choice_better", "Another of the run's own scores or aggregations finds defects better",
    (Rule("costs", (across.OTHER_CHOICE,)), Rule("note", (across.OTHER_ON_TEST,))),
    "The maps of the run hold more than its threshold uses: the same model, scored or aggregated otherwise, ranks "
    "defects higher on the same patches, by more than chance. Labelled defects of val may choose. Where there are none "
    "only test could tell, and a choice by test is no measurement any more: it is a note then.",
    "Take the other choice. Without labelled defects in val, label some, and let `threshold.select: val_defects` "
    "choose.",
    (others.other_choice,), kinds=("image",),
    seen="not among them; seven fabrics: .756 with the mixture, .796 with the Mahalanobis distance of the same run",
)  # fmt: skip

OF_COMPARISON = (CONVENTIONS_DIFFER, SEEDS_DISAGREE, OTHER_CHOICE_BETTER)
