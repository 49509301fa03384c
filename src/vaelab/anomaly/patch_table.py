"""The table of patches: where each was cut, what it scores, and whether it is flagged."""

from collections.abc import Mapping, Sequence

import numpy as np

from vaelab.anomaly.patches import PatchScores
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.report import Row
from vaelab.anomaly.score_files import Scored

PLACE = ("phase", "id", "strip", "top", "left", "group", "label", "defect", "flagged", COMBINED)


def example_rows(
    phases: Mapping[str, Scored],
    scores: PatchScores,
    threshold: float,
    groups: Sequence[str],
    strips: Sequence[str],
    defects: Sequence[str],
) -> list[Row]:
    """Return a row of every patch of every phase: PLACE, then each calibrated score. `id` is its number in the phase.

    Args:
        phases: what is scored.
        scores: of the patches.
        threshold: of the sum of scores.
        groups: names of the groups.
        strips: names of the strips.
        defects: names of the kinds of defect.
    """
    rows: list[Row] = []
    for phase, scored in phases.items():
        total = scores[phase][COMBINED]
        columns: dict[str, Sequence[object]] = {
            "phase": [phase] * len(scored),
            "id": range(len(scored)),
            "strip": [strips[number] for number in scored.strip],
            "top": scored.top.tolist(),
            "left": scored.left.tolist(),
            "group": [groups[number] for number in scored.group],
            "label": scored.label.tolist(),
            "defect": [defects[number] for number in scored.defect],
            "flagged": (total > threshold).astype(int).tolist(),
            COMBINED: total.tolist(),
            **{name: values.tolist() for name, values in scores[phase].items() if name != COMBINED},
        }
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return rows


def flagged_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the flagged patches of test and of defective strips, the most anomalous first."""
    flagged = [row for row in rows if row["flagged"] and row["phase"] in ("test", "defects")]
    order = np.argsort([-row[COMBINED] for row in flagged], kind="stable")
    return [flagged[place] for place in order]
