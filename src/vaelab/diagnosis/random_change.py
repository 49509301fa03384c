"""A random admissible change of a run: what a prescription must beat to count as one."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from vaelab.diagnosis.prescription import rounded
from vaelab.params.base import Schedule
from vaelab.params.cross_checks import cross_checks
from vaelab.params.experiment import laid_over
from vaelab.params.needs import idle
from vaelab.params.schema import Run

CHOICES: dict[str, tuple[Any, ...]] = {  # dials with names, or with few values that are usual
    "model.norm": ("batch", "group", "layer", "none"),
    "model.activation": ("relu", "silu", "gelu", "tanh"),
    "model.dropout": (0.0, 0.1, 0.3),
    "model.init": ("default", "pca"),
    "model.skips": (False, True),
    "loss.reduction": ("sum", "mean"),
    "loss.free_bits": (0.0, 0.05, 0.2),
    "loss.class_weights": ("none", "sqrt_inverse", "inverse"),
    "loss.pos_weight": ("none", "sqrt_inverse", "inverse"),
    "train.clip_norm": (None, 1.0, 10.0),
    "train.warmup": (0.0, 1.0),
    "train.decay": ("none", "cosine"),
    "train.weight_decay": (0.0, 0.01),
    "train.flip": (False, True),
    "evaluate.prior": ("normal", "mixture"),
    "evaluate.tag_sampling": ("draw", "calibrated", "threshold"),
}
FACTORS: dict[str, float] = {  # dials that are multiplied or divided
    "train.learning_rate": 3,
    "train.batch_size": 2,
    "train.epochs": 2,
    "model.latent_dim": 2,
    "model.latent_channels": 2,
    "model.width": 2,
}
OF_SCORES: dict[str, tuple[Any, ...]] = {
    "threshold.percentile": (90.0, 95.0, 99.0, 99.9),
    "threshold.aggregation": ("mean", "max", "top_k"),
    "threshold.calibration": ("none", "log_z", "quantile"),
    "threshold.smoothing": (0.0, 1.0),
}


def random_changes(run: Run, seed: int, scored: bool = False) -> dict[str, Any]:
    """Return one change of a run by its path, such as {"loss.beta": 3.0}; the same for a run's name and a seed.

    A dial is drawn evenly among those that do something in this run, then one of its values. Epochs are doubled or
    halved as any other dial is, so that on the mean a change costs what the run did.

    Args:
        run: the run that is changed.
        seed: the same one draws the same change.
        scored: whether the run has anomaly scores, so that its threshold has an effect.
    """
    drawn = random.Random(f"{run.name} {seed}")
    dials = {path: values for path, values in _dials(run, scored) if values}
    return drawn.choice(dials[drawn.choice(sorted(dials))])


def _dials(run: Run, scored: bool) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The changes of each dial that are admissible."""
    for path, values in (CHOICES | (OF_SCORES if scored else {})).items():
        yield path, [{path: value} for value in values if _admissible(run, path, value)]
    for path, factor in FACTORS.items():
        now = _at(run, path)
        scaled = (_near(now * factor, now), _near(now / factor, now))
        yield path, [{path: value} for value in scaled if _admissible(run, path, value)]
    hidden = [tuple(int(size * factor) for size in run.model.hidden) for factor in (2, 0.5)]
    yield "model.hidden", [{"model.hidden": [*s]} for s in hidden if _admissible(run, "model.hidden", s)]
    yield "loss.beta", [{"loss.beta": b} for b in _betas(run) if _admissible(run, "loss.beta", b)]


def _betas(run: Run) -> list[Any]:
    beta = run.loss.beta
    if isinstance(beta, Schedule):
        return [beta.model_dump() | {"end": beta.end * factor} for factor in (10, 0.1)]
    return [_near(beta * 10, beta), _near(beta / 10, beta)]


def _near(value: float, now: float) -> float:
    """A number with two digits, whole where the option is."""
    return int(value) if isinstance(now, int) else rounded(value)


def _admissible(run: Run, path: str, value: Any) -> bool:
    """Whether it is another value than now, one that is allowed, and one that does something."""
    if value == _at(run, path):
        return False
    try:
        changed = Run.model_validate(laid_over(run.model_dump(), as_groups({path: value})))
    except ValidationError:
        return False
    return path not in dict(idle(changed)) and not any(cross_checks(changed, "", None, None))


def as_groups(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes by path as they stand in params.yaml: {"loss.beta": 1} as {"loss": {"beta": 1}}."""
    groups: dict[str, Any] = {}
    for path, value in changes.items():
        *outer, last = path.split(".")
        place = groups
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return groups


def _at(run: Run, path: str) -> Any:
    block, name = path.split(".")
    return getattr(getattr(run, block), name)
