"""Causes that lie behind the score: aggregation, calibration, threshold."""

from vaelab.diagnosis.cause import Cause, Rule
from vaelab.diagnosis.prescriptions import decision as thresholds
from vaelab.diagnosis.signs import decision

CALIBRATION_SHIFT = Cause(
    "calibration_shift", "Normal examples of test score otherwise than those of val",
    (
        Rule("costs", (decision.SHIFT_P,)),
        Rule("costs", (decision.SHIFT_DOUBT, decision.RATE_OFF)),
        Rule("costs", (decision.VAL_ABOVE,)),
        Rule("costs", (decision.SHIFT_DOUBT, decision.VAL_ABOVE_DOUBT)),
    ),
    "The threshold comes from val normals. Test normals have other scores, so that it flags far more of them, or far "
    "fewer, than was asked for. Recall and F1 follow from that.",
    "Calibrate with normals from where the model is used; score each strip against itself.",
    (thresholds.by_strips, thresholds.steady_score),
    explains=("threshold_too_high",), kinds=("image",),
    symptoms=(decision.RATE_OFF, decision.VAL_ABOVE_DOUBT, decision.RECALL),
    seen="noise on val or on test: p 1e-16; healthy runs from .004",
)  # fmt: skip

AGGREGATION_HIDES_DEFECTS = Cause(
    "aggregation_hides_defects", "The mean over a patch hides small defects",
    (Rule("costs", (decision.MEAN_USED, decision.AGGREGATION)),),
    "Maps show the defects, and their mean over the patch does not: a defect of a few cells is averaged away.",
    "Take the maximum, or the mean of the highest cells (top_k).",
    (thresholds.aggregation,),
    explains=("defects_not_found", "threshold_too_high"), kinds=("image",),
    seen="average precision .475 with the mean, .567 with the maximum",
)  # fmt: skip

THRESHOLD_TOO_HIGH = Cause(
    "threshold_too_high", "The threshold is too high",
    (
        Rule("breaks", (decision.RECALL, decision.RANKS)),
        Rule("breaks", (decision.RECALL, decision.PERCENTILE)),
        Rule("costs", (decision.PERCENTILE, decision.F1_SHARE)),
        Rule("costs", (decision.PERCENTILE, decision.HANGING, decision.F1_LOST)),
    ),
    "Scores rank defects above normals, but the threshold lies above most of both: next to nothing is flagged, and F1 "
    "is near 0 though AUC is not.",
    "Lower the percentile: only stage threshold runs again.",
    (thresholds.usual_percentile, thresholds.percentile),
    kinds=("image",),
    seen="percentile 99.99: recall .01, F1 .02 where .34 can be had; healthy .31",
)  # fmt: skip

DEFECTS_NOT_FOUND = Cause(
    "defects_not_found", "Scores do not tell defects from normals",
    (Rule("breaks", (decision.CHANCE, decision.BASELINES_TOO)), Rule("breaks", (decision.CHANCE,))),
    "AUC may be that of chance: its interval holds one half. Where baselines that need no network are there too, the "
    "defects do not show in these data, or labels are wrong; else it is the model or the score.",
    "Try another of the saved scores, a local model for weaves, features for objects (docs/anomaly.md).",
    (thresholds.other_score, thresholds.aggregation, thresholds.mahalanobis, thresholds.local_model),
    symptoms=(decision.BASELINES_TOO,), kinds=("image",),
    seen="defects of strength .02: lower end of AUC .44 to .49; healthy runs from .59",
)  # fmt: skip

OF_DECISION = (CALIBRATION_SHIFT, AGGREGATION_HIDES_DEFECTS, THRESHOLD_TOO_HIGH, DEFECTS_NOT_FOUND)
