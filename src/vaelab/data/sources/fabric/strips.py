"""Strips of fabric (and images of other things), which may have a defect, cut into patches beside their masks.

n patches of a strip, S their side in pixels, R source pixels to a side of one of theirs, C channels, H W the strip.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from vaelab.data.format.info import Preparation
from vaelab.data.sources.fabric.mask_files import USUAL_RULE, MaskRule
from vaelab.data.sources.fabric.masks import read_masks, resized_mask
from vaelab.data.sources.image_files import MAX_PIXELS, as_array, read_image
from vaelab.data.sources.values import Scale
from vaelab.params.datasets import Aitex, FolderMasks, Mvtec

NONE = "none"  # the defect of a normal strip, and of an intact patch
RANGE = 4.0  # standard deviations that become 0 and 255; what is beyond is clipped
BAND_PIXELS = 2**20  # of a strip that are toned at once, as floats: strips of AITEX are whole
FLAT = 1.0  # levels: a smaller deviation is that of an even surface, which is not blown up


class Strip(NamedTuple):
    """A strip: its name and file, the group and the defect that names and folders give it, and its masks."""

    name: str
    path: Path
    group: str
    defect: str = NONE
    masks: tuple[Path, ...] = ()
    phase: str = ""  # that the data come with


class Loaded(NamedTuple):
    """What is in a strip's files."""

    pixels: np.ndarray  # uint8 [H, W, C]
    mask: np.ndarray  # uint8 [H, W], 1 on defects
    findings: tuple[str, ...] = ()  # of its masks
    notes: tuple[str, ...] = ()  # of its file
    faintest: int = 255  # of its masks, where parts are too faint to count


class Patches(NamedTuple):
    """What a strip was cut into, row by row, and how many of its pixels, and of its mask, are in no patch."""

    x: np.ndarray  # uint8 [n, C, S, S]
    mask: np.ndarray  # uint8 [n, R·S, R·S]
    top: np.ndarray  # int32 [n], pixels of the strip
    left: np.ndarray  # int32 [n]
    mask_outside: int
    pixels_outside: int


def levels(x: np.ndarray) -> np.ndarray:
    """Return levels x [H, W, C], rounded to uint8."""
    rounded: np.ndarray = np.rint(x).astype(np.uint8)
    return rounded


def _left_end(pixels: np.ndarray) -> int:
    return 0


class Cutting(NamedTuple):
    """How strips are read and cut."""

    size: int
    reduce: int
    stride: int  # source pixels
    train_stride: int
    colour: Literal["rgb", "gray"]
    alpha: Literal["white", "dropped"] = "white"
    max_pixels: int = MAX_PIXELS
    squeezed: bool = False  # to one square patch
    start: Callable[[np.ndarray], int] = _left_end  # first column that is cut, of pixels [H, W, C]
    tone: Callable[[np.ndarray], np.ndarray] = levels  # of a reduced strip [h, w, C], float to uint8
    halo: int = 0  # rows of a reduced strip that its tone sees on both sides
    unit: str = "image"  # what a strip is called
    scale: Scale | None = None  # of files of more than 8 bits
    masks: MaskRule = USUAL_RULE

    @property
    def side(self) -> int:
        """Side of a patch, source pixels."""
        return self.size * self.reduce

    @property
    def channels(self) -> int:
        """Channels of a patch."""
        return {"rgb": 3, "gray": 1}[self.colour]

    @property
    def preparation(self) -> Preparation:
        """What a model keeps of it; not the first column."""
        window = self.tone.keywords["window"] if isinstance(self.tone, partial) else 0
        fit: Literal["square", "tile"] = "square" if self.squeezed else "tile"
        return Preparation(
            fit,
            reduce=self.reduce,
            window=window,
            alpha=self.alpha,
            value_scale={str(kind): ends for kind, ends in (self.scale or {}).items()},
        )


def strides(size: int, reduce: int, stride: int | None, train_stride: int | None) -> tuple[int, int]:
    """Return the two strides of a Cutting, defaults filled in."""
    general = stride or size * reduce
    return general, train_stride or general


def load(strip: Strip, cutting: Cutting) -> Loaded:
    """Return the pixels and the mask of a strip.

    Raises:
        UnreadableError: its file cannot be used.
        MaskError: a mask of it cannot be used.
    """
    picture = read_image(strip.path, cutting.max_pixels, cutting.colour, cutting.alpha, cutting.scale)
    image, shape = picture.image, (picture.image.height, picture.image.width)
    found = read_masks(strip.masks, shape, cutting.max_pixels, cutting.masks, picture.orientation)
    mask = found.pixels
    if cutting.squeezed:
        image = image.resize((cutting.side, cutting.side), Image.Resampling.LANCZOS)
        mask = resized_mask(mask, cutting.side)
    return Loaded(as_array(image), mask, found.findings, tuple(picture.notes), found.faintest)


def cut(loaded: Loaded, cutting: Cutting, stride: int) -> Patches:
    """Return all whole patches of a strip, `stride` source pixels apart, from its first column on."""
    size, side, start = cutting.size, cutting.side, cutting.start(loaded.pixels)
    height, width = loaded.mask.shape
    tone = toned(loaded.pixels[:, start:], cutting)
    corners = [(y, x) for y in range(0, height - side + 1, stride) for x in range(start, width - side + 1, stride)]
    small = [(y // cutting.reduce, (x - start) // cutting.reduce) for y, x in corners]
    outside = np.ones_like(loaded.mask)
    for y, x in corners:
        outside[y : y + side, x : x + side] = 0
    lost = int((outside & loaded.mask).sum()), int(outside.sum())
    patches = np.empty((len(corners), cutting.channels, size, size), dtype=np.uint8)
    for patch, (y, x) in zip(patches, small, strict=True):
        patch[:] = np.moveaxis(tone[y : y + size, x : x + size], -1, 0)
    masks = np.broadcast_to(np.uint8(0), (len(corners), side, side))  # of a normal strip, which needs no memory
    if loaded.mask.any():
        masks = _stacked([loaded.mask[y : y + side, x : x + side] for y, x in corners], (side, side))
    top, left = np.array(corners, dtype=np.int32).reshape(-1, 2).T.copy()
    return Patches(patches, masks, top, left, *lost)


def _stacked(parts: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(parts) if parts else np.zeros((0, *shape), dtype=np.uint8)


def toned(pixels: np.ndarray, cutting: Cutting) -> np.ndarray:
    """Return a strip [H, W, C] reduced and toned, uint8; a large one in bands of rows, which see those around them."""
    reduce, rows = cutting.reduce, pixels.shape[0] // cutting.reduce
    step = max(1, BAND_PIXELS // (pixels.shape[1] * reduce))
    out = np.empty((rows, pixels.shape[1] // reduce, pixels.shape[2]), dtype=np.uint8)
    for top in range(0, rows, step):
        first, last = max(0, top - cutting.halo), min(rows, top + step + cutting.halo)
        band = cutting.tone(block_mean(pixels[first * reduce : last * reduce], reduce))
        out[top : top + step] = band[top - first : top - first + step]
    return out


def block_mean(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Return the means over blocks of factor x factor pixels, float64 [H // factor, W // factor, C]."""
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    whole = pixels[: height * factor, : width * factor]
    means: np.ndarray = whole.reshape(height, factor, width, factor, -1).mean((1, 3))
    return means


def with_tone(cutting: Cutting, settings: Aitex | FolderMasks | Mvtec) -> Cutting:
    """Return the cutting with what makes levels of a reduced strip [h, w, C], float in 0..255, to uint8."""
    if settings.normalise == "none":
        return cutting
    window = max(2, settings.window // settings.reduce)
    return cutting._replace(tone=partial(local_contrast, window=window), halo=window)


def local_contrast(x: np.ndarray, window: int) -> np.ndarray:
    """Return (pixel - local mean) / local standard deviation as uint8 [H, W, C], of levels x in 0..255 [H, W, C].

    Local: over a square of `window` pixels around the pixel, mirrored at the border. 0 becomes 128, 4 becomes 255.
    """
    levels, square = x.astype(np.float64), (window, window, 1)
    mean = uniform_filter(levels, square)
    variance = uniform_filter(levels**2, square) - mean**2
    score = (levels - mean) / np.maximum(np.sqrt(variance.clip(0)), FLAT)
    normalised: np.ndarray = np.rint((score / RANGE + 1) / 2 * 255).clip(0, 255).astype(np.uint8)
    return normalised
