"""Signs of the objective: effective β, rate against what a linear VAE would spend, prior and posterior."""

from collections.abc import Callable
from math import isfinite, log

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs import gain
from vaelab.params.base import Schedule

ABOVE_CAPACITY = 1.5  # times the capacity, from which on KL is not held at it
USUAL = {"tags": 0.2}  # β at which models of a kind of data reconstruct well, where that is not 1


def effective_beta(case: Case) -> Reading | None:
    """Return the factor on KL once the reconstruction is in nats per example: as measured, else as the options say.

    None where KL is held at a capacity: below it the penalty asks for more nats, and at it for neither more nor fewer.
    """
    aimed, rate = capacity(case), case.number("final.rate")
    if aimed is not None and (rate is None or rate <= ABOVE_CAPACITY * aimed):
        return None
    for path in ("run.effective_beta_measured", "run.effective_beta"):
        if (value := case.number(path)) is not None:
            return Reading(value, case.source(path))
    return None


def capacity(case: Case) -> float | None:
    """Return the nats that KL is to have, at the end of a schedule; None of an objective without a capacity."""
    option = case.run.loss.capacity
    return option.end if isinstance(option, Schedule) else option


def ratio(case: Case, top: str, bottom: str) -> Reading | None:
    """Return one saved number over another; None where one is unknown, or the second is not above 0."""
    over, under = case.number(top), case.number(bottom)
    if over is None or under is None or under <= 0:
        return None
    return Reading(over / under, f"{case.source(top)}; {case.source(bottom)}")


def rate_asked(case: Case) -> Reading | None:
    """Return what a linear VAE spends at this β over what it spends at β 1; 0 where it spends nothing at either.

    Of an objective with a capacity, that is what is to be spent.
    """
    aimed, one = capacity(case), case.number("run.rate_star_1")
    asked, source = case.number("run.rate_star"), f"{case.source('run.rate_star')}, rate_star_1"
    if aimed is not None:
        asked, source = aimed, f"loss.capacity; {case.source('run.rate_star_1')}"
    if asked is None or one is None:
        return None
    return Reading(asked / one if one > 0 else 0.0, source)


def rate_usual(case: Case) -> Reading | None:
    """Return what a linear VAE spends at this β, over that at the β of USUAL: few tags a row need a low one."""
    asked, usual = case.number("run.rate_star"), USUAL.get(case.kind)
    if asked is None or usual is None or not len(case.eigenvalues) or capacity(case) is not None:
        return None
    spent = sum(log(value / usual) / 2 for value in case.eigenvalues if value > usual)
    return Reading(asked / spent, f"{case.source('run.rate_star')}, eigenvalues") if spent > 0 else None


def prior_gap(case: Case) -> Reading | None:
    """Return Σ_j KL(N(m_j, s_j²) ‖ N(0, 1)) over the rate: m and s of the aggregate posterior of each dimension."""
    rows = [row for row in case.dimensions if row["phase"] == case.phase]
    rate = case.number("final.rate")
    if not rows or not rate:
        return None
    if not all(row.get("aggregate_mean") and row.get("aggregate_std") for row in rows):
        return None
    pairs = [(float(row["aggregate_mean"]), float(row["aggregate_std"])) for row in rows]
    nats = sum((m * m + s * s - 1 - 2 * log(max(s, 1e-12))) / 2 for m, s in pairs)
    if not isfinite(nats):
        return None
    return Reading(nats / rate, f"{artifacts.scores(case.run.name)}/dimensions.csv: aggregate_mean, aggregate_std")


def sampling_cost(case: Case) -> Reading | None:
    """Return by how much the distortion rises with drawn z, for each active unit, in halves of a nat.

    At the optimum of β 1 drawing costs half a nat for each dimension that is used; as β falls, so does this.
    """
    drawn, mean = case.number("final.distortion"), case.number("final.distortion_at_mean")
    units = case.number("final.active_units")
    if drawn is None or mean is None or not units:
        return None
    return Reading((drawn - mean) / (units / 2), f"{case.source('final.distortion')}, distortion_at_mean")


def skips(case: Case) -> Reading | None:
    """Return 1 where features of the encoder reach the decoder past z."""
    bypass = case.metrics.get("run", {}).get("bypass")
    known = case.run.model.skips if bypass is None else bool(bypass)
    return Reading(float(known), case.source("run.bypass"))


def of_metric(path: str) -> Callable[[Case], Reading | None]:
    """Return the reading of one saved number; None where it is not there."""

    def read(case: Case) -> Reading | None:
        value = case.number(path)
        return None if value is None else Reading(value, case.source(path))

    return read


HIGH_BETA = Sign("effective_beta", "effective β", "high_beta", "above", effective_beta)
RAISED_BETA = Sign("effective_beta_raised", "effective β", "raised_beta", "above", effective_beta)
LOW_BETA = Sign("effective_beta_low", "effective β", "low_beta", "below", effective_beta)
LOWER_BETA = Sign("effective_beta_lower", "effective β", "lower_beta", "below", effective_beta)
RATE_SHORT = Sign(
    "rate_share",
    "rate, over that of a linear VAE at β 1",
    "rate_short",
    "below",
    lambda case: ratio(case, "final.rate", "run.rate_star_1"),
)
RATE_ASKED = Sign("rate_asked", "rate that is asked of a linear VAE, over its rate at β 1", "rate_asked", "below",
                  rate_asked)  # fmt: skip
RATE_USUAL = Sign("rate_usual", "rate of a linear VAE at this β, over its rate at the usual β", 0.15, "below",
                  rate_usual)  # fmt: skip
DRAWN_SHARE = Sign("drawn_share", "share of the gain that is left with one drawn z", "drawn_share", "below",
                   gain.drawn_share)  # fmt: skip
NOISY = Sign("drawn_share_raised", "share of the gain that is left with one drawn z", "noisy_share", "below",
             gain.drawn_share)  # fmt: skip
PRIOR_GAP = Sign("prior_gap", "distance of the aggregate posterior from the prior, over the rate", "prior_gap", "above",
                 prior_gap)  # fmt: skip
SAMPLING_COST = Sign("sampling_cost", "cost of drawing z, per active unit", "sampling_cost", "below",
                     sampling_cost, "× ½ nat")  # fmt: skip
SKIPS = Sign("skips", "features bypass the bottleneck", 0, "above", skips, YES_OR_NO)
BYPASSED_RATE = Sign(
    "rate_share_bypassed",
    "rate, over that of a linear VAE at β 1",
    "bypassed_rate",
    "below",
    lambda case: ratio(case, "final.rate", "run.rate_star_1"),
)
LATENT_SHARE = Sign("latent_share", "share of the gain that is lost with another example's z", "latent_share", "below",
                    gain.latent_share)  # fmt: skip
FLAT_MEANS = Sign("snr_max", "signal-to-noise ratio of the best latent", 0.5, "below", of_metric("final.snr_max"))
SMALL_SIGMA = Sign("min_log_var", "smallest posterior log-variance", -8, "below", of_metric("final.min_log_var"))
EXTREME = Sign(
    "max_abs_mean",
    "largest posterior mean, standard deviations of the prior",
    12,
    "above",
    of_metric("final.max_abs_mean"),
)
ALIKE = Sign("diversity_ratio", "difference between reconstructions, over that between originals", 0.3, "below",
             of_metric("final.diversity_ratio"))  # fmt: skip
