"""What does not go with `model.features`, whose model sees feature maps of a network in place of pixels."""

from collections.abc import Iterator

from vaelab.params.problems import Problem
from vaelab.params.schema import Run

FEATURE_TERMS = {"mse", "l1", "charbonnier", "gaussian", "laplace", "focal_error", "total_correlation", "mmd"}
FEATURE_SCORES = ("residual", "absolute", "mahalanobis", "mixture", "standardised", "kl")
FEATURE_METRICS = ("psnr", "mse", "mae")
FEATURE_STRIDES = {"s16b": 16, "s32a": 32}  # pixels to a side of a place of each layer
LEAST_PLACES = 4  # to a side, of which the outermost are left out


def features(run: Run, where: str) -> Iterator[Problem]:
    """Yield what a model of feature maps cannot have: what is made for pixels."""
    if run.model.features == "none":
        return
    if run.model.name != "local":
        yield Problem(f"{where}.model.features", "are for model.name: local")
    for name in ("flip", "corruption"):
        if getattr(run.train, name):
            yield Problem(f"{where}.train.{name}", "changes pixels; model.features are made of each image once")
    if run.loss.ink_weight != 1:
        yield Problem(f"{where}.loss.ink_weight", "is of pixels, not of model.features")
    for term in sorted({name for name, weight in run.loss.terms if weight != 0} - FEATURE_TERMS):
        yield Problem(f"{where}.loss.terms.{term}", "is of pixels, not of model.features")
    for name in run.evaluate.scores:
        if name not in FEATURE_SCORES:
            known = ", ".join(FEATURE_SCORES)
            yield Problem(f"{where}.evaluate.scores", f"{name} is of pixels; of model.features there are {known}")
    if run.train.metric not in FEATURE_METRICS:
        text = f"{run.train.metric} is of pixels; of model.features there are {', '.join(FEATURE_METRICS)}"
        yield Problem(f"{where}.train.metric", text)


def feature_side(run: Run, side: int, where: str) -> Iterator[Problem]:
    """Yield what is wrong with a side of images, pixels, of which feature maps are made."""
    stride = FEATURE_STRIDES[run.model.feature_layer]
    if side % stride or side < LEAST_PLACES * stride:
        text = f"of layer {run.model.feature_layer} need a side that is a multiple of {stride}, {LEAST_PLACES * stride}"
        yield Problem(f"{where}.model.features", f"{text} or more; datasets.{run.data}.size is {side}")
