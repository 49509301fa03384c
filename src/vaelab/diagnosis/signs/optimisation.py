"""Signs of the training itself, out of its history alone: what may be known while it runs."""

from math import log
from statistics import median

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs import gain
from vaelab.metrics.directions import VALIDATION
from vaelab.params.kinds import KINDS

LEAST_EPOCHS = 4  # of which a quarter is one
HEAVY_DROPOUT = 0.35  # share of the features


def not_finite(case: Case) -> Reading | None:
    """Return 1 where training had to stop at a number that was not finite, 0 where it did not."""
    if case.failure:
        return Reading(1, f"{artifacts.failed(case.run.name)}/nonfinite.json: step {case.failure.get('step')}")
    return Reading(0, _history(case)) if case.history else None


def gradient_ratio(case: Case) -> Reading | None:
    """Return the largest gradient norm of an epoch over the median of all epochs."""
    norms = [norm for _, norm in case.curve("train", "gradient_norm")]
    if len(norms) < 2 or median(norms) <= 0:
        return None
    return Reading(max(norms) / median(norms), f"{_history(case)}: gradient_norm")


def loss_jump(case: Case) -> Reading | None:
    """Return the largest rise of the training loss from its lowest value so far, over all that it has fallen.

    The weight of KL is that of the last epoch all along: where it ramps up, the loss rises by design.
    """
    losses = [value for _, value in training_losses(case)]
    if len(losses) < 2:
        return None
    lowest = [min(losses[: place + 1]) for place in range(len(losses))]
    fallen = losses[0] - min(losses)
    rise = max(after - before for before, after in zip(lowest, losses[1:], strict=False))
    return Reading(max(rise, 0) / fallen, f"{_history(case)}: loss") if fallen > 0 else None


def training_losses(case: Case, phase: str = "train") -> list[tuple[int, float]]:
    """Return the loss of each epoch on a phase, KL weighted as in the last one."""
    weights, nats = dict(case.curve(phase, "kl_weight")), dict(case.curve(phase, "kl"))
    weighted = dict(case.curve(phase, "kl_weighted"))
    last = weights[max(weights)] if weights else 0.0
    losses = case.curve(phase, "loss")
    if len({*weights.values()}) < 2:
        return losses
    known = weighted.keys() & nats.keys()
    return [(epoch, loss - weighted[epoch] + last * nats[epoch]) for epoch, loss in losses if epoch in known]


def progress(case: Case) -> tuple[list[tuple[int, float]], str]:
    """Return the curve on val of the metric that selects checkpoints, turned so that higher is better; and its name.

    Without epoch 0: a start from PCA, or from noise, would set how much progress is all.
    """
    columns = VALIDATION[case.kind].history
    name = case.metrics.get("run", {}).get("selected_by") or case.run.train.metric
    name = name if name in columns else KINDS[case.kind].selects
    sign = 1 if is_higher(case.kind, name) else -1
    return [(epoch, sign * value) for epoch, value in case.curve("val", name) if epoch], name


def is_higher(kind: str, name: str) -> bool:
    """Return whether a column of the history is better when it is higher."""
    return VALIDATION[kind].history.get(name) != "lower"


def overshoot(case: Case) -> Reading | None:
    """Return how far the largest loss of a step lies above that of the untrained model, over all that the loss fell."""
    start, losses = dict(case.curve("val", "loss")).get(0), [value for _, value in case.curve("train", "loss")]
    steps = [value for _, value in case.curve("train", "loss_max")]
    if start is None or not steps or not losses or min(losses) >= start:
        return None
    return Reading(max(max(steps) - start, 0) / (start - min(losses)), f"{_history(case)}: loss_max")


def fastest(case: Case) -> Reading | None:
    """Return the largest learning rate that a training reached."""
    rates = [rate for _, rate in case.curve("train", "learning_rate")]
    return Reading(max(rates), f"{_history(case)}: learning_rate") if rates else None


def lost_again(case: Case) -> Reading | None:
    """Return which share of the gain on val, from what knows nothing of x to the best epoch, the last epoch has lost.

    In nats: of images, whose σ is the one that fits best, half the logarithm of the mean squared error for each value.
    """
    if case.kind == "grid":
        return None  # its objective weighs cells by class and by how sure they are: other nats than those of val
    image = case.kind == "image"
    column, nothing = ("mse", "mean_image.mse") if image else ("distortion", "frequency.distortion")
    start, values = case.number(f"val.floors.{nothing}"), [value for epoch, value in case.curve("val", column) if epoch]
    if start is None or not values or (image and min(start, *values) <= 0):
        return None
    nats = [log(value) for value in (start, *values)] if image else [start, *values]
    if nats[0] <= min(nats[1:]):
        return None
    return Reading((nats[-1] - min(nats[1:])) / (nats[0] - min(nats[1:])), f"{_history(case)}: {column}")


def train_rise(case: Case) -> Reading | None:
    """Return how much the training loss without KL rose after the best epoch on val, over all that it fell."""
    nats = dict(case.curve("train", "kl_weighted"))
    losses, (curve, _) = {e: loss - nats.get(e, 0) for e, loss in case.curve("train", "loss")}, progress(case)
    fallen = max(losses.values()) - min(losses.values()) if losses else 0.0
    if not curve or fallen <= 0:
        return None
    best = max(curve, key=lambda point: point[1])[0]
    if best not in losses:
        return None
    return Reading((losses[max(losses)] - losses[best]) / fallen, f"{_history(case)}: loss, kl_weighted")


def rate_since_best(case: Case) -> Reading | None:
    """Return the rate on val in the last epoch over that of the best one."""
    rates, (curve, _) = dict(case.curve("val", "kl")), progress(case)
    if not curve or not rates:
        return None
    best = rates.get(max(curve, key=lambda point: point[1])[0])
    return Reading(rates[max(rates)] / best, f"{_history(case)}: kl") if best else None


def still_gaining(case: Case) -> Reading | None:
    """Return the share of all progress on val that the last quarter of the epochs brought.

    Of a start from PCA, which has no way left to go, progress is counted from what knows nothing of the example: it is
    unknown until that was evaluated.
    """
    curve, name = progress(case)
    values = [value for _, value in curve]
    start = _start(case, name, values[0]) if len(values) >= LEAST_EPOCHS else None
    if start is None:
        return None
    before = values[: len(values) - max(1, len(values) // 4)]
    whole = max(values) - min(values[0], start)
    if whole <= 0:
        return Reading(0, f"{_history(case)}: {name}")
    return Reading((max(values) - max(before)) / whole, f"{_history(case)}: {name}")


def _start(case: Case, name: str, first: float) -> float | None:
    """Where progress is counted from, higher being better: the first epoch, or what knows nothing of the example."""
    if case.run.model.init != "pca":
        return first
    floors = (case.number(f"val.floors.{floor}.{name}") for floor in ("mean_image", "majority", "frequency"))
    found = next((value for value in floors if value is not None), None)
    return found if found is None or is_higher(case.kind, name) else -found


def settled(case: Case) -> Reading | None:
    """Return 1 where the end of training brought nothing more, 0 where it stopped while val still became better."""
    gaining, since = still_gaining(case), epochs_since_best(case)
    if since is None:
        return None
    going_on = gaining is not None and gaining.value > case.run.diagnose.still_gaining and since.value < 1
    return Reading(float(not going_on), since.source)


def dropout(case: Case) -> Reading | None:
    """Return the share of the features that is dropped at random in training."""
    return Reading(case.run.model.dropout, "model.dropout")


def swamped(case: Case) -> Reading | None:
    """Return 1 where dropout is so heavy that nothing was learned: losses then jump with the noise; 0 elsewhere."""
    learned = gain.gain(case)
    nothing = learned is not None and learned.value < case.run.diagnose.dead_gain
    return Reading(float(nothing and case.run.model.dropout > HEAVY_DROPOUT), "model.dropout")


def epochs_since_best(case: Case) -> Reading | None:
    """Return how many epochs came after the best one on val."""
    curve, name = progress(case)
    if not curve:
        return None
    best = max(curve, key=lambda point: point[1])[0]
    return Reading(curve[-1][0] - best, f"{_history(case)}: {name}")


def distance(case: Case) -> Reading | None:
    """Return the sum of the learning rates of all steps: Adam moves no weight further than about that."""
    rates, steps = case.curve("train", "learning_rate"), dict(case.curve("train", "step"))
    if not rates or not all(epoch in steps for epoch, _ in rates):
        return None
    taken, total = 0.0, 0.0
    for epoch, rate in rates:
        total += rate * (steps[epoch] - taken)
        taken = steps[epoch]
    return Reading(total, f"{_history(case)}: learning_rate, step")


def _history(case: Case) -> str:
    return f"{artifacts.failed(case.run.name) if case.failure else artifacts.models(case.run.name)}/history.csv"


NOT_FINITE = Sign("not_finite", "steps that were not finite", 0, "above", not_finite)
GRADIENT_RATIO = Sign(
    "gradient_ratio", "largest gradient norm of an epoch, over the median", "gradient_ratio", "above", gradient_ratio
)
LOSS_JUMP = Sign("loss_jump", "largest rise of the training loss, over all that it fell", "loss_jump", "above",
                 loss_jump)  # fmt: skip
STILL_GAINING = Sign("still_gaining", "share of all progress that the last quarter of the epochs brought",
                     "still_gaining", "above", still_gaining)  # fmt: skip
BEST_IS_LAST = Sign("epochs_since_best", "epochs after the best one", 1, "below", epochs_since_best)
OVERSHOOT = Sign(
    "overshoot",
    "largest loss of a step above the untrained model's, over all that the loss fell",
    "overshoot",
    "above",
    overshoot,
)
FAST = Sign("learning_rate", "largest learning rate", "high_rate", "above", fastest)
LOST_AGAIN = Sign(
    "lost_again", "share of the gain on val that was lost after the best epoch", "lost_again", "above", lost_again
)
TRAIN_FELL = Sign(
    "train_rise",
    "rise of the training loss without KL since the best epoch, over all that it fell",
    0,
    "below",
    train_rise,
)
RATE_FELL = Sign("rate_since_best", "rate in the last epoch, over that in the best one", 0.6, "below", rate_since_best)
RATE_GREW = Sign("rate_grew", "rate in the last epoch, over that in the best one", "rate_grew", "above",
                 rate_since_best)  # fmt: skip
SETTLED = Sign("settled", "the end of training brought nothing more", 0, "above", settled, YES_OR_NO)
QUICK = Sign("learning_rate_quick", "largest learning rate", 3e-4, "above", fastest)
SLOW = Sign("learning_rate_slow", "largest learning rate", 3e-4, "below", fastest)
DROPOUT = Sign("dropout", "dropout, share of the features", HEAVY_DROPOUT, "above", dropout)
NOT_SWAMPED = Sign("swamped", "dropout so heavy that nothing was learned", 1, "below", swamped, YES_OR_NO)
LONG_WAY = Sign("distance_long", "sum of the learning rates of all steps", 0.05, "above", distance)
FEW_STEPS = Sign("distance_few", "sum of the learning rates of all steps", "few_steps", "below", distance)
SHORT_WAY = Sign("distance", "sum of the learning rates of all steps", 0.05, "below", distance)
