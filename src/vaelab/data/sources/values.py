"""Files of more than 8 bits: one scale for all of a data set, so that equal values stay equal.

`value_range` says which values become 0 and 255. Where it does not: 0 and 65535 of 16 bits; of 32 bits and of floats
the ends of the smallest usual range that the data fill well, else those of the data.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Literal, TypeVar

import numpy as np
from PIL import Image

from vaelab.data.sources.regular import UnreadableError

Made = TypeVar("Made")
Range = tuple[float, float]
Kind = Literal["16 bits", "32 bits", "floats"]
USUAL: dict[Kind, tuple[float, ...]] = {
    "16 bits": (65535.0,),
    "32 bits": (255.0, 65535.0),
    "floats": (1.0, 255.0, 65535.0),
}
TOLERANCE = 1 / 510  # of the range, half a level: what rounding and resampling add, which is clipped
FILLED = 0.3  # of a range; data that fill less get a range of their own, or a warning
MANY = 0.25  # of the images
BAND_PIXELS = 2**21  # in memory as floats at once


class Extent:
    """The values of some images: from lowest to highest, and which of them hold the ends."""

    def __init__(self) -> None:
        self.lows: list[float] = []
        self.highs: list[float] = []
        self.low, self.high = np.inf, -np.inf
        self.lowest = self.highest = ""  # names of images

    def add(self, low: float, high: float, name: str = "") -> "Extent":
        """Add an image; return the extent."""
        if low < self.low:
            self.low, self.lowest = low, name
        if high > self.high:
            self.high, self.highest = high, name
        self.lows.append(low)
        self.highs.append(high)
        return self


Scale = dict[Kind, Range]  # the values that become 0 and 255


def kind_of(mode: str) -> Kind | None:
    """Return what an image of this mode holds; None where it is 8 bits."""
    return "16 bits" if mode.startswith("I;16") else "32 bits" if mode == "I" else "floats" if mode == "F" else None


def add_image(found: dict[Kind, Extent], image: Image.Image, name: str) -> None:
    """Add the values of an image of more than 8 bits; not where it has NaN or infinity."""
    kind = kind_of(image.mode)
    assert kind is not None
    with suppress(UnreadableError):
        found.setdefault(kind, Extent()).add(*lowest_highest(image), name)
    if not found[kind].lows:
        del found[kind]


def scale_for(found: dict[Kind, Extent], value_range: Range | None) -> Scale:
    """Return the one scale of a data set."""
    return {kind: value_range or _range(kind, extent) for kind, extent in found.items()}


def told(found: Mapping[Kind, Extent], scale: Scale, where: str) -> tuple[list[str], list[str]]:
    """Return what to say of the scale of a data set that params.yaml has at `where`, and what to warn of."""
    said, warnings = [], []
    for kind, extent in found.items():
        (first, last), low, high = scale[kind], extent.low, extent.high
        held = f"{len(extent.lows)} images of {kind} hold {low:.7g} to {high:.7g}"
        said.append(f"{held}: {first:.7g} to {last:.7g} became 0 to 255, in all of them ({where}.value_range)")
        if high - low < FILLED * (last - first):
            filled = f"{(high - low) / (last - first):.1%} of {first:.7g} to {last:.7g}"
            remedy = f"where all fill no more, set {where}.value_range: [{min(low, first):.7g}, {high:.7g}]"
            warnings.append(f"{held}, {filled}: {remedy}")
        else:
            warnings += _stretched(kind, extent, scale[kind], where)
    return said, warnings


def _stretched(kind: Kind, extent: Extent, ends: Range, where: str) -> list[str]:
    """What to warn of where a few images stretch the scale, so that many others fill little of it."""
    (first, last), lows, highs = ends, np.array(extent.lows), np.array(extent.highs)
    below, above = highs < first + FILLED * (last - first), lows > last - FILLED * (last - first)
    warnings = []
    for part, end, name in ((below, extent.high, extent.highest), (above, extent.low, extent.lowest)):
        if part.mean() < MANY:
            continue
        low, high = float(lows[part].min()), float(highs[part].max())
        own = f"[{0 if first == 0 <= low else low:.7g}, {high:.7g}]"
        text = f"{part.sum()} of {part.size} images of {kind} hold {low:.7g} to {high:.7g}"
        cause = f"{(high - low) / (last - first):.1%} of {first:.7g} to {last:.7g}, which {name} reaches with {end:.7g}"
        remedy = f"if they have another scale, or that is a stray value, set {where}.value_range: {own}"
        warnings.append(f"{text}, {cause}: {remedy}")
    return warnings


def mixed(found: Mapping[Kind, Extent], images: int) -> list[str]:
    """Return what to warn of where some of the images have another scale than others, such as 8 and 16 bits."""
    names: dict[Kind, str] = {"floats": "floats", "32 bits": "of 32 bits", "16 bits": "of 16 bits"}
    for kind, name in names.items():
        count = len(found[kind].lows) if kind in found else 0
        if 0 < count < images:
            text = f"{count} images are {name}, others of {images} are not"
            return [f"{text}: two scales are mixed; check that they were normalised alike"]
    return []


def _range(kind: Kind, extent: Extent) -> Range:
    """The usual range that the values fill, which 16 bits need not; else their own, from 0 where that is filled."""
    for limit in USUAL[kind]:
        if extent.low >= -TOLERANCE * extent.high and extent.high <= limit * (1 + TOLERANCE):
            if kind == "16 bits" or extent.high <= 0 or extent.high > FILLED * limit:
                return 0.0, limit
            break
    from_zero = extent.low > 0 and extent.high - extent.low >= FILLED * extent.high
    return 0.0 if from_zero else extent.low, extent.high


def lowest_highest(image: Image.Image) -> Range:
    """Return the extreme values of an image. Raises UnreadableError where it holds NaN or infinity."""
    extremes = np.array([(band.min(), band.max()) for _, band in _bands(image)], dtype=np.float64)
    if not np.isfinite(extremes).all():
        raise UnreadableError("holds NaN or infinity")
    return float(extremes[:, 0].min()), float(extremes[:, 1].max())


def eight_bits(image: Image.Image, scale: Scale | None) -> tuple[Image.Image, list[str]]:
    """Return the image in 8 bits, and what was done; without a scale, by one of its own.

    Raises:
        UnreadableError: it holds NaN or infinity.
    """
    kind = kind_of(image.mode)
    if kind is None:
        return image, []
    own = Extent().add(*lowest_highest(image))
    low, high = (scale or {}).get(kind) or _range(kind, own)
    levels, outside = Image.new("L", image.size), 0
    for top, band in _bands(image):
        x = (band - low) / (high - low or 1.0)
        outside += int(((x < -TOLERANCE) | (x > 1 + TOLERANCE)).sum())
        levels.paste(Image.fromarray(np.rint(x.clip(0, 1) * 255).astype(np.uint8)), (0, top))
    notes = [f"values from {low:g} to {high:g} became 0 to 255"]
    excess = own.high - high
    if outside:
        notes.append(f"{outside} values outside of {low:g} to {high:g} were clipped (value_range)")
    elif excess > 0:
        notes.append(f"values up to {excess:.2g} above {high:g} were clipped")
    return levels, notes


def _bands(image: Image.Image) -> Iterable[tuple[int, np.ndarray]]:
    return in_bands(image, _doubles)


def _doubles(band: Image.Image) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # of NaN, which is told of with the extremes
        return np.asarray(band, dtype=np.float64)


def in_bands(image: Image.Image, use: Callable[[Image.Image], Made]) -> Iterable[tuple[int, Made]]:
    """Yield the first row of each band of rows, and what `use` makes of the band."""
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, use(image.crop((0, top, image.width, min(top + rows, image.height))))
