"""A first look at all strips: which can be used, which are normal, and what is wrong with the others."""

import hashlib
import sys
from collections.abc import Iterable, Sequence

from tqdm import tqdm

from vaelab.data.sources.fabric.masks import MaskError, Pairing
from vaelab.data.sources.fabric.strips import NONE, Cutting, Loaded, Strip, load
from vaelab.data.sources.image_files import UnreadableError
from vaelab.errors import InputError

MAX_LISTED = 10  # files in an error


class Survey:
    """The strips that can be used, and what became of the others."""

    def __init__(self, quarantined: Iterable[dict[str, str]] = (), pairing: Pairing | None = None) -> None:
        self.normals: list[Strip] = []
        self.defects: list[Strip] = []
        self.quarantined = list(quarantined)
        self.pairing = pairing or Pairing()
        self.named: dict[bytes, str] = {}  # the first strip of each content

    def quarantine(self, name: str, reason: str) -> None:
        """Leave a file out."""
        self.quarantined.append({"file": name, "reason": reason})

    def twin(self, loaded: Loaded, name: str) -> str | None:
        """Return the strip that has been seen with the same pixels; if there is none, `name` is remembered."""
        content = str(loaded.pixels.shape).encode() + loaded.pixels.tobytes()
        first = self.named.setdefault(hashlib.sha256(content).digest(), name)
        return None if first == name else first

    def reasons(self) -> str:
        """Return what was left out and why, as the lines that end an error."""
        listed = "".join(f"\n  {entry['file']}: {entry['reason']}" for entry in self.quarantined[:MAX_LISTED])
        return listed + (f"\n  and {len(self.quarantined) - MAX_LISTED} more" * (len(self.quarantined) > MAX_LISTED))


def survey(strips: Sequence[Strip], cutting: Cutting, found: Survey, name: str, empty_is_normal: bool = False) -> None:
    """Read every strip, and sort it into `found`; of strips with the same pixels the first is kept.

    A strip that is said to have a defect needs a mask that shows it; where `empty_is_normal`, an empty one makes the
    strip normal.
    """
    interval = 0.5 if sys.stderr.isatty() else 20
    for strip in tqdm(strips, desc=f"check {name}", unit=cutting.unit, mininterval=interval):
        try:
            _sort(strip, load(strip, cutting), cutting, found, empty_is_normal)
        except MaskError as error:
            found.pairing.note(error.finding, strip.name)
            found.quarantine(strip.name, str(error))
        except UnreadableError as error:
            found.quarantine(strip.name, str(error))


def _sort(strip: Strip, loaded: Loaded, cutting: Cutting, found: Survey, empty_is_normal: bool) -> None:
    twin = found.twin(loaded, strip.name)
    if twin:
        raise UnreadableError(f"pixel-identical to {twin}: dropped")
    if strip.defect != NONE and not strip.masks:
        raise MaskError("missing", "has a defect, but no mask")
    height, width = loaded.mask.shape
    start = cutting.start(loaded.pixels)
    if min(height, width - start) < cutting.side:
        rest = f" from column {start} on" if start else ""
        raise UnreadableError(f"{width}x{height} pixels{rest}: too small for a patch of {cutting.side} pixels")
    if strip.defect == NONE or loaded.mask.any():
        if loaded.mask.all():
            found.pairing.note("all_positive", strip.name)
        (found.normals if strip.defect == NONE else found.defects).append(strip)
        return
    if not empty_is_normal:
        raise MaskError("empty", "has a defect, but its mask is empty")
    found.pairing.note("empty", strip.name)
    found.normals.append(strip._replace(defect=NONE))


def check_defects(claimed: int, found: Survey, cutting: Cutting, where: str) -> None:
    """Refuse data of which some strips are said to have a defect, but none can be used."""
    if claimed and not found.defects:
        text = f"none of {claimed} {cutting.unit}s with defects can be used"
        raise InputError(f"{where}.path: {text}; expected a mask for each:{found.reasons()}")
