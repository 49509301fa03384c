"""Which runs collapsed, by which number."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from vaelab.comparison.collect import Result
from vaelab.params.schema import Compare

NEEDED = {  # without which a run cannot be judged
    "grid": ("accuracy", "predicted_background_share", "true_background_share", "active_units", "rate"),
    "image": ("psnr", "floor_mean_image_psnr", "shuffled_z_psnr", "active_units", "rate"),
    "tags": ("lrap", "floor_frequency_lrap", "shuffled_z_lrap", "active_units", "rate"),
}

MEAN_IMAGE = "mean-image collapse"

Metrics = dict[str, Any]  # of one phase


class Finding(NamedTuple):
    """A collapse check that a run fails."""

    name: str
    evidence: str


def collapse(result: Result, options: Compare) -> Iterator[Finding]:
    """Yield the checks that a run fails, judged on the phase that ranks, each with number and limit."""
    metrics, phase = result.metrics[options.phase], options.phase
    missing = [name for name in NEEDED[result.run.kind] if metrics.get(name) is None]
    if missing:
        yield Finding("not finite", f"{', '.join(missing)} on {phase} is not a number")
        return
    for check in CHECKS[result.run.kind]:
        yield from check(metrics, options)


def _background(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    phase, predicted, true = options.phase, metrics["predicted_background_share"], metrics["true_background_share"]
    if predicted - true > options.max_background_excess:
        yield Finding(
            "background collapse",
            f"predicts background for {predicted:.1%} of the {phase} cells, {true:.1%} are "
            f"(excess {predicted - true:.3f} > compare.max_background_excess {options.max_background_excess})",
        )
    foreground = metrics.get("foreground_accuracy")
    if foreground is not None and foreground < options.min_foreground_accuracy:
        yield Finding(
            "background collapse",
            f"foreground accuracy on {phase} {foreground:.3f} < compare.min_foreground_accuracy "
            f"{options.min_foreground_accuracy}, although accuracy is {metrics['accuracy']:.3f}",
        )
    blank = metrics.get("blank_share")
    if blank is not None and blank > options.max_blank_share:
        yield Finding(
            "background collapse",
            f"{blank:.1%} of the {phase} grids come out as background only > compare.max_blank_share "
            f"{options.max_blank_share}, although accuracy is {metrics['accuracy']:.3f}",
        )


def _mean_image(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    gain = metrics["psnr"] - metrics["floor_mean_image_psnr"]
    if gain < options.min_gain_over_mean:
        yield Finding(
            MEAN_IMAGE,
            f"PSNR on {options.phase} {metrics['psnr']:.2f} dB, {gain:+.2f} dB from the mean image's "
            f"< compare.min_gain_over_mean {options.min_gain_over_mean}",
        )


def _ignored_latent(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    gap = metrics["psnr"] - metrics["shuffled_z_psnr"]
    if gap < options.min_latent_gap:
        yield Finding(
            "latent ignored",
            f"with another image's z PSNR on {options.phase} falls by {gap:.2f} dB only < compare.min_latent_gap "
            f"{options.min_latent_gap}",
        )


def _frequency(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    gain = metrics["lrap"] - metrics["floor_frequency_lrap"]
    if gain < options.min_gain_over_frequency:
        yield Finding(
            "frequency collapse",
            f"LRAP on {options.phase} {metrics['lrap']:.3f}, {gain:+.4f} from the tags' frequencies', the same "
            f"for every row < compare.min_gain_over_frequency {options.min_gain_over_frequency}",
        )


def _ignored_latent_of_tags(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    gap = metrics["lrap"] - metrics["shuffled_z_lrap"]
    if gap < options.min_ranking_gap:
        yield Finding(
            "latent ignored",
            f"with another row's z LRAP on {options.phase} falls by {gap:.4f} only < compare.min_ranking_gap "
            f"{options.min_ranking_gap}",
        )


def _diversity(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    """Samples that are nearly all the same, or all different although real rows are not: one limit for both ends.

    Too many combinations is only a collapse where every single one is unique: some excess is the plain effect of
    drawing each tag on its own, and entropy cannot tell, since it ends at the log of the number of samples.
    """
    phase, least = options.phase, options.min_diversity_ratio
    entropy, real = metrics.get("entropy"), metrics.get("real_entropy")
    if entropy is not None and real is not None and entropy < least * real:
        yield Finding(
            "degenerate diversity",
            f"entropy of the sampled combinations {entropy:.2f} nats < compare.min_diversity_ratio {least} of the "
            f"{real:.2f} nats of held-out {phase} data",
        )
    unique, real = metrics.get("pct_unique_combinations"), metrics.get("real_pct_unique_combinations")
    if unique is not None and real is not None and unique == 100 and real < least * unique:
        yield Finding(
            "degenerate diversity",
            f"all sampled combinations are unique, of held-out {phase} data {real:.1f}% < compare.min_diversity_ratio "
            f"{least} of that",
        )


def _posterior(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    if metrics["active_units"] < options.min_active_units:
        yield Finding(
            "posterior collapse",
            f"{metrics['active_units']} active units on {options.phase} < compare.min_active_units "
            f"{options.min_active_units}, rate {metrics['rate']:.2f} nats",
        )


CHECKS: dict[str, tuple[Callable[[Metrics, Compare], Iterator[Finding]], ...]] = {
    "grid": (_background, _posterior),
    "image": (_mean_image, _ignored_latent, _posterior),
    "tags": (_frequency, _ignored_latent_of_tags, _diversity, _posterior),
}
