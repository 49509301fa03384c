"""Which runs collapsed, by which number, and which one is recommended, by which rule."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from vaelab.comparison.collect import Result
from vaelab.errors import InputError
from vaelab.evaluation.metric_names import METRICS, improves, ranking_metric
from vaelab.params.schema import Compare

NEEDED = {  # without which a run cannot be judged
    "grid": ("accuracy", "predicted_background_share", "true_background_share", "active_units", "rate"),
    "image": ("psnr", "floor_mean_image_psnr", "shuffled_z_psnr", "active_units", "rate"),
}


Metrics = dict[str, Any]  # of one phase


class Finding(NamedTuple):
    """A collapse check that a run fails."""

    name: str
    evidence: str


class Judgement(NamedTuple):
    """What is said of the runs on one data set."""

    metric: str  # that ranks them
    findings: dict[str, list[Finding]]  # by run; empty for a healthy run
    recommended: str | None
    rule: str
    ranking: list[tuple[str, float]]  # the runs that pass, best first, with the metric that ranks them


def judge(results: Sequence[Result], options: Compare) -> Judgement:
    """Return the judgement on runs of one data set.

    Raises:
        InputError: the data set has no split of the phase that ranks.
    """
    if options.phase not in results[0].metrics:
        raise InputError(f"compare.phase: is {options.phase}, and data set {results[0].run.data!r} has no such split")
    metric = ranking_metric(options.metric, results[0].run.kind)
    findings = {result.run.name: list(collapse(result, options)) for result in results}
    ranking: list[tuple[str, float]] = []
    for result in results:
        value = result.metrics[options.phase][metric]
        if not findings[result.run.name] and value is not None:
            place = sum(not improves(metric, value, other) for _, other in ranking)
            ranking.insert(place, (result.run.name, value))
    title = METRICS[metric].title
    rule = (
        f"the best {title} on {options.phase} (compare.metric, compare.phase) "
        "among the runs that pass every collapse check"
    )
    return Judgement(metric, findings, ranking[0][0] if ranking else None, rule, ranking)


def best(judgement: Judgement) -> dict[str, str | float]:
    """Return the recommended run and the metric that ranks it: what `dvc exp show` lists per experiment."""
    return (
        {"best": judgement.ranking[0][0], "score": judgement.ranking[0][1]} if judgement.ranking else {"best": "none"}
    )


def collapse(result: Result, options: Compare) -> Iterator[Finding]:
    """Yield the checks that a run fails, judged on the phase that ranks, each with number and limit."""
    metrics, phase = result.metrics[options.phase], options.phase
    missing = [name for name in NEEDED[result.run.kind] if metrics[name] is None]
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
    foreground = metrics["foreground_accuracy"]
    if foreground is not None and foreground < options.min_foreground_accuracy:
        yield Finding(
            "background collapse",
            f"foreground accuracy on {phase} {foreground:.3f} < compare.min_foreground_accuracy "
            f"{options.min_foreground_accuracy}, although accuracy is {metrics['accuracy']:.3f}",
        )
    blank = metrics["blank_share"]
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
            "mean-image collapse",
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
}
