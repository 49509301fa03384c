"""A first look at all strips: which can be used, which are normal, and what is wrong with the others."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from vaelab.data.sources.account import Account
from vaelab.data.sources.common import tell, units_of
from vaelab.data.sources.fabric.masks import MaskError, Pairing
from vaelab.data.sources.fabric.strips import NONE, Cutting, Loaded, Strip, load
from vaelab.data.sources.listing import reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.twins import MOST_THUMBNAILS, luma, thumbnail

NO_PHASES: Mapping[str, str] = {}


class Survey:
    """The strips that can be used, and what became of the others."""

    def __init__(self, where: str) -> None:
        self.normals: list[Strip] = []
        self.defects: list[Strip] = []
        self.account = Account(where)
        self.pairing, self.inverted = Pairing(), False  # inverted: masks are dark on defects
        self.named: dict[bytes, str] = {}  # the first strip of each content
        self.units: dict[str, str] = {}  # what each strip shares with others, by its name: `group_by`

        self.thumbnails: dict[str, np.ndarray] = {}  # gray, by name

    def quarantine(self, name: str, reason: str) -> None:
        """Leave a file out."""
        self.account.quarantine(name, reason)

    def share_out(self, names: Sequence[str], group_by: str | None, phase_of: Mapping[str, str] = NO_PHASES) -> None:
        """Find what strips share with others; warn where splits that they come with part it.

        Raises:
            InputError: `group_by` finds nothing.
        """
        self.units = units_of(names, group_by, f"{self.account.where}.group_by")
        tell(self.account, self.units, group_by, phase_of)

    def unit(self, strip: Strip) -> str:
        """Return what a strip is split by; by default its name."""
        return self.units.get(strip.name, strip.name)

    def twin(self, loaded: Loaded, name: str) -> str | None:
        """Return the strip that has been seen with the same pixels; if there is none, `name` is remembered."""
        content = hashlib.sha256(str(loaded.pixels.shape).encode())
        content.update(np.ascontiguousarray(loaded.pixels).data)
        first = self.named.setdefault(content.digest(), name)
        return None if first == name else first

    def reasons(self) -> str:
        """Return what was left out and why, and what looks wrong with the masks, as the lines that end an error."""
        return reasons(self.account.quarantined) + "".join(f"\n  {line}" for line in self.mask_warnings())

    def mask_warnings(self) -> list[str]:
        """Return what to warn of, of the masks."""
        whole = not self.normals and bool(self.pairing.names["all_positive"])
        return self.pairing.lines(self.account.where, self.inverted, self.most_look_inverted() or whole)

    def most_look_inverted(self) -> bool:
        """Whether most masks with a defect are positive on most of their image; those of whole images do not count."""
        suspicious = len(self.pairing.names["mostly_positive"])
        return suspicious > len(self.defects) - suspicious - len(self.pairing.names["all_positive"])


def survey_strips(
    strips: Sequence[Strip], cutting: Cutting, found: Survey, name: str, empty_is_normal: bool = False
) -> None:
    """Read every strip, and sort it into `found`; of strips with the same pixels the first is kept.

    A strip that is said to have a defect needs a mask that shows it; where `empty_is_normal`, an empty one makes the
    strip normal.
    """
    found.inverted = cutting.masks.inverted
    for strip in progress(strips, f"check {name}", cutting.unit):
        try:
            _sort(strip, load(strip, cutting), cutting, found, empty_is_normal)
        except MaskError as error:
            found.pairing.note(error.finding, strip.name, error.level)
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
        small = _too_small(min(height, width - start), cutting, found.account.where)
        raise UnreadableError(f"{width}x{height} pixels{rest}: {small}")
    if len(found.thumbnails) < MOST_THUMBNAILS:
        found.thumbnails[strip.name] = luma(thumbnail(np.moveaxis(loaded.pixels[:, start:], -1, 0))[None])[0]
    found.account.note(strip.name, loaded.notes)
    for finding in loaded.findings:
        found.pairing.note(finding, strip.name, loaded.faintest)
    if strip.defect == NONE or loaded.mask.any():
        (found.normals if strip.defect == NONE else found.defects).append(strip)
        return
    if not empty_is_normal:
        raise MaskError("empty", "has a defect, but its mask is empty")
    found.pairing.note("empty", strip.name)
    found.normals.append(strip._replace(defect=NONE))


def _too_small(least: int, cutting: Cutting, where: str) -> str:
    size, reduce = cutting.size, cutting.reduce
    text = f"too small for a patch of {cutting.side} pixels (size {size} × reduce {reduce})"
    fits = next((less for less in (2, 1) if less < reduce and less * size <= least), None)
    return f"{text}; set {where}.reduce: {fits}" if fits else f"{text}; set a smaller {where}.size"
