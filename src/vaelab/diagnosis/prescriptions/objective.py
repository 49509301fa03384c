"""Prescriptions for the objective: the weight of KL, and what it is weighed against."""

from math import log
from typing import Any

import numpy as np

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.prescription import Prescription, rounded
from vaelab.diagnosis.signs import gain, objective, optimisation
from vaelab.params.base import Schedule
from vaelab.params.kinds import KINDS

ENOUGH = 0.5  # of the way to PCA
MUCH = 1.5  # times the rate of a linear VAE; healthy runs up to 1.31
LARGEST_STEP = 1e5  # factor between two weights of KL
PIXEL_TERMS = ("mse", "l1", "charbonnier", "bce", "laplace", "focal_error")  # in whose place a likelihood is tried


def lower_beta(case: Case) -> Prescription | None:
    """Return the β at which a run that KL took everything from would spend what a healthy one does."""
    target, said = _target(case)
    beta, now = _beta_for(case, target), _beta(case)
    if beta is None or beta >= now:
        return None
    found = objective.effective_beta(case)
    now_said = "" if found is None else f"from {found.value:.2g} "
    why = f"the effective β falls {now_said}to {target:.2g}, {said}"
    return Prescription(_with(case, beta), "gain", "higher", _to_half(case), why, "samples fit the prior less well")


def raise_beta(case: Case) -> Prescription | None:
    """Return the β that makes the posterior and the prior meet again."""
    target = min(_target(case)[0], 1.0)
    beta = _beta_for(case, target)
    if beta is None or beta <= _beta(case):
        return None
    metric, least = _too_much(case)
    why = f"the effective β rises to {target:.2g}, which keeps the posteriors near the prior"
    return Prescription(_with(case, beta), metric, "lower", least, why, "reconstructions get worse")


def _too_much(case: Case) -> tuple[str, float]:
    """What a higher β should lower, and by how much: by half of what is too much."""
    spent = objective.ratio(case, "final.rate", "run.rate_star_1")
    if spent and spent.value > MUCH:
        return "rate_share", rounded((spent.value - 1) / 2)
    gap, grew = objective.prior_gap(case), optimisation.RATE_GREW(case)
    if grew is not None and grew.holds and not (gap and gap.value > case.run.diagnose.prior_gap):
        return "rate_grew", rounded((grew.reading.value - 1) / 2)
    return "prior_gap", rounded(gap.value / 2) if gap else 0.05


def raise_capacity(case: Case) -> Prescription | None:
    """Return the capacity at which KL may take what a linear VAE spends at β 1; None where it has that already."""
    now, one = objective.capacity(case), case.number("run.rate_star_1")
    if now is None or one is None or now >= one:
        return None
    why = f"a linear VAE of these data spends {one:.3g} nats at β 1, and KL is held at {now:.3g}"
    return Prescription({"loss.capacity": rounded(one)}, "gain", "higher", _to_half(case), why)


def likelihood(case: Case) -> Prescription | None:
    """Return a Gaussian likelihood of the best σ in place of errors, whose scale β depends on."""
    if case.kind != "image" or case.run.loss.terms.gaussian or objective.capacity(case) is not None:
        return None
    terms = {f"loss.terms.{name}": 0 for name in PIXEL_TERMS if getattr(case.run.loss.terms, name) != 0}
    changes = {**terms, "loss.terms.gaussian": 1.0, "loss.reduction": "sum", "loss.beta": 1.0}
    why, beside = (
        "σ is then fitted to the errors, and β 1 is the ELBO at any size of image",
        "the loss is in other units",
    )
    found = objective.effective_beta(case)
    if found is not None and found.value < 1:  # β rises, so that the gain may fall
        metric, least = _too_much(case)
        return Prescription(changes, metric, "lower", least, why, beside)
    return Prescription(changes, "gain", "higher", _to_half(case), why, beside)


def summed(case: Case) -> Prescription | None:
    """Return the sum over the elements of an example in place of the mean, under which KL is as many times heavier."""
    if case.run.loss.reduction != "mean" or case.kind == "image" or objective.capacity(case) is not None:
        return None
    changes = {"loss.reduction": "sum", "loss.beta": KINDS[case.kind].beta}
    why = f"a mean over {case.data.get('mean_elements', 0):.0f} elements makes KL as many times heavier"
    return Prescription(changes, "gain", "higher", _to_half(case), why, "the loss is in other units than before")


def free_bits(case: Case) -> Prescription | None:
    """Return nats per dimension that KL does not take."""
    if case.run.loss.free_bits > 0 or objective.capacity(case) is not None:
        return None
    why = "KL below .05 nats a dimension costs nothing, so that no dimension has a reason to die"
    return Prescription({"loss.free_bits": 0.05}, "gain", "higher", _to_half(case), why)


def no_skips(case: Case) -> Prescription | None:
    """Return the same model without skips."""
    if not case.run.model.skips:
        return None
    why = "without skips all that the decoder knows of x goes through z"
    return Prescription({"model.skips": False}, "latent_share", "higher", 0.5, why, "reconstructions get worse")


def fitted_prior(case: Case) -> Prescription | None:
    """Return samples from a mixture fitted to the posteriors in place of the prior."""
    mmd = case.number("final.sample_reconstruction_mmd")
    if case.run.evaluate.prior != "normal" or case.kind == "tags":
        return None
    why = "samples come from where the decoder was trained; the model stays as it is"
    least = rounded(mmd / 4) if mmd else 0.02
    changes = {"evaluate.prior": "mixture"}
    return Prescription(changes, "sample_reconstruction_mmd", "lower", least, why, later_only=True)


def _target(case: Case) -> tuple[float, str]:
    """The effective β to aim at, and why."""
    own = KINDS[case.kind].beta if case.kind == "grid" else {"tags": 0.2}.get(case.kind, 1.0)
    star = linear_rate(case, own)
    if star is None:
        return own, f"at which models of {KINDS[case.kind].plural} reconstruct well"
    return own, f"at which a linear VAE of these data spends {star:.3g} nats"


def linear_rate(case: Case, beta: float) -> float | None:
    """Return Σ_j ½ ln⁺(λ_j / (β · mse)), what a linear VAE would spend at an effective β; None without eigenvalues.

    Where the run learned nothing, the error is that of PCA, which is what the linear VAE would reach.
    """
    mse = case.number("final.floors.pca.mse") or case.number("final.mse")
    if not len(case.eigenvalues) or mse is None or beta <= 0:
        return None
    units = case.metrics.get("run", {}).get("latent_dim", len(case.eigenvalues))
    ratios = case.eigenvalues[:units] / (beta * mse)
    return float(np.log(np.maximum(ratios, 1)).sum() / 2)


def _beta_for(case: Case, target: float) -> float | None:
    """The option β whose effective β is the target, at the error that the model should come to."""
    effective, now = objective.effective_beta(case), _beta(case)
    if effective is None or effective.value <= 0 or now <= 0:
        return None
    beta = now * target / effective.value / _shrinks(case)
    return None if abs(log(beta / now)) > log(LARGEST_STEP) else rounded(beta)


def _beta(case: Case) -> float:
    """The option β of the run, a schedule's at its end."""
    option = case.run.loss.beta
    return option.end if isinstance(option, Schedule) else option


def _with(case: Case, beta: float) -> dict[str, Any]:
    """The change to another β; a schedule keeps its shape, and rises to that."""
    now = case.run.loss.beta
    if not isinstance(now, Schedule):
        return {"loss.beta": beta}
    start = {"start": min(now.start, beta)} if now.start else {}
    return {"loss.beta": now.model_dump(exclude_defaults=True) | start | {"end": beta}}


def _shrinks(case: Case) -> float:
    """By what the effective β falls by itself as errors do: with an error term, whose nats are of its own size."""
    mse, pca = case.number("final.mse"), case.number("final.floors.pca.mse")
    is_error = case.number("run.effective_beta") is None
    return min(1.0, pca / mse) if is_error and mse and pca else 1.0


def _to_half(case: Case) -> float:
    """Half of what is missing to half of the way to PCA: far beyond what two seeds differ by."""
    now = gain.gain(case)
    return rounded(max((ENOUGH - now.value) / 2, 0.05)) if now else 0.25
