"""What must be equal before two values of a loss compare, written in one line, and what differs between runs.

A convention has three parts: the likelihood | the objective | the features of the distances of images. It is one text
so that comparison.csv can hold it, and a table that was read back can be judged as the runs themselves.
"""

from collections.abc import Iterable, Mapping
from string import ascii_lowercase
from typing import Any

from vaelab.errors import InputError
from vaelab.params.base import Schedule, has_effect
from vaelab.params.kinds import KINDS
from vaelab.params.loss import Loss
from vaelab.params.schema import Run

OF = " of "  # between a likelihood and the features that it is of
OBJECTIVE = ("loss",)  # compare under one objective
LIKELIHOOD = (  # compare under one likelihood, whatever was minimised
    "distortion", "distortion_cells", "distortion_extent", "nats_per_cell", "elbo", "negative_elbo", "negative_iw_elbo",
    "elbo_standard_error", "elbo_sampling_error", "distortion_at_mean", "bits_per_dim", "bce",
)  # fmt: skip
VALUES = (  # compare where x is of the same values: pixels, or features of one layer of a network
    "mse", "mae", "psnr", "psnr_min", "psnr_std", "psnr_p05", "worst_group_psnr", "psnr_group_gap", "sampled_psnr",
)  # fmt: skip
FEATURES = ("perceptual", "dino")  # compare under the same layers and weights
PIXELS = {"mse", "l1", "charbonnier", "bce", "gaussian", "laplace", "focal_error"}
ONLY_FOR = {  # terms without which an option of the loss does nothing
    "gamma": {"focal", "focal_error"},
    "class_weights": {"cross_entropy", "focal"},
    "class_beta": {"cross_entropy", "focal"},
    "pos_weight": {"bce", "focal"},
    "max_pos_weight": {"bce", "focal"},
    **{name: {"asymmetric"} for name in ("gamma_positive", "gamma_negative", "margin")},
    "sigma": {"gaussian", "laplace"},
    "epsilon": {"charbonnier"},
    "focal_alpha": {"focal_frequency"},
    "centre_weight": PIXELS,
    "centre_width": PIXELS,
    "ink_weight": PIXELS,
    **{name: {"perceptual"} for name in ("perceptual_network", "perceptual_layers", "perceptual_weights")},
    **{name: {"dino"} for name in ("dino_model", "dino_weights")},
}
OFF = {
    "class_weights": "none",
    "pos_weight": "none",
    "centre_weight": 1.0,
    "ink_weight": 1.0,
    "free_bits": 0.0,
    "capacity": None,
    "perceptual_network": "vgg16",
}
NEEDS = {  # options that another one switches on
    "class_beta": ("class_weights", "effective"),
    "max_pos_weight": ("pos_weight", "inverse", "sqrt_inverse"),
    "perceptual_layers": ("perceptual_network", "vgg16"),
    "perceptual_weights": ("perceptual_network", "vgg16"),
}


def convention(run: Run, metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the convention of a run's losses: likelihood | objective | features.

    Args:
        run: resolved.
        metrics: by phase, and `run`: while a schedule still moves, the epoch of the checkpoint is part of it.
    """
    active = {name for name, weight in run.loss.terms if weight != 0}
    used = _used(run, active)
    if rising := _rising(run.loss, active, metrics["run"].get("best_epoch")):
        used["epoch"] = rising
    measured = {name for name in FEATURES for values in metrics.values() if values.get(name) is not None}
    features = {
        "perceptual": f"{'+'.join(run.loss.perceptual_layers)} {run.loss.perceptual_weights}"
        if run.loss.perceptual_network == "vgg16"
        else run.loss.perceptual_network,
        "dino": f"{run.loss.dino_model} {run.loss.dino_weights}",
    }
    objective = "; ".join(f"{key}={_plain(value)}" for key, value in used.items())
    distances = "; ".join(f"{name}={_plain(features[name])}" for name in FEATURES if name in measured)
    return f"{likelihood(run)} | {objective} | {distances}"


def likelihood(run: Run) -> str:
    """Return the name of the likelihood that a run's distortion is of; where x are features, with their name."""
    name, model = KINDS[run.kind].likelihoods[run.model.output], run.model
    return name if model.features == "none" else f"{name}{OF}{model.features} {model.feature_layer}"


def units(convention: str) -> str:
    """Return the part of a convention that says what one unit of β weighs: likelihood, reduction and σ."""
    options = dict(pair.partition("=")[::2] for pair in convention.split(" | ")[1].split("; "))
    parts = [f"{name} {options[name]}" for name in ("reduction", "sigma") if name in options]
    return ", ".join([convention.split(" | ")[0], *parts])


def kind_of(convention: str) -> str:
    """Return the kind of data under a convention."""
    name = convention.split(" | ")[0].split(OF)[0]
    known = {likelihood: kind for kind, facts in KINDS.items() for likelihood in facts.likelihoods.values()}
    if name not in known:
        raise InputError(f"convention {convention!r}: unknown likelihood {name!r}; known: {', '.join(known)}")
    return known[name]


def scope(name: str, convention: str) -> str:
    """Return the part of a convention that must be equal before values of a metric compare; "" where nothing must."""
    parts = [*convention.split(" | "), "", ""][:3]
    if name in OBJECTIVE:
        return " | ".join(parts[:2])
    if name in VALUES:
        return parts[0].partition(OF)[2]
    return parts[0] if name in LIKELIHOOD else parts[2] if name in FEATURES else ""


def labels(name: str, conventions: Iterable[str]) -> dict[str, str]:
    """Return a short label of each scope of a metric, in order: (a), (b) ... ; "" where all are of one scope."""
    scopes = list(dict.fromkeys(part for convention in conventions if (part := scope(name, convention))))
    if len(scopes) < 2 and name not in VALUES:
        return dict.fromkeys(scopes, "")
    if name in (*LIKELIHOOD, *VALUES):
        return {text: f"({text})" for text in scopes}
    return {text: f"({_letter(number)})" for number, text in enumerate(scopes)}


def differences(conventions: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the options of the objective that differ, and what each objective says of them, by its scope."""
    scopes = list(dict.fromkeys(scope("loss", convention) for convention in conventions))
    options = [dict(pair.partition("=")[::2] for pair in text.split(" | ")[1].split("; ")) for text in scopes]
    for text, found in zip(scopes, options, strict=True):
        found["likelihood"] = text.split(" | ")[0]
    keys = dict.fromkeys(key for found in options for key in found)
    differing = [key for key in keys if len({found.get(key) for found in options}) > 1]
    said = [
        ", ".join(f"{key} {found[key]}" for key in differing if key in found) or "none of them" for found in options
    ]
    return differing, dict(zip(scopes, said, strict=True))


def _used(run: Run, active: set[str]) -> dict[str, Any]:
    """The options of the loss that do something, terms first; an option that this file does not know counts."""
    values: dict[str, Any] = {name: weight for name, weight in run.loss.terms if name in active}
    for name, field in type(run.loss).model_fields.items():
        value = getattr(run.loss, name)
        needs = NEEDS.get(name)
        unused = (
            name == "terms"
            or not active & ONLY_FOR.get(name, active)
            or (name in OFF and value == OFF[name])
            or (needs is not None and getattr(run.loss, needs[0]) not in needs[1:])
            or (name == "centre_width" and run.loss.centre_weight == OFF["centre_weight"])
            or not has_effect(field, run.kind)
        )
        if not unused:
            values[name] = "learned" if name == "sigma" and run.model.learned_sigma else value
    return values


def _rising(loss: Loss, active: set[str], epoch: int | None) -> int | None:
    """The epoch of the checkpoint, where a weight is still on its way or returns; None where all have arrived."""
    weights = [weight for name, weight in loss.terms if name in active] + [loss.beta, loss.capacity]
    schedules = [weight for weight in weights if isinstance(weight, Schedule) and weight.schedule != "constant"]
    ends = [float("inf") if s.schedule == "cyclical" else s.delay + s.epochs for s in schedules]
    return epoch if epoch is not None and any(epoch < end for end in ends) else None


def _plain(value: Any) -> str:
    if isinstance(value, Schedule):
        if value.schedule == "constant":
            return f"{value.end:g}"
        text = f"{value.schedule} {value.start:g} to {value.end:g} in {value.epochs:g} epochs after {value.delay:g}"
        return f"{text}, ramp {value.ramp:g}" if value.schedule == "cyclical" else text
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text.replace("|", "/").replace(";", ",")  # which part the convention


def _letter(number: int) -> str:
    """The letters a to z, then aa, ab, ..."""
    last = ascii_lowercase[number % 26]
    return last if number < 26 else _letter(number // 26 - 1) + last
