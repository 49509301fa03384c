"""What is known of a run while it trains: from its history alone, before anything else is measured.

Causes whose signs read the history are found as they are after training. Three more have signs of their own here, since
what confirms them later is not measured yet; each was set between runs that were broken on purpose and healthy ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vaelab import artifacts, storage
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.causes.table import CAUSES, explained_by
from vaelab.diagnosis.engine import diagnose
from vaelab.diagnosis.sign import Reading, Sign
from vaelab.diagnosis.signs import optimisation
from vaelab.params.schema import Run

AT_END = {"unfinished"}  # true of every run while it trains
FIRST = 2  # epochs before anything is said
EVERY = 25  # epochs after which not all are looked at: from twice as many on every second one, and so on
History = Sequence[Mapping[str, Any]]


class Watcher:
    """Called with the history after each epoch: returns what is wrong, for each cause its name and a sentence."""

    def __init__(self, run: Run) -> None:
        """Watch a run; a rate that is possible is known where it was evaluated before."""
        self.run, self.possible = run, possible_rate(run)
        self.found: list[tuple[str, str]] = []

    def __call__(self, history: History) -> list[tuple[str, str]]:
        """Return what is wrong as far as the history tells."""
        epoch = int(history[-1]["epoch"])
        if epoch <= EVERY or epoch % (epoch // EVERY) == 0 or epoch == self.run.train.epochs:
            self.found = notes(Case(self.run, history=history), self.possible)
        return self.found


class Early(NamedTuple):
    """A cause that is expected of a run."""

    cause: str
    signs: tuple[Sign, ...]  # all of them hold
    says: str


def notes(case: Case, possible: float | None = None) -> list[tuple[str, str]]:
    """Return the causes that the history of a run confirms, each with a sentence.

    Args:
        case: a run with nothing but its history.
        possible: the rate of a linear VAE at β 1, nats, where it is known.
    """
    epoch = int(case.history[-1]["epoch"])
    if epoch < FIRST:
        return []
    left_out = AT_END if epoch < case.run.train.epochs else set()
    likely = [one for one in diagnose(case).findings if one.certainty != "possible" and one.cause.id not in left_out]
    found = {one.cause.id: one.summary for one in likely}
    for early in EARLY:
        evidence = [sign(case) for sign in early.signs]
        if all(one is not None and one.holds for one in evidence):
            said = "; ".join(one.said() for one in evidence if one is not None)
            more = f", where {possible:.3g} are possible" if possible and early.cause == "beta_too_high" else ""
            found.setdefault(early.cause, f"{early.says} ({CAUSES[early.cause].name}): {said}{more}.")
    explained = {name for cause in found for name in explained_by(CAUSES[cause], found)}
    return [(cause, sentence) for cause, sentence in found.items() if cause not in explained]


def possible_rate(run: Run) -> float | None:
    """Return what a linear VAE would spend at β 1, nats, as an earlier evaluation of the run found it."""
    path = artifacts.evaluation(run.name)
    return Case(run, storage.read_json(path)).number("run.rate_star_1") if path.is_file() else None


def rate(case: Case) -> Reading | None:
    """Return the rate on val after the last epoch, nats."""
    return _last(case, "kl")


def rate_left(case: Case) -> Reading | None:
    """Return the rate over the highest one of all epochs."""
    rates = [value for epoch, value in case.curve("val", "kl") if epoch]
    return Reading(rates[-1] / max(rates), _source("kl")) if rates and max(rates) > 0 else None


def latent_gap(case: Case) -> Reading | None:
    """Return by how many nats the loss of an example rises with another example's z, after the last epoch."""
    return _last(case, "latent_gap")


def planned_distance(case: Case) -> Reading | None:
    """Return the sum of the learning rates of all steps, those to come at the mean rate until now."""
    found, rows = optimisation.distance(case), case.curve("train", "learning_rate")
    if found is None:
        return None
    return Reading(found.value / len(rows) * max(case.run.train.epochs, len(rows)), _source("learning_rate, step"))


def gap_share(case: Case) -> Reading | None:
    """Return that cost over the rate: a decoder that uses what it is told loses more than the nats of it."""
    nats, gap = rate(case), latent_gap(case)
    return Reading(gap.value / nats.value, gap.source) if nats and gap and nats.value > 0 else None


def overfit_share(case: Case) -> Reading | None:
    """Return by how much the objective is worse on val than on train, as a share of what was gained on train.

    That is the fall since the untrained model, or what the latents are worth, where a start from PCA left little.
    """
    val, train = (dict(optimisation.training_losses(case, phase)) for phase in ("val", "train"))
    if 0 not in val or not train:
        return None
    epoch = max(train)
    worth = dict(case.curve("val", "latent_gap")).get(min(train, key=lambda place: val[place]), 0.0)
    gained = max(val[0] - train[epoch], worth)
    return Reading((val[epoch] - train[epoch]) / gained, _source("loss")) if gained > 0 else None


def _last(case: Case, column: str) -> Reading | None:
    curve = case.curve("val", column)
    return Reading(curve[-1][1], _source(column)) if curve else None


def _source(column: str) -> str:
    return f"history.csv: {column}"


RATE = Sign("rate", "rate", 0.5, "below", rate, "nats")
RATE_LEFT = Sign("rate_left", "rate over its highest", 0.7, "below", rate_left)
GAP = Sign("latent_gap", "cost of another example's z", 0.5, "below", latent_gap, "nats")
UNUSED = Sign("gap_share", "cost of another example's z over the rate", 0.8, "below", gap_share)
USED = Sign("gap_share_used", "cost of another example's z over the rate", 1.2, "above", gap_share)
SHORT = Sign("distance_planned", "sum of the learning rates of all steps that are planned", 0.05, "below",
             planned_distance)  # fmt: skip
OVERFIT = Sign("overfit_now", "how much worse the objective is on val, over what was gained on train", 0.5, "above",
               overfit_share)  # fmt: skip
EARLY = (
    Early("beta_too_high", (RATE, RATE_LEFT, GAP), "heading for collapse"),
    Early("not_learned", (SHORT, UNUSED), "steps too short to learn"),
    Early("overfitting", (OVERFIT, USED), "val falls behind"),
)
