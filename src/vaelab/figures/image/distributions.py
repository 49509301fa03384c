"""How the images of a split are distributed: their quality, over all and by group, and their radial power spectra."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.colours import BLUE, GRAY, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import label
from vaelab.metrics.tables import metric

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("mse", "psnr", "ssim")
PHASE_COLOURS = {"train": "#999999", "val": "#2ca02c", "test": "#1f77b4"}
BASELINE_COLOURS = ("#d95f02", "#e7298a", "#7570b3", "#a6761d", "#e6ab02", "#666666")
BINS = 40
MOST_GROUPS = 30
NAME = 220  # pixels of a group's name
BASELINE_STYLES = ("--", ":", "-.")


def metric_histograms(
    examples: "pd.DataFrame", baselines: Mapping[str, Mapping[str, float]] | None = None, phase: str = "test"
) -> Figure:
    """Return the distribution of MSE, PSNR and SSIM over the images, a line per split, with the splits' means.

    Args:
        examples: a row per image with phase, mse, psnr and ssim; what is not finite is left out.
        baselines: by name the mean of each metric that a trivial method reaches on `phase`, drawn dashed.
        phase: the split that the baselines were measured on.
    """
    figure = new_figure(14, 4.6)
    for axes, name_of in zip(figure.subplots(1, len(SHOWN)), SHOWN, strict=True):
        low, high = _draw_phases(axes, examples, name_of)
        every = {name: means.get(name_of, np.nan) for name, means in (baselines or {}).items()}
        values = {name: value for name, value in every.items() if value is not None}  # feature maps have no SSIM
        _draw_baselines(axes, {f"{name}, {phase}": value for name, value in values.items()}, low, high)
        axes.set(xlabel=metric(name_of).full_title, ylabel="share of the images", title=metric(name_of).title)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    dashed = ", dashed: means of trivial methods" if baselines else ""
    figure.suptitle(f"Quality of the single images; vertical lines: means{dashed}")
    return figure


def psnr_by_group(examples: "pd.DataFrame", names: Sequence[str], phase: str) -> Figure:
    """Return the distribution of PSNR in each group of a split, worst median first; of many groups the worst.

    Args:
        examples: a row per image with phase, group (index into `names`) and psnr; what is not finite is left out.
        names: of the groups.
        phase: the split.
    """
    rows = examples[(examples["phase"] == phase) & np.isfinite(examples["psnr"])]
    values = {int(str(number)): part["psnr"].to_numpy() for number, part in rows.groupby("group")}
    order = sorted(values, key=lambda number: float(np.median(values[number])))[:MOST_GROUPS]
    shown = [f"{label(names[number], NAME, 10)} ({len(values[number])})" for number in order]
    figure = new_figure(9, 2 + 0.3 * max(1, len(order)))
    axes = figure.add_subplot()
    if order:
        drawn = axes.boxplot([values[n] for n in order], orientation="horizontal", tick_labels=shown, widths=0.6,
                             patch_artist=True, flierprops={"markersize": 3})  # fmt: skip
        for patch in drawn["boxes"]:
            patch.set_facecolor(BLUE)
            patch.set_alpha(0.4)
        mean = float(rows["psnr"].mean())
        axes.axvline(mean, color="#444444", linestyle="--", label=f"mean of all {len(rows)} images: {mean:.1f} dB")
        axes.legend(fontsize=8)
        axes.invert_yaxis()
    more = "" if len(order) == len(values) else f", the {len(order)} worst of {len(values)}"
    axes.set(xlabel="PSNR, dB (box: quartiles; line: median)", title=f"PSNR by group (images) on {phase}{more}")
    axes.grid(alpha=0.3, axis="x")
    return figure


def radial_spectra(
    frequency: np.ndarray,
    original: np.ndarray,
    reconstruction: np.ndarray,
    phase: str,
    baselines: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Return the power spectra of images and of their reconstructions, mean and spread of the decibels.

    R frequencies, n images. The band holds the 10th to the 90th percentile of the images.

    Args:
        frequency: [R], cycles per pixel.
        original: power of each original [n, R], dB; 0 dB is white noise of variance 1.
        reconstruction: of the same images [n, R].
        phase: the split.
        baselines: power by name, [n, R] or [R], of what is drawn for comparison, such as the blurred originals.
    """
    figure = new_figure(9, 5)
    axes = figure.add_subplot()
    for power, colour, name in ((original, GRAY, "originals"), (reconstruction, BLUE, "reconstructions")):
        axes.plot(frequency, power.mean(0), color=colour, linewidth=2, label=f"{name}, mean")
        low, high = np.quantile(power, (0.1, 0.9), axis=0)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.2, linewidth=0, label=f"{name}, 10 % to 90 %")
    for place, (name, power) in enumerate((baselines or {}).items()):
        style = BASELINE_STYLES[place % len(BASELINE_STYLES)]
        axes.plot(frequency, np.atleast_2d(power).mean(0), color=ORANGE, linestyle=style, label=f"{name}, mean")
    axes.set(xlabel="spatial frequency, cycles per pixel (0.5: stripes of one pixel)")
    axes.set(ylabel="power, dB (0 dB: white noise of variance 1)", xlim=(float(frequency[0]), float(frequency[-1])))
    axes.set_title(f"Radial power spectra of {len(original)} {phase} images")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _draw_phases(axes: Axes, examples: "pd.DataFrame", metric: str) -> tuple[float, float]:
    """Draw a histogram per split and return the ends of them all."""
    by_phase = {str(phase): rows[metric].to_numpy(float) for phase, rows in examples.groupby("phase", sort=False)}
    by_phase = {phase: values[np.isfinite(values)] for phase, values in by_phase.items()}
    bins = np.histogram_bin_edges(np.concatenate(list(by_phase.values())), BINS).tolist()
    for phase, values in by_phase.items():
        if len(values):
            colour = PHASE_COLOURS[phase]
            shares, mean = np.full(len(values), 1 / len(values)), float(values.mean())
            axes.hist(values, bins=bins, weights=shares, histtype="stepfilled", color=colour, alpha=0.25)
            axes.hist(values, bins=bins, weights=shares, histtype="step", color=colour, linewidth=1.5)
            axes.axvline(mean, color=colour, linewidth=2, label=f"{phase}: {mean:.3g} ({len(values)} images)")
    return bins[0], bins[-1]


def _draw_baselines(axes: Axes, baselines: Mapping[str, float], low: float, high: float) -> None:
    """Draw a line per baseline; one that is further off than the histogram is wide is only named."""
    for number, (name, value) in enumerate(baselines.items()):
        colour, text = BASELINE_COLOURS[number % len(BASELINE_COLOURS)], f"{name}: {value:.3g}"
        if 2 * low - high <= value <= 2 * high - low:
            axes.axvline(value, color=colour, linestyle="--", label=text)
        elif np.isfinite(value):
            axes.plot([], [], color=colour, linestyle="--", label=f"{text} (off the axis)")
