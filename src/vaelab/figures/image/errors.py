"""Where images and their Fourier spectra go wrong.

N images, C channels, S side; images are uint8 [N, C, S, S].
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.canvas.tiles import Scale, around_zero, heat_tile, image_tile, up_from_zero

ROOM = 192  # pixels of a tile, about
PER_BLOCK = 8
ELEMENTS = 2**21  # values that are transformed at a time
ERROR = "absolute error,\nmean over channels,\nshare of the range"
SPECTRUM = "amplitude, dB\nblue: lost\nred: added"
FOURIER = "in the image and in its Fourier transform (frequency 0 in the centre, 0.5 cycles per pixel at the edges)"


def difference(original: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Return the absolute difference as a share of the range, mean over channels, float32 [N, S, S]."""
    maps = np.abs(original.astype(np.int16) - reconstruction).mean(1, dtype=np.float32) / 255
    return np.asarray(maps)


def spectrum_difference(original: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Return by how many dB the reconstruction's amplitude exceeds the original's, float32 [N, S, S].

    Root mean square over channels; frequency 0 at [S // 2, S // 2]. To both the amplitude of rounding to 8 bits is
    added, S · √(1/12) levels, so that frequencies which neither image holds count as equal.
    """
    changed = 20 * np.log10(_amplitude(reconstruction) / _amplitude(original))
    return np.fft.fftshift(changed, axes=(1, 2)).astype(np.float32)


def error_maps(original: np.ndarray, reconstruction: np.ndarray, names: Sequence[str]) -> Figure:
    """Return each image over its reconstruction, its error map and its Fourier error map, on scales for all.

    Args:
        original: the images.
        reconstruction: of the same images.
        names: what each image is called, such as "test 12".
    """
    errors, spectra = difference(original, reconstruction), spectrum_difference(original, reconstruction)
    scales = up_from_zero(errors, ERROR, 1 / 255), around_zero(spectra, SPECTRUM, 1.0)
    rows: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    bars: dict[int, Scale] = {}
    for start in range(0, len(names), PER_BLOCK):
        part = range(start, min(start + PER_BLOCK, len(names)))
        bars |= {len(rows) + 2: scales[0], len(rows) + 3: scales[1]}
        rows += [[image_tile(images[i], ROOM) for i in part] for images in (original, reconstruction)]
        rows += [[heat_tile(errors[i], scales[0], ROOM) for i in part]]
        rows += [[heat_tile(spectra[i], scales[1], ROOM) for i in part]]
        captions += [[f"{what}\n{names[i]}" for i in part] for what in ("original", "reconstruction")]
        captions += [[_error_caption(errors[i]) for i in part], [_spectrum_caption(spectra[i]) for i in part]]
    return mosaic(f"Where the reconstruction goes wrong, {FOURIER}", Tiles(rows, captions, bars))


def mean_error_maps(original: np.ndarray, reconstruction: np.ndarray, phase: str) -> Figure:
    """Return the mean over all images of a split: image, reconstruction, error map and Fourier error map."""
    image, decoded, error, spectrum = _means(original, reconstruction)
    scales = up_from_zero(error, ERROR, 1 / 255), around_zero(spectrum, SPECTRUM, 1.0)
    rows = [
        [image_tile(image, ROOM), heat_tile(error, scales[0], ROOM)],
        [image_tile(decoded, ROOM), heat_tile(spectrum, scales[1], ROOM)],
    ]
    captions = [["mean original", _error_caption(error)], ["mean reconstruction", _spectrum_caption(spectrum)]]
    title = f"Means over {len(original)} {phase} images: where the reconstructions go wrong, {FOURIER}"
    return mosaic(title, Tiles(rows, captions, dict(enumerate(scales))))


def _error_caption(error: np.ndarray) -> str:
    return f"error\nmean {error.mean():.3f}"


def _spectrum_caption(spectrum: np.ndarray) -> str:
    return f"Fourier error\nmean {spectrum.mean():+.1f} dB"


def _means(original: np.ndarray, reconstruction: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean image, mean reconstruction (uint8), mean error map and mean Fourier error map, a few images at a time."""
    step = max(1, ELEMENTS // original[0].size)
    sums = [np.zeros(original[0].shape), np.zeros(original[0].shape), *np.zeros((2, *original[0].shape[1:]))]
    for start in range(0, len(original), step):
        pair = original[start : start + step], reconstruction[start : start + step]
        for total, part in zip(sums, (*pair, difference(*pair), spectrum_difference(*pair)), strict=True):
            total += part.sum(0, dtype=np.float64)
    images = (np.rint(total / len(original)).astype(np.uint8) for total in sums[:2])
    return *images, *(total / len(original) for total in sums[2:])


def _amplitude(images: np.ndarray) -> np.ndarray:
    transformed = np.fft.fft2(images.astype(np.float32))
    power = (transformed.real**2 + transformed.imag**2).mean(1)
    return np.asarray(np.sqrt(power) + images.shape[-1] * np.sqrt(1 / 12))
