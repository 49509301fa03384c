"""The collapse checks, each with the number and the limit that it goes by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from vaelab.metrics.nested import ABLATIONS, FLOORS, SAMPLED
from vaelab.metrics.tables import METRICS
from vaelab.params.schema import Compare

MEAN_IMAGE = "mean-image collapse"
ENOUGH = 0.5  # of the gain, with a drawn z: the latents are used

Metrics = dict[str, Any]  # of one phase


class Finding(NamedTuple):
    """A collapse check that a run fails."""

    name: str
    evidence: str


Check = Callable[[Metrics, Compare], Iterator[Finding]]


@dataclass(frozen=True)
class Gap:
    """A check of how far a metric is above what a baseline reaches, or what is left with another example's z."""

    name: str
    metric: str
    beside: tuple[str, str]  # where the other value is: floors or ablations, and which
    option: str  # of compare: the smallest gap
    text: str

    def other(self, metrics: Metrics) -> float | None:
        """Return what the metric is compared with; None where it was not measured."""
        group, method = self.beside
        value: float | None = metrics.get(group, {}).get(method, {}).get(self.metric)
        return value

    def __call__(self, metrics: Metrics, options: Compare) -> Iterator[Finding]:
        """Yield the finding where the gap is too small."""
        value, least = metrics[self.metric], getattr(options, self.option)
        gap = value - self.other(metrics)
        if gap < least:
            said = self.text.format(phase=options.phase, value=value, gap=gap)
            yield Finding(self.name, f"{said} < compare.{self.option} {least}")


@dataclass(frozen=True)
class SampledGain:
    """A check of how much of a measure's gain over a baseline that knows nothing of x is left with one drawn z.

    The posterior mean may tell everything in an amplitude far below the posterior's standard deviation, at no rate:
    then z, as it is drawn in training and for samples, says nothing of x.
    """

    metric: str
    baseline: str

    def share(self, metrics: Metrics) -> float | None:
        """Return what is left of the gain; None of a run without a gain, which other checks judge."""
        drawn, mean = metrics.get(SAMPLED, {}).get(self.metric), metrics.get(self.metric)
        nothing = metrics[FLOORS].get(self.baseline, {}).get(self.metric)
        if drawn is None or nothing is None or mean is None or mean <= nothing:
            return None
        return float((drawn - nothing) / (mean - nothing))

    def __call__(self, metrics: Metrics, options: Compare) -> Iterator[Finding]:
        """Yield the finding where too little is left."""
        share, least = self.share(metrics), options.min_sampled_share
        if share is not None and share < least:
            drawn, nothing = metrics[SAMPLED][self.metric], metrics[FLOORS][self.baseline][self.metric]
            yield Finding(
                "posterior collapse",
                f"with one drawn z {METRICS[self.metric].title} on {options.phase} is {drawn:.3f}, with the posterior "
                f"mean {metrics[self.metric]:.3f}: {share:.1%} of the gain over {nothing:.3f} (baseline "
                f"{self.baseline}) is left < compare.min_sampled_share {least}, rate {metrics['rate']:.2f} nats",
            )


def background_collapse(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    """Yield where background is predicted nearly everywhere."""
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


def diversity_collapse(metrics: Metrics, options: Compare) -> Iterator[Finding]:
    """Yield where samples are nearly all the same, or all differ although real rows do not: one limit for both ends.

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


@dataclass(frozen=True)
class PosteriorCollapse:
    """A check of active units, and of how far the means stand out from the posteriors' noise in the best dimension.

    Many weak dimensions may carry together what none carries alone: where a drawn z keeps ENOUGH of every gain that it
    could lose, the ratio of the best one says nothing.
    """

    gains: tuple[SampledGain, ...]

    def __call__(self, metrics: Metrics, options: Compare) -> Iterator[Finding]:
        """Yield the finding where too few dimensions are active, or none is told from noise."""
        phase, active, ratio = options.phase, metrics["active_units"], metrics.get("snr_max")
        shares = [share for gain in self.gains if (share := gain.share(metrics)) is not None]
        kept = bool(shares) and min(shares) >= ENOUGH
        if active < options.min_active_units:
            yield Finding(
                "posterior collapse",
                f"{active} active units on {phase} < compare.min_active_units {options.min_active_units}, "
                f"rate {metrics['rate']:.2f} nats",
            )
        elif ratio is not None and ratio < options.min_snr and not kept:  # results of earlier versions have none
            yield Finding(
                "posterior collapse",
                f"signal-to-noise ratio of the best latent on {phase} {ratio:.3f} < compare.min_snr {options.min_snr}, "
                f"although {active} units are active, rate {metrics['rate']:.2f} nats",
            )


MEAN_IMAGE_GAP = Gap(
    MEAN_IMAGE, "psnr", (FLOORS, "mean_image"), "min_gain_over_mean",
    "PSNR on {phase} {value:.2f} dB, {gap:+.2f} dB from the mean image's",
)  # fmt: skip
IMAGE_LATENT = Gap(
    "latent ignored", "psnr", (ABLATIONS, "shuffled_z"), "min_latent_gap",
    "with another image's z PSNR on {phase} falls by {gap:.2f} dB only",
)  # fmt: skip
FREQUENCY_GAP = Gap(
    "frequency collapse", "lrap", (FLOORS, "frequency"), "min_gain_over_frequency",
    "LRAP on {phase} {value:.3f}, {gap:+.4f} from the tags' frequencies', the same for every row",
)  # fmt: skip
TAGS_LATENT = Gap(
    "latent ignored", "lrap", (ABLATIONS, "shuffled_z"), "min_ranking_gap",
    "with another row's z LRAP on {phase} falls by {gap:.4f} only",
)  # fmt: skip
GRID_DRAW, IMAGE_DRAW = SampledGain("macro_f1", "majority"), SampledGain("psnr", "mean_image")
TAGS_DRAW = SampledGain("lrap", "frequency")
TAG_DRAW = SampledGain("average_precision_macro", "frequency")  # within each tag: what frequencies rank does not help
