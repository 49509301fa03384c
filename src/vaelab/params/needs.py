"""What an option needs of the others of its run to do anything, beside the kinds of data that its field names.

A test builds networks and objectives of all kinds and compares what they read with this table.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vaelab.params.base import has_effect
from vaelab.params.kinds import KINDS
from vaelab.params.schema import Options, Run


class Need(NamedTuple):
    """When an option does something, and what is said where it does not."""

    met: Callable[[Run], bool]
    text: str


def _terms(*names: str) -> Need:
    return Need(
        lambda run: any(getattr(run.loss.terms, name) != 0 for name in names), f"no term {' or '.join(names)} is used"
    )


def _is_map(run: Run) -> bool:
    return run.kind in ("grid", "image") and (run.model.latent == "map" or run.model.name == "local")


def _is_vector_of_pca(run: Run) -> bool:
    return run.model.init == "pca" and not _is_map(run)


def _learns_no_sigma(run: Run) -> bool:
    return not run.model.learned_sigma and LIKELIHOODS.met(run)


LIKELIHOODS = _terms("gaussian", "laplace")
CONVOLUTIONS = Need(lambda run: run.model.name != "local", "model.name is local")
PLAIN = Need(lambda run: run.model.name not in ("filtered", "local"), "model.name is filtered, or local")
PIXELS_IN = Need(lambda run: run.model.features == "none", "model.features is not none")
FEATURES = Need(lambda run: run.model.features != "none", "model.features is none")
LOCAL = Need(lambda run: run.model.name == "local", "model.name is not local")
VGG16 = Need(lambda run: run.loss.perceptual_network == "vgg16", "perceptual_network is not vgg16")
PIXELS = _terms("mse", "l1", "charbonnier", "bce", "gaussian", "laplace", "focal_error")
ASYMMETRIC, MIXTURE = _terms("asymmetric"), Need(lambda run: run.evaluate.prior == "mixture", "prior is no mixture")
SCORED = Need(lambda run: run.evaluate.anomalies != "never", "anomalies is never")
BY_PERCENTILE = Need(lambda run: run.threshold.method == "percentile", "method is no percentile")
NEEDS: dict[str, Need] = {
    "model.latent_dim": Need(lambda run: not _is_map(run), "the latent is a map, of latent_channels"),
    "model.latent_channels": Need(_is_map, "the latent is a vector, of latent_dim"),
    **{f"model.{name}": CONVOLUTIONS for name in ("width", "residual_blocks", "upsampling", "norm")},
    **{f"model.{name}": PLAIN for name in ("attention", "dropout", "conditional", "skips")},
    "model.per_group": LOCAL,
    "model.input_dropout_rate": Need(lambda run: run.model.input_dropout > 0, "input_dropout is 0"),
    "model.features": LOCAL,
    "model.feature_layer": FEATURES,
    "model.depth": PIXELS_IN,
    "model.pca_patches": Need(_is_vector_of_pca, "init is not pca, of a vector"),
    "loss.gamma": _terms("focal", "focal_error"),
    "loss.class_weights": _terms("cross_entropy", "focal"),
    "loss.class_beta": Need(lambda run: run.loss.class_weights == "effective", "class_weights is not effective"),
    "loss.pos_weight": _terms("bce", "focal"),
    "loss.max_pos_weight": Need(lambda run: run.loss.pos_weight != "none", "pos_weight is none"),
    "loss.gamma_positive": ASYMMETRIC,
    "loss.gamma_negative": ASYMMETRIC,
    "loss.margin": ASYMMETRIC,
    "loss.sigma": Need(_learns_no_sigma, "no term gaussian or laplace is used, or model.learned_sigma is"),
    "loss.epsilon": _terms("charbonnier"),
    "loss.focal_alpha": _terms("focal_frequency"),
    "loss.centre_weight": PIXELS,
    "loss.ink_weight": PIXELS,
    "loss.centre_width": Need(lambda run: run.loss.centre_weight != 1, "centre_weight is 1"),
    "loss.perceptual_network": _terms("perceptual"),
    "loss.perceptual_layers": VGG16,
    "loss.perceptual_weights": VGG16,
    "loss.dino_model": _terms("dino"),
    "loss.dino_weights": _terms("dino"),
    "train.linear_rate": Need(lambda run: run.model.init == "pca", "model.init is not pca"),
    "train.final_rate": Need(lambda run: run.train.decay == "cosine", "decay is none"),
    "train.min_delta": Need(lambda run: run.train.patience > 0, "patience is 0"),
    "train.shift": LOCAL,
    "train.crop": Need(_is_map, "the latent is a vector"),
    "train.stop_epochs": Need(lambda run: bool(run.train.stop_when), "stop_when is empty"),
    "evaluate.mixture_components": MIXTURE,
    "evaluate.ocr_pages": Need(lambda run: run.evaluate.ocr, "ocr is false"),
    "evaluate.scores": SCORED,
    "evaluate.projection_steps": Need(lambda run: "projection" in run.evaluate.scores, "projection is no score"),
    **{f"threshold.{name}": SCORED for name in Options.model_fields["threshold"].default.model_dump()},
    "threshold.top_k": Need(lambda run: run.threshold.aggregation == "top_k", "aggregation is not top_k"),
    "threshold.percentile": BY_PERCENTILE,
    "threshold.percentile_by": BY_PERCENTILE,
}


def idle(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the path of each option that does nothing in a run, whatever its value is, and why."""
    for block in Options.model_fields:
        for name, field in type(getattr(run, block)).model_fields.items():
            need = NEEDS.get(f"{block}.{name}")
            if not has_effect(field, run.kind, run.model.name):
                yield f"{block}.{name}", f"on {KINDS[run.kind].plural}"
            elif need and not need.met(run):
                yield f"{block}.{name}", f"where {need.text}"
