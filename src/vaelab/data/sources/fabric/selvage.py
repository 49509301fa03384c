"""Where the fabric begins in a strip whose left end may show background and selvage.

H W: pixels of the strip. The background ends in a step of the mean over columns that is larger than any of the fabric.
"""

import numpy as np

WINDOW = 32  # columns on each side of a step
LEFT_PART = 0.35  # of the strip, in which the fabric begins
STEPS = 3.0  # times the step that 80 % of the columns in the right half stay below: defects there are narrower
DEVIATIONS = 0.75  # of the pixels in the right half


def fabric_start(gray: np.ndarray) -> int | None:
    """Return the column of the strongest step in the left part of uint8 [H, W]; None where it is none of a background.

    A step is the difference of the means of WINDOW columns on both sides. That of a background is several times what
    the right half of the strip has, and as large as the contrast of the fabric.
    """
    width = gray.shape[1]
    if width < 4 * WINDOW:
        return None
    total = np.concatenate([[0.0], np.cumsum(gray.mean(0, dtype=np.float64))])
    centre = np.arange(WINDOW, width - WINDOW + 1)
    steps = np.abs(total[centre + WINDOW] - 2 * total[centre] + total[centre - WINDOW]) / WINDOW
    left, right = steps[centre < LEFT_PART * width], steps[centre >= width / 2]
    usual = STEPS * np.percentile(right, 80)
    strongest = int(left.argmax())
    if left[strongest] <= max(usual, DEVIATIONS * gray[:, width // 2 :].std()):
        return None
    return int(centre[strongest])
