"""Prescriptions for the training: learning rate, its start, how long, and what holds the model back."""

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.prescription import Direction, Prescription, rounded
from vaelab.diagnosis.signs import gain, optimisation

USUAL_RATE, LARGEST_RATE = 1e-3, 3e-3
FAR = 0.3  # sum of the learning rates of all steps of a training that gets somewhere
HEAVY_DROPOUT = 0.3


def lower_rate(case: Case) -> Prescription | None:
    """Return the learning rate lowered by how far the gradients ran away, with a warm-up."""
    found, rate = optimisation.gradient_ratio(case), case.run.train.learning_rate
    factor = min(max((found.value / 5 if found else 10.0), 3.0), 100.0)
    new = rounded(min(rate / factor, USUAL_RATE if case.failure else rate / 3))
    ran_away = found is not None and found.value > case.run.diagnose.gradient_ratio
    grew = f": gradients grew to {found.value:.3g} times their median" if found and ran_away else ""
    why = f"the learning rate of {rate:g} is divided by {rate / new:.3g}{grew}"
    changes = {"train.learning_rate": new, "train.warmup": 1.0}
    return Prescription(changes, *_calmer(case), why, "training takes more epochs")


def clip(case: Case) -> Prescription | None:
    """Return a largest norm of the gradient, the median of this training."""
    norms = sorted(norm for _, norm in case.curve("train", "gradient_norm"))
    if case.run.train.clip_norm is not None:
        return None
    norm = rounded(norms[len(norms) // 2]) if norms else 1.0
    why = f"{norm:g} is the median of the gradient norms of this training" if norms else "no gradient norm was saved"
    return Prescription({"train.clip_norm": norm}, *_calmer(case), why)


def _calmer(case: Case) -> tuple[str, Direction, float]:
    """The number by which training jumps, the first that is beyond its limit, and half of it."""
    if case.failure:
        return "not_finite", "lower", 1.0
    signs = (optimisation.LOSS_JUMP, optimisation.GRADIENT_RATIO, optimisation.OVERSHOOT)
    found = next((one for sign in signs if (one := sign(case)) is not None and one.holds), None)
    return (found.sign.name, "lower", rounded(found.reading.value / 2)) if found else ("loss_jump", "lower", 0.25)


def raise_rate(case: Case) -> Prescription | None:
    """Return the learning rate with which the steps of this run get somewhere."""
    way, rate = optimisation.distance(case), case.run.train.learning_rate
    if way is None or way.value <= 0 or way.value >= optimisation.SHORT_WAY.limit_of(case):
        return None
    new = rounded(min(max(rate * FAR / way.value, USUAL_RATE), LARGEST_RATE))
    if new <= rate:
        return None
    why = f"all steps together move a weight by {way.value:.2g} at most; with {new:g} by {way.value * new / rate:.2g}"
    return Prescription({"train.learning_rate": new}, "gain", "higher", _to_half(case), why)


def less_dropout(case: Case) -> Prescription | None:
    """Return the model without dropout, where it is heavy."""
    if case.run.model.dropout < HEAVY_DROPOUT:
        return None
    why = f"dropout {case.run.model.dropout:g} leaves the decoder next to nothing to learn from"
    return Prescription({"model.dropout": 0.0}, "gain", "higher", _to_half(case), why, "over-fits sooner")


def more_epochs(case: Case) -> Prescription | None:
    """Return twice the epochs, four times where the last quarter still brought much."""
    found, curve = optimisation.still_gaining(case), optimisation.progress(case)
    limit = optimisation.STILL_GAINING.limit_of(case)
    if _few_steps(case):
        return _far_enough(case)
    if found is None or found.value < limit / 2 or not curve[0]:
        return None
    factor = 4 if found.value > 4 * limit else 2
    values = [value for _, value in curve[0]]
    least = rounded(max(found.value * (max(values) - values[0]) / 2, 1e-6))
    ends = {"train.patience": 0} if case.run.train.patience else {}
    since = optimisation.BEST_IS_LAST(case)
    last = ", and the last epoch is the best" if since is not None and since.holds else ""
    why = f"the last quarter of the epochs brought {found.value:.0%} of all progress{last}{_going_on(case)}"
    higher = optimisation.is_higher(case.kind, curve[1])
    changes = {"train.epochs": case.run.train.epochs * factor, **ends}
    return Prescription(changes, f"val.{curve[1]}", "higher" if higher else "lower", least, why)


def _going_on(case: Case) -> str:
    """What spares training the first epochs again, where that brings the same."""
    train = case.run.train
    if not train.keep_state or train.decay == "cosine":
        return ""
    return (
        "; it kept its state: a new run that starts from it (`starts`, train.go_on: true) trains the further ones alone"
    )


def _few_steps(case: Case) -> bool:
    """Whether the run is far behind PCA after steps that can have moved no weight far."""
    way, reached = optimisation.FEW_STEPS(case), gain.gain_at_mean(case)
    return way is not None and way.holds and reached is not None and reached.value < case.run.diagnose.poor_gain


def _far_enough(case: Case) -> Prescription | None:
    """Return as many epochs as move weights as far as in a training that gets somewhere, up to eight times as many."""
    way, epochs = optimisation.distance(case), case.run.train.epochs
    if way is None or way.value <= 0:
        return None
    factor = min(max(FAR / way.value, 2), 8)
    ends = {"train.patience": 0} if case.run.train.patience else {}
    why = f"all steps together move a weight by {way.value:.2g} at most; with {factor:.2g} times the epochs by {FAR:g}"
    why += _going_on(case)
    return Prescription({"train.epochs": round(epochs * factor), **ends}, "gain", "higher", _to_half(case), why)


def pca_start(case: Case) -> Prescription | None:
    """Return the start from PCA, from which nothing has to be found first."""
    if case.kind == "tags" or case.run.model.init == "pca":
        return None
    changes: dict[str, object] = {"model.init": "pca"}
    changes |= {"model.output": "linear"} if case.kind == "image" else {}
    why = "the model begins where PCA is, and can only become better"
    return Prescription(changes, "gain", "higher", _to_half(case), why)


def _to_half(case: Case) -> float:
    now = gain.gain(case)
    return rounded(max((0.5 - now.value) / 2, 0.05)) if now else 0.25
