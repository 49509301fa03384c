"""Causes that lie behind the score: aggregation, calibration, threshold."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import decision as thresholds
from vaelab.diagnosis.signs import calibration, decision

CALIBRATION_SHIFT = Cause(
    "calibration_shift", "Normal examples of test score otherwise than those of val",
    (
        Rule("costs", (calibration.SHIFT_P,)),
        Rule("costs", (calibration.SHIFT_DOUBT, calibration.RATE_OFF)),
        Rule("costs", (calibration.VAL_ABOVE,)),
        Rule("costs", (calibration.SHIFT_DOUBT, calibration.VAL_ABOVE_DOUBT)),
    ),
    "The threshold is a percentile of the normals of val. Those of test have other scores, so that it may flag far "
    "more of them, or far fewer, than was asked for. Either one of the two splits was recorded in another way, or val "
    "has unlabelled defects among its normals, which raise the threshold. Recall and F1 follow from that. Where test "
    "scores higher there are more false alarms than were asked for; where val does, the threshold is too high.",
    "Look at the normals of val with the highest scores (data/thresholds/<run>/examples.csv): are they normal? "
    "Calibrate with normals from where the model is used. Or score each strip against itself (`threshold.relative`: "
    "strip).",
    (thresholds.by_strips, thresholds.steady_score),
    kinds=("image",),
    symptoms=(
        calibration.TEST_HIGHER, calibration.VAL_HIGHER, calibration.MORE_ALARMS, calibration.FEWER_ALARMS,
        calibration.RATE_OFF, calibration.VAL_ABOVE_DOUBT, decision.RECALL,
    ),
    seen="noise on val or on test: p up to 1e-9; defects in a quarter of val: .001 for its highest; healthy from .03",
)  # fmt: skip

AGGREGATION_HIDES_DEFECTS = Cause(
    "aggregation_hides_defects", "The mean over a patch hides small defects",
    (Rule("costs", (decision.MEAN_USED, decision.AGGREGATION)),),
    "The score of a patch is the mean of its map. A defect of a few cells shows in the map, and is averaged away in "
    "the mean.",
    "Take the maximum of the map, or the mean of its highest cells (`threshold.aggregation`: max or top_k).",
    (thresholds.aggregation,),
    explains=("defects_not_found", "threshold_too_high"), kinds=("image",),
    seen="average precision .475 with the mean, .567 with the maximum",
)  # fmt: skip

THRESHOLD_TOO_HIGH = Cause(
    "threshold_too_high", "The threshold is too high",
    (
        Rule("breaks", (decision.RECALL, decision.RANKS, calibration.ALIKE)),
        Rule("breaks", (decision.RECALL, decision.PERCENTILE)),
        Rule("costs", (decision.PERCENTILE, decision.F1_SHARE)),
        Rule("costs", (decision.PERCENTILE, decision.HANGING, decision.F1_LOST)),
    ),
    "The threshold lies above nearly all scores, those of defects too: next to nothing is flagged, and F1 is near 0 "
    "even where scores rank defects above normals. With fewer normals in val than a percentile needs (99.99 needs "
    "10,000) the largest of them alone is the threshold.",
    "Lower the percentile: 95 flags one normal in twenty. Only stage threshold runs again.",
    (thresholds.usual_percentile, thresholds.percentile),
    kinds=("image",),
    seen="percentile 99.99: recall .01, F1 .02 where .34 can be had; healthy .31",
)  # fmt: skip

DEFECTS_NOT_FOUND = Cause(
    "defects_not_found", "Scores do not tell defects from normals",
    (Rule("breaks", (decision.CHANCE, decision.BASELINES_TOO)), Rule("breaks", (decision.CHANCE,))),
    "AUC may be that of chance: its 95 % interval holds one half, so that normals may score as high as defects. Where "
    "methods without a network do no better, the defects do not show in these pictures, or the labels are wrong. Where "
    "they do, it is the model or the score.",
    "Look at some defects: can you see them at this size? Then try another of the saved scores, a local model for "
    "weaves, features of a trained network for objects (docs/anomaly.md).",
    (thresholds.other_score, thresholds.aggregation, thresholds.mahalanobis, thresholds.local_model),
    symptoms=(decision.BASELINES_TOO,), kinds=("image",),
    seen="defects of strength .02: lower end of AUC .44 to .49; healthy runs from .59",
)  # fmt: skip

OF_DECISION = (CALIBRATION_SHIFT, AGGREGATION_HIDES_DEFECTS, THRESHOLD_TOO_HIGH, DEFECTS_NOT_FOUND)
