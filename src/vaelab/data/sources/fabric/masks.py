"""The masks of an image together: where its defects are, and what may be wrong with them.

H W: pixels of the image.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.sources.account import counted
from vaelab.data.sources.decoding import SWAPPED
from vaelab.data.sources.fabric.mask_files import NOISE, USUAL_RULE, MaskFile, MaskRule, read_mask
from vaelab.data.sources.regular import UnreadableError

MOSTLY = 0.5  # of an image, above which its mask is taken for one of the intact surface
FINDINGS = {  # what a report of pairs may list, and how it is said
    "missing": "images that need a mask, without one",
    "unmasked": "images without a mask, taken as normal",
    "extra": "masks without an image",
    "empty": "empty masks",
    "faint": "masks without a pixel that is bright enough",
    "partly_faint": "masks of which more than a quarter of what is marked is not bright enough, and counts as normal",
    "size_mismatch": "masks of another size than their image",
    "turned": "masks that EXIF turns otherwise than their image",
    "alpha": "masks whose shape is in their alpha channel, which is used, since their luminance is the same everywhere",
    "transparent": "masks that are transparent everywhere, taken as empty whatever their colour",
    "all_positive": "masks that are positive everywhere, which is suspicious",
    "mostly_positive": "masks that are positive on more than half of their image",
    "unreadable": "masks that cannot be read",
}


class MaskError(UnreadableError):
    """An image that cannot be used for its mask; `finding` is a key of FINDINGS, the message is the reason."""

    def __init__(self, finding: str, reason: str, level: int = 255) -> None:
        super().__init__(reason)
        self.finding, self.level = finding, level


class Mask(NamedTuple):
    """The union of an image's masks, and what is to be reported of them, keys of FINDINGS."""

    pixels: np.ndarray  # uint8 [H, W], 1 on defects
    findings: tuple[str, ...] = ()
    faintest: int = 255  # strength of the marks that are too faint to count


class Pairing:
    """What does not line up between images and masks, by finding."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {finding: [] for finding in FINDINGS}
        self.faintest = 255  # strength, of 255, of the marks that are too faint

    def note(self, finding: str, name: str, level: int = 255) -> None:
        """Add a file to the report."""
        self.names[finding].append(name)
        self.faintest = min(self.faintest, level)

    def lines(self, where: str, inverted: bool, most: bool) -> list[str]:
        """Return what to warn of, a line for each finding, and the params line, or the files, that mend it.

        Args:
            where: params path of the data set.
            inverted: whether masks are read as dark on defects.
            most: whether most masks look as if they were the other way round.
        """
        strength = 1 if self.faintest <= 8 else self.faintest // 2
        threshold = 256 - strength if inverted else strength
        of_all = f"set {where}.mask_inverted: {str(not inverted).lower()}"
        wrong = "bright" if inverted else "dark"
        whole = most and not self.names["mostly_positive"]
        remedies = {
            "faint": f"; if they are right, set {where}.mask_threshold: {threshold}",
            "partly_faint": f"; if all of it is defects, set {where}.mask_threshold: {threshold}",
            "mostly_positive": f"; if they are {wrong} on defects, {of_all if most else 'save these files inverted'}",
            "all_positive": f"; if they are {wrong} on defects, {of_all}" if whole else "",
            "turned": "; save both upright, without EXIF",
        }
        return [
            f"{FINDINGS[finding]}: {counted(names)}{remedies.get(finding, '')}"
            for finding, names in self.names.items()
            if names
        ]


def read_masks(
    paths: Sequence[Path], shape: tuple[int, int], max_pixels: int, rule: MaskRule = USUAL_RULE, orientation: int = 1
) -> Mask:
    """Return the union of an image's masks; without a file it is empty.

    Args:
        paths: of the masks.
        shape: of the image, (H, W), upright.
        max_pixels: of a mask, at most.
        rule: which luminance says defect.
        orientation: by which EXIF turned the image.

    Raises:
        MaskError: a mask cannot be read, is of another size, turned otherwise, or too faint to be positive anywhere.
    """
    pixels, highest, faded, findings = np.zeros(shape, dtype=np.uint8), 0, 255, []
    for path in paths:
        try:
            mask = read_mask(path, max_pixels, rule)
        except UnreadableError as error:
            raise MaskError("unreadable", f"its mask {path.name}: {error}") from None
        _check_fit(mask, path.name, shape, orientation)
        pixels |= mask.positive
        highest = max(highest, mask.highest)
        faded = min(faded, mask.faded or 255)
        findings += ["alpha"] * mask.of_alpha + ["partly_faint"] * (mask.faded > 0)
        findings += ["transparent"] * mask.transparent
    if highest > NOISE * rule.inverted and not pixels.any():
        raise MaskError("faint", _faint(highest, rule), highest)
    share = float(pixels.mean())
    findings += ["all_positive"] * (share == 1) + ["mostly_positive"] * (MOSTLY < share < 1)
    return Mask(pixels, tuple(dict.fromkeys(findings)), faded)


def _faint(highest: int, rule: MaskRule) -> str:
    if rule.inverted:
        expected = f"expected less than {rule.threshold} on defects, such as black on white (mask_threshold)"
        return f"the luminance of its mask goes down to {255 - highest} of 255; {expected}"
    expected = f"expected {rule.threshold} or more on defects, such as white on black (mask_threshold)"
    return f"the luminance of its mask goes up to {highest} of 255; {expected}"


def _check_fit(mask: MaskFile, name: str, shape: tuple[int, int], orientation: int) -> None:
    """Refuse another size, and masks of which it is not clear whether they were drawn before or after the turn."""
    height, width = mask.positive.shape
    if (height, width) != shape:
        sizes = f"{width}x{height} pixels, the image {shape[1]}x{shape[0]}"
        raise MaskError("size_mismatch", f"its mask {name} is {sizes}")
    told_by_size = height != width and (orientation in SWAPPED) != (mask.orientation in SWAPPED)
    if orientation != mask.orientation and not told_by_size:
        which = f"the image by orientation {orientation}, its mask {name} by {mask.orientation}"
        if orientation == 1:
            which = f"its mask {name} (orientation {mask.orientation}), not the image"
        if mask.orientation == 1:
            which = f"the image (orientation {orientation}), not its mask {name}"
        raise MaskError("turned", f"EXIF turns {which}: which way the mask lies is not clear; save both upright")


def resized_mask(mask: np.ndarray, side: int) -> np.ndarray:
    """Return a mask uint8 [H, W] as a square, [side, side]: 1 where any pixel that falls there is, so none is lost."""
    square = Image.fromarray(mask.astype(np.float32)).resize((side, side), Image.Resampling.BOX)
    return (np.asarray(square) > 0).astype(np.uint8)
