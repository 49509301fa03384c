"""Originals, reconstructions and their differences.

N images, C channels (1 or 3), S side; images are uint8 [N, C, S, S], scores float [N].
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.canvas.tiles import Scale, heat_tile, image_tile, up_from_zero
from vaelab.figures.image.errors import difference

ROOM = 192  # pixels of a tile, about
PER_ROW = 3
BAR = "absolute difference,\nmean over channels,\nshare of the range"
PRINTED = {"mse": "MSE {:#.2g}", "psnr": "PSNR {:.1f} dB", "ssim": "SSIM {:.3f}"}


class Compared(NamedTuple):
    """For each image its tiles (original, reconstruction, difference), their captions, and the scale they share."""

    tiles: list[list[np.ndarray]]
    captions: list[list[str]]
    scale: Scale


def compared(
    original: np.ndarray, reconstruction: np.ndarray, scores: Mapping[str, np.ndarray], names: Sequence[str]
) -> Compared:
    """Return images, their reconstructions and differences as tiles; `scores` holds mse, psnr and ssim [N]."""
    maps = difference(original, reconstruction)
    scale = up_from_zero(maps, BAR, 1 / 255)
    tiles, captions = [], []
    for number, name in enumerate(names):
        pair = (image_tile(images[number], ROOM) for images in (original, reconstruction))
        tiles.append([*pair, heat_tile(maps[number], scale, ROOM)])
        mse, psnr, ssim = (text.format(scores[metric][number]) for metric, text in PRINTED.items())
        captions.append([f"original\n{name}", f"reconstruction\n{psnr}\n{ssim}", f"difference\n{mse}"])
    return Compared(tiles, captions, scale)


def reconstructions(
    original: np.ndarray,
    reconstruction: np.ndarray,
    scores: Mapping[str, np.ndarray],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Return original, reconstruction and difference of each image, with its MSE, PSNR and SSIM.

    Args:
        original: the images.
        reconstruction: of the same images.
        scores: mse (values in [0, 1]), psnr (dB, peak 1) and ssim of each image.
        names: what each image is called, such as "test 12".
        title: what is shown.
    """
    tiles, captions, scale = compared(original, reconstruction, scores, names)
    starts = range(0, len(tiles), PER_ROW)
    rows = [list(chain(*tiles[start : start + PER_ROW])) for start in starts]
    texts = [list(chain(*captions[start : start + PER_ROW])) for start in starts]
    return mosaic(title, Tiles(rows, texts, {0: scale}))


def best_and_worst(
    original: np.ndarray,
    reconstruction: np.ndarray,
    psnr: np.ndarray,
    groups: Sequence[str] | np.ndarray,
    names: Sequence[str],
    phase: str,
    count: int = 8,
) -> Figure:
    """Return the images with the highest and with the lowest PSNR of a split, each above its reconstruction.

    Args:
        original: the images to choose from.
        reconstruction: of the same images.
        psnr: of each image, dB; NaN counts as the worst.
        groups: the group of each image.
        names: what each image is called, such as "test 12".
        phase: the split.
        count: images of each sort, at most; none is shown twice.
    """
    order = [int(i) for i in np.argsort(-psnr, kind="stable")]  # NaN last
    count = min(count, (len(order) + 1) // 2)
    chosen = {"best": order[:count], "worst": order[::-1][: min(count, len(order) - count)]}
    rows: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    for which, numbers in chosen.items():
        if numbers:
            rows += [[image_tile(images[i], ROOM) for i in numbers] for images in (original, reconstruction)]
            captions.append([f"{which} {place}: {names[i]}\n{groups[i]}" for place, i in enumerate(numbers, 1)])
            captions.append([f"reconstruction\n{PRINTED['psnr'].format(psnr[i])}" for i in numbers])
    return mosaic(f"The best and the worst of {len(order)} {phase} images by PSNR", Tiles(rows, captions))
