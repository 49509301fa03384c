"""Causes that lie in the data: no training mends them."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import capacity
from vaelab.diagnosis.prescriptions import optimisation as steps
from vaelab.diagnosis.signs import capacity as gains
from vaelab.diagnosis.signs import data, decision, inputs, optimisation

LEAKAGE = Cause(
    "leakage", "The same examples stand in training and in what is measured",
    (Rule("costs", (data.DUPLICATES,)), Rule("note", (data.ALIKE,))),
    "Examples of val or test are also in training, as they are or saved again. All numbers of these splits are then "
    "too good: they measure memory. No other number shows it. Pairs that only seem to show one thing are a note.",
    "Stage prepare counts the pairs and names the first: `warnings` in data/prepared/<data>/meta.json. Remove one of "
    "each pair. Or split by what the examples share, such as a page, a strip, a photo or a person (`group_by` of the "
    "data set).",
    seen="3 of 24 pictures copied from training, or saved again as JPEG: .06 of val and test; healthy data 0",
)  # fmt: skip

INPUT_RANGE = Cause(
    "input_range", "A part of the data lies in another range of values",
    (
        Rule("costs", (inputs.RANGE_USED,)),
        Rule("costs", (inputs.SPLIT_OFFSET,)),
        Rule("costs", (inputs.MILD_OFFSET, inputs.SPLIT_OFFSET_ERRORS)),
        Rule("costs", (inputs.SPLIT_LIGHT,)),
        Rule("costs", (inputs.GROUPS_LIGHT,)),
    ),
    "The values of a split or of a group are brighter or darker than the rest, or fill a small part of the range, as "
    "if the files had been scaled in another way. Errors there measure brightness, not what the pictures show.",
    "Bring all files to one range before they are prepared, or set `value_range` of the data set. `statistics` in "
    "data/prepared/<data>/meta.json has the mean and the deviation of each split and group; the evidence names which.",
    explains=("group_shift", "calibration_shift", "overfitting", "prior_hole"), kinds=("image",),
    seen="a test split at .5 of its brightness: factor 2; a group at .4: 2.3; healthy up to 1.2 and "
    "1.34; a test split .1 brighter than training, by 3.5 standard errors or more in each group; healthy up "
    "to .083 and .9",
)  # fmt: skip

GROUP_SCARCE = Cause(
    "group_scarce", "A group is next to missing in training",
    (Rule("costs", (data.GROUP_SHARE,)),),
    "One group of examples is a far smaller part of training than of test. The model has hardly seen it, so that its "
    "numbers on this group are poor, and they pull down those of the whole split.",
    "Get more training examples of this group, or leave it out of what is measured.",
    explains=("group_shift", "overfitting"), symptoms=(data.GROUP_SHIFT,),
    seen="4 bricks among 300 textures in training, a third in test: share ratio .04",
)  # fmt: skip

GROUP_SHIFT = Cause(
    "group_shift", "A group looks different in test than in training",
    (
        Rule("costs", (data.GROUP_SHIFT,)),
        Rule("costs", (inputs.GROUP_LIGHT,)),
        Rule("costs", (inputs.GROUP_OFFSET, inputs.GROUP_OFFSET_ERRORS)),
    ),
    "From training to test one group loses far more PSNR than the others, or its brightness and contrast change. A "
    "group that is merely hard is hard in training too. This one was recorded or prepared in another way.",
    "Compare pictures of this group in training and test: exposure, scale, source, file format.",
    explains=("calibration_shift", "prior_hole", "overfitting", "detail_lost"), kinds=("image",),
    symptoms=(inputs.GROUP_LIGHT, inputs.GROUP_OFFSET),
    seen="7.1 dB on gray pictures with changed contrast; healthy runs up to 4.8; an inverted group: its "
    "mean .24 off, 7.2 to 8.8 standard errors; healthy up to .19, 2.1",
)  # fmt: skip

MASKS_MISALIGNED = Cause(
    "masks_misaligned", "Masks or labels do not fit the pictures",
    (
        Rule("breaks", (data.MASK_Z, data.MASKS_TELL, decision.RANKS)),
        Rule("breaks", (data.MASK_Z, data.MASKS_TELL, decision.ABOVE_CHANCE)),
    ),
    "Scores find which patches have defects. But inside the mask of a patch they are no higher than inside the masks "
    "of other patches. So the masks lie elsewhere than the defects, or belong to other patches. All numbers of defects "
    "then measure against wrong answers.",
    "Look at plots/runs/<run>/defects.gif, or at the defects in the report: the outline of the mask should hold the "
    "defect. Check how the files of masks are matched with those of images (names, order, `mask_suffix`, "
    "`mask_inverted`).",
    explains=("defects_not_found",), kinds=("image",),
    seen="masks of the next image: −2.3 to 1.9 standard deviations; healthy runs from 6.5",
)  # fmt: skip

OVERFITTING = Cause(
    "overfitting", "The model remembers its training examples",
    (
        Rule("costs", (data.OVERFIT, data.NOT_SHIFT, gains.TRAIN_LEARNED)),
        Rule("costs", (optimisation.LOST_AGAIN, optimisation.TRAIN_FELL, gains.TRAIN_LEARNED)),
    ),
    "Most of what was gained on training examples is lost on val. Test is like val, so that it is not another kind of "
    "data: the model knows single examples by heart. Or val became worse again while training still became better: "
    "then the best epoch was kept, and the epochs after it were wasted.",
    "Stop earlier (`train.patience`), hide a part of the input (`model.input_dropout`), take a smaller network "
    "(`model.width`, `model.hidden`) or weigh KL more (`loss.beta`). Or get more examples.",
    (steps.pca_start, capacity.noise, capacity.beta_up, capacity.smaller),
    explains=("not_learned", "worse_than_baseline", "prior_hole"),
    seen="100 rows of tags for 300 epochs: .69 to 1.49; 200 rows .40; healthy runs up to .25",
)  # fmt: skip

OF_DATA = (LEAKAGE, INPUT_RANGE, GROUP_SCARCE, GROUP_SHIFT, MASKS_MISALIGNED, OVERFITTING)
