"""What masks hold, by a sample of them: which values, how many are empty."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vaelab.commands.init.recognise.looks import spread
from vaelab.data.sources.fabric.mask_files import THRESHOLD, MaskFile, MaskRule, read_mask
from vaelab.data.sources.image_files import MAX_PIXELS
from vaelab.data.sources.regular import UnreadableError

SAMPLE = 300
MOSTLY = 0.5  # of the pixels of all masks


class Marks(NamedTuple):
    """What a sample of masks says."""

    seen: int
    empty: int
    threshold: int  # 0: the usual one
    inverted: bool
    highest: int


def marks(root: Path, files: Sequence[Path]) -> Marks:
    """Return how masks below `root` are to be read, by a sample of them."""
    read = [mask for file in spread(files, SAMPLE) if (mask := _read(root / file, MaskRule(1)))]
    highest = max((mask.highest for mask in read), default=0)
    threshold = 1 if 0 < highest < THRESHOLD else 0
    if not threshold:
        read = [mask for file in spread(files, SAMPLE) if (mask := _read(root / file, MaskRule()))]
    share = sum(float(mask.positive.mean()) for mask in read) / max(1, len(read))
    inverted = share > MOSTLY
    empty = sum(bool(mask.positive.all() if inverted else not mask.positive.any()) for mask in read)
    return Marks(len(read), empty, threshold, inverted, highest)


def _read(path: Path, rule: MaskRule) -> MaskFile | None:
    try:
        return read_mask(path, MAX_PIXELS, rule)
    except UnreadableError:
        return None
