"""Causes that lie in the data: no training mends them."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import capacity
from vaelab.diagnosis.prescriptions import optimisation as steps
from vaelab.diagnosis.signs import data, decision

LEAKAGE = Cause(
    "leakage", "The same examples stand in training and in what is measured",
    (Rule("costs", (data.DUPLICATES,)), Rule("note", (data.ALIKE,))),
    "Examples of val or test equal examples of training, but for noise. What is measured there is memory: all numbers "
    "of these splits are too good, and no other sign shows it.",
    "Split by what the examples share: a page, a strip, a photo, a person (`group_by` of the data set).",
    seen="no plant of the development set",
)  # fmt: skip

INPUT_RANGE = Cause(
    "input_range", "A part of the data lies in another range of values",
    (Rule("costs", (data.RANGE_USED,)), Rule("costs", (data.SPLIT_OFFSET,))),
    "Values of a whole split lie elsewhere than those that were trained on, brighter or darker, or fill a small part "
    "of the range. Errors there are of the brightness, and not of what the pictures show.",
    "Prepare all files in the same way; look at `statistics` in meta.json for the split that the evidence names.",
    explains=("calibration_shift",), kinds=("image",),
    seen="no plant of the development set",
)  # fmt: skip

GROUP_SCARCE = Cause(
    "group_scarce", "A group is next to missing in training",
    (Rule("costs", (data.GROUP_SHARE,)),),
    "One group of examples is a far smaller part of training than of test. The model has hardly seen it, and its "
    "numbers there say little about the rest.",
    "Get more training examples of this group, or leave it out of what is measured.",
    explains=("group_shift",), symptoms=(data.GROUP_SHIFT,),
    seen="4 bricks among 300 textures in training, a third in test: share ratio .04",
)  # fmt: skip

GROUP_SHIFT = Cause(
    "group_shift", "A group looks different in test than in training",
    (Rule("costs", (data.GROUP_SHIFT,)),),
    "From train to test one group loses far more than the others. Groups differ in how hard they are; but a group "
    "that was learned and is not found again was taken or prepared in another way.",
    "Compare pictures of this group in train and test: exposure, scale, source.",
    symptoms=(data.GROUP_OFFSET,), kinds=("image",),
    seen="7.1 dB on gray pictures with changed contrast; healthy runs up to 3.5",
)  # fmt: skip

MASKS_MISALIGNED = Cause(
    "masks_misaligned", "Masks or labels do not fit the pictures",
    (Rule("breaks", (data.MASK_Z, decision.RANKS)),),
    "The score of a patch finds defects, but inside the masks it is no higher than inside masks of other images. Then "
    "masks lie elsewhere than the defects, or labels are of other patches.",
    "Look at plots/comparison/defects/<run>/: the outline of the mask should hold the defect. Check how files of "
    "masks are matched with files of images.",
    kinds=("image",),
    seen="masks of the next image: z −2.3 to 1.9; healthy runs from 6.5",
)  # fmt: skip

OVERFITTING = Cause(
    "overfitting", "The model remembers its training examples",
    (Rule("costs", (data.OVERFIT, data.NOT_SHIFT)),),
    "Most of what was gained on training examples is lost on val, and test is like val: it is not another kind of "
    "data, the model knows single examples by heart.",
    "Stop earlier, hide a part of the input, take a smaller network, weigh KL more; or get more examples.",
    (steps.pca_start, capacity.noise, capacity.beta_up, capacity.smaller),
    explains=("not_learned", "worse_than_baseline", "prior_hole"),
    seen="100 rows of tags for 300 epochs: .69 to 1.49; healthy runs up to .28",
)  # fmt: skip

OF_DATA = (LEAKAGE, INPUT_RANGE, GROUP_SCARCE, GROUP_SHIFT, MASKS_MISALIGNED, OVERFITTING)
