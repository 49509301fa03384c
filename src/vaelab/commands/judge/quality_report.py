"""The quality of a model's reconstructions as text, tables and a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from vaelab import storage
from vaelab.commands.console import show_table
from vaelab.commands.judge.quality import Measured, Quality
from vaelab.commands.judge.shown import Shown
from vaelab.commands.judge.target import Target
from vaelab.comparison.verdict import Criterion, overall, remarks, verdict
from vaelab.evaluation.latent import posterior
from vaelab.figures.canvas.files import save_png
from vaelab.figures.image.report import Posteriors, quality_picture
from vaelab.measures.latents import active_units
from vaelab.metrics.nested import FLOORS, REFERENCE
from vaelab.metrics.records import BASELINES, REFERENCES
from vaelab.metrics.tables import METRICS, metric

METRIC_TITLES = {"mse": "MSE", "mae": "MAE", "psnr": "PSNR, dB", "ssim": "SSIM"}
IMAGE_COLUMNS = ("image", *METRIC_TITLES.values())
FORMATS = ("", ".5f", ".5f", ".2f", ".4f")
LATENTS = (
    "rate", "active_units", "snr_max", "effective_dimensions", "aggregate_mean_abs", "aggregate_std", "ks_mean",
    "ks_max", "extreme_share", "max_abs_mean", "min_log_var", "max_log_var",
)  # fmt: skip
CRITERION = ("metric", "value", "verdict", "good", "poor", "best baseline", "reaches", "better than baseline")
CAPTION = 28  # letters of a name that fit above an image
YES = {True: "yes", False: "no", None: "-"}


def criteria(target: Target, found: Quality) -> list[Criterion]:
    """Return the limits of the run applied to the metrics, each beside the best baseline."""
    return verdict(found.metrics, target.options.verdict, found.baselines)


def image_rows(found: Quality) -> list[list[Any]]:
    """Return the measures of each image that is shown, the means of all, and what the baselines reach."""
    rows: list[list[Any]] = _rows(found.shown)
    rows.append([f"mean of {len(found.all.names)}", *(found.metrics[name] for name in METRIC_TITLES)])
    titles = {name: f"baseline: {title}" for name, title in BASELINES["image"].items()}
    titles |= {name: f"reference: {title}" for name, title in REFERENCES.items()}
    for method, title in titles.items():
        if method in found.baselines:
            rows.append([title, *(found.baselines[method][name] for name in METRIC_TITLES)])
    return rows


def image_table(found: Quality) -> str:
    """Return these measures as plain text."""
    return tabulate(image_rows(found), IMAGE_COLUMNS, floatfmt=FORMATS, disable_numparse=[0])


def show_images(found: Quality) -> None:
    """Print these measures, on a terminal as a table."""
    rows = [
        [
            row[0],
            *("" if value is None else format(value, as_) for value, as_ in zip(row[1:], FORMATS[1:], strict=True)),
        ]
        for row in image_rows(found)
    ]
    show_table(IMAGE_COLUMNS, rows, image_table(found).splitlines(), numbers=True)


def verdict_lines(target: Target, found: Quality) -> list[str]:
    """Return the verdict: the worst rating, each criterion with its limits and its best baseline, and remarks."""
    judged, titles = criteria(target, found), BASELINES["image"]
    rows = [
        [
            metric(c.metric).full_title, f"{c.value:.4g}", c.rating, f"{c.good:g}",
            "-" if c.poor is None else f"{c.poor:g}", titles.get(c.baseline or "", c.baseline or "-"),
            "-" if c.baseline_value is None else f"{c.baseline_value:.4g}",
            YES[c.better_than_baseline],
        ]
        for c in judged
    ]  # fmt: skip
    table = tabulate(rows, CRITERION, disable_numparse=True).splitlines() if rows else []
    lines = [f"verdict: {overall(judged) or 'none, no limit applies'} ({found.counted})", *table, *remarks(judged)]
    lines += found.missing
    if target.file.model.bypass:
        lines.append("model.skips: the decoder sees more of the image than z, so these numbers say little about z")
    return lines


def latent_lines(target: Target, found: Quality) -> list[str]:
    """Return the statistics of the posteriors."""
    rows = [[METRICS[name].full_title, f"{found.metrics[name]:.4g}"] for name in LATENTS]
    count = len(found.all.names)
    chance = f"{count} draws from N(0, 1) itself have a KS distance of about {0.87 / count**0.5:.2g}"
    table = tabulate(rows, tablefmt="plain", disable_numparse=True).splitlines()
    return [f"latents: {target.file.model.latent_dim} dimensions ({found.counted}; {chance})", *table]


def shown_of(found: Quality) -> str:
    """Return how many images, or pages of tiles, are shown of how many that are measured, in words."""
    count, what = len(found.all.names), "images"
    if found.all.places:
        count, what = len({place.page for place in found.all.places}), "pages"
    return f"{len(found.shown.names)} of {count} {what}"


def write_report(target: Target, found: Quality, folder: Path) -> list[Path]:
    """Write images.csv, a row per image, and summary.json, and return their paths."""
    table, summary = folder / "images.csv", folder / "summary.json"
    columns = {name: values.tolist() for name, values in found.all.images.items()}
    if found.all.places:
        columns = {"top": [p.top for p in found.all.places], "left": [p.left for p in found.all.places], **columns}
    storage.write_csv(table, [
        {"image": image, "group": found.groups[group], **{name: column[row] for name, column in columns.items()}}
        for row, (image, group) in enumerate(zip(_files(found.all), found.all.group.tolist(), strict=True))
    ])  # fmt: skip
    judged = criteria(target, found)
    storage.write_json(summary, {
        "model": target.label,
        "checkpoint": target.file.facts,
        "data": found.title,
        "images": len(found.all.names),
        "shown": found.shown.names,
        "left_out": found.all.refused,
        "verdict": overall(judged),
        "criteria": [criterion._asdict() for criterion in judged],
        "remarks": remarks(judged),
        "baselines_missing": found.missing,
        "metrics": {
            **found.metrics,
            FLOORS: {name: values for name, values in found.baselines.items() if name not in REFERENCES},
            REFERENCE: {name: values for name, values in found.baselines.items() if name in REFERENCES},
        },
    })  # fmt: skip
    return [table, summary]


def draw(target: Target, found: Quality, lines: Sequence[str], with_latents: bool, path: Path) -> None:
    """Write the picture: images, reconstructions, differences, the verdict, and on request the information."""
    scores = {name: found.shown.images[name].numpy() for name in ("mse", "psnr", "ssim")}
    names = [name if len(name) <= CAPTION else f"…{name[1 - CAPTION :]}" for name in found.shown.names]
    title = f"{target.label} on {found.title}: {shown_of(found)}, and their reconstructions"
    title, *texts = (text.replace("$", r"\$") for text in (title, *names, *lines))  # matplotlib would set formulas
    posteriors = _posteriors(target, found.all) if with_latents else None
    images = found.shown.original.numpy(), found.shown.reconstruction.numpy()
    save_png(quality_picture(*images, scores, texts[: len(names)], title, texts[len(names) :], posteriors), path)


def _posteriors(target: Target, found: Measured) -> Posteriors:
    options = target.options
    kl = posterior.table(found.mean, found.log_var, options.seed)["kl"]
    active = active_units(found.mean, options.active_variance).numpy()
    return Posteriors(found.mean.numpy(), found.log_var.numpy(), kl, active)


def _files(found: Measured) -> list[str]:
    """Names of the images, of tiles those of their pages, whose places have columns."""
    return [place.page for place in found.places] or found.names


def _rows(found: Shown) -> list[list[Any]]:
    columns = np.stack([found.images[name].numpy() for name in METRIC_TITLES], 1).tolist()
    return [[name, *values] for name, values in zip(found.names, columns, strict=True)]
