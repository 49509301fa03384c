"""Radial power spectra: how much of each spatial frequency survives."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.posterior import BLUE, GRAY, ORANGE

STYLES = ("--", ":", "-.")


def radial_spectra(
    frequency: np.ndarray,
    original: np.ndarray,
    reconstruction: np.ndarray,
    phase: str,
    floors: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Return the power spectra of images and of their reconstructions, mean and spread of the decibels.

    R frequencies, n images. The band holds the 10th to the 90th percentile of the images.

    Args:
        frequency: [R], cycles per pixel.
        original: power of each original [n, R], dB; 0 dB is white noise of variance 1.
        reconstruction: of the same images [n, R].
        phase: the split.
        floors: power by name, [n, R] or [R], of what is drawn for comparison, such as the blurred originals.
    """
    figure = new_figure(9, 5)
    axes = figure.add_subplot()
    for power, colour, name in ((original, GRAY, "originals"), (reconstruction, BLUE, "reconstructions")):
        axes.plot(frequency, power.mean(0), color=colour, linewidth=2, label=f"{name}, mean")
        low, high = np.quantile(power, (0.1, 0.9), axis=0)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.2, linewidth=0, label=f"{name}, 10 % to 90 %")
    for place, (name, power) in enumerate((floors or {}).items()):
        style = STYLES[place % len(STYLES)]
        axes.plot(frequency, np.atleast_2d(power).mean(0), color=ORANGE, linestyle=style, label=f"{name}, mean")
    axes.set(xlabel="spatial frequency, cycles per pixel (0.5: stripes of one pixel)")
    axes.set(ylabel="power, dB (0 dB: white noise of variance 1)", xlim=(float(frequency[0]), float(frequency[-1])))
    axes.set_title(f"Radial power spectra of {len(original)} {phase} images")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
