"""Prescriptions for what a model can and should hold: size, regularisation, likelihood."""

from math import ceil

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.prescription import Direction, Prescription, rounded
from vaelab.diagnosis.signs import capacity as signs
from vaelab.diagnosis.signs import gain, objective, optimisation
from vaelab.params.kinds import KINDS

LARGEST, LARGEST_MAP = 512, 64  # latents of a vector, channels of a map
FULL = 0.9  # effective β from which KL counts in full: lower, a quarter of it would be too low
SHARE = 0.5  # of the frequencies of the data, to hold
CYCLES = "final.resolved_cycles"


def more_latents(case: Case) -> Prescription | None:
    """Return the start from PCA where that holds more in as many latents, and as many latents as are missing."""
    options, now = case.run.model, case.number(CYCLES)
    if now is None:
        return None
    held = max(now, case.number("final.floors.pca.resolved_cycles") or 0.0)
    changes: dict[str, object] = {}
    why = f"{_size(case)} hold {held:g} cycles of {case.number('final.data_cycles') or 0:g}"
    if held > now and options.init != "pca":
        changes |= {"model.init": "pca", "model.output": "linear"}
        why = f"PCA holds {held:g} cycles in as many latents, and the model {now:g}"
    changes |= _larger(case, held, 1.0 if changes else 2.0)
    return Prescription(changes, CYCLES, "higher", 1, why, "the rate rises") if changes else None


def _larger(case: Case, held: float, least: float) -> dict[str, object]:
    """The latents by so many times that they hold half of the data's frequencies: they grow with the square."""
    options, asked = case.run.model, case.number("final.data_cycles")
    factor = max((asked * SHARE / max(held, 0.5)) ** 2 if asked else 0.0, least)
    name, most = ("latent_channels", LARGEST_MAP) if options.latent == "map" else ("latent_dim", LARGEST)
    now, examples = getattr(options, name), sum(case.groups.get("train", {}).values())
    new = int(min(ceil(now * factor), most, examples or most))
    return {f"model.{name}": new} if new > now else {}


def _size(case: Case) -> str:
    options = case.run.model
    return f"{options.latent_channels} channels" if options.latent == "map" else f"{options.latent_dim} latents"


def lower_rate_cost(case: Case) -> Prescription | None:
    """Return a quarter of β: KL takes the details of small variance first. None where `beta_up` says the opposite."""
    found, option = objective.effective_beta(case), case.run.loss.beta
    if found is None or found.value < FULL or not isinstance(option, float) or case.number(CYCLES) is None:
        return None
    why = f"KL takes what varies less than √(β · error); effective β is {found.value:.2g}"
    return Prescription({"loss.beta": rounded(option / 4)}, CYCLES, "higher", 1, why, "samples fit the prior less")


def smaller(case: Case) -> Prescription | None:
    """Return a network of half the width, or half the hidden units."""
    options = case.run.model
    why = "a quarter of the weights has less to remember examples with"
    if case.kind == "tags":
        hidden = [max(16, size // 2) for size in options.hidden]
        return Prescription({"model.hidden": hidden}, *_less_by_heart(case), why)
    return Prescription({"model.width": max(4, options.width // 2)}, *_less_by_heart(case), why)


def noise(case: Case) -> Prescription | None:
    """Return noise on what the encoder sees: of tags some are hidden, images get noise or are mirrored."""
    if case.kind == "tags" and case.run.model.input_dropout == 0:
        changes: dict[str, object] = {"model.input_dropout": 0.5, "model.input_dropout_rate": "uniform"}
        return Prescription(changes, *_less_by_heart(case), "no row is seen twice in the same form")
    if case.kind != "tags" and not case.run.train.flip:
        return Prescription({"train.flip": True}, *_less_by_heart(case), "examples are mirrored at random")
    return None


def beta_up(case: Case) -> Prescription | None:
    """Return the weight of KL at which the ELBO is trained, where it is below."""
    found, option = objective.effective_beta(case), case.run.loss.beta
    if found is None or found.value >= FULL or found.value <= 0 or not isinstance(option, float):
        return None
    why = f"KL keeps posteriors from telling single examples apart; effective β is {found.value:.2g}"
    return Prescription({"loss.beta": rounded(option / found.value)}, *_less_by_heart(case), why)


def lower_gamma(case: Case) -> Prescription | None:
    """Return the cross-entropy in place of the focal loss, which shrinks what KL is weighed against."""
    terms = case.run.loss.terms
    if case.kind != "grid" or not terms.focal:
        return None
    changes = {"loss.terms.focal": 0, "loss.terms.cross_entropy": 1.0, "loss.beta": 0.1}
    found, usual = objective.effective_beta(case), KINDS["grid"].beta
    heavier = "" if found is None or found.value <= usual else f" (effective β {found.value:.2g}, {usual:g} is usual)"
    why = f"the focal loss shrinks with the errors, so that the same β weighs more{heavier} and rare colours go first"
    return Prescription(changes, *_foreground(case), why)


def class_weights(case: Case) -> Prescription | None:
    """Return weights of the colours by the root of how rare they are."""
    if case.kind != "grid" or case.run.loss.class_weights != "none":
        return None
    why = "the background is most of the cells; weighted, the other colours count as much"
    changes = {"loss.class_weights": "sqrt_inverse"}
    return Prescription(changes, *_foreground(case), why, "accuracy on the background falls")


def _foreground(case: Case) -> tuple[str, Direction, float]:
    """What should move: how many other cells are right, or how many of them training keeps right."""
    share, kept = signs.FOREGROUND(case), signs.FOREGROUND_KEPT(case)
    if kept is None or (share is not None and share.holds):
        return "foreground_share", "higher", 0.2
    return "foreground_kept", "higher", rounded((1 - kept.reading.value) / 2)


def drawn_tags(case: Case) -> Prescription | None:
    """Return tags that are drawn from their probabilities in place of those above a threshold."""
    if case.run.evaluate.tag_sampling != "threshold":
        return None
    why = "the threshold makes one row of all like probabilities"
    return Prescription({"evaluate.tag_sampling": "draw"}, "entropy_share", "higher", 0.25, why, later_only=True)


def own_threshold(case: Case) -> Prescription | None:
    """Return the threshold of the best F1 on val."""
    best = case.number("val.best_threshold")
    if best is None or best >= case.run.evaluate.threshold:
        return None
    why = f"{best:.2g} is the threshold of the best micro F1 on val"
    changes = {"evaluate.threshold": rounded(best)}
    return Prescription(changes, "predicted_share", "higher", 0.2, why, later_only=True)


def fewer_channels(case: Case) -> Prescription | None:
    """Return a quarter of the latents, so that a defect cannot pass."""
    options = case.run.model
    name, size = ("latent_channels", options.latent_channels) if options.latent == "map" else (
        "latent_dim", options.latent_dim)  # fmt: skip
    why = "what reconstructs everything reconstructs defects; with fewer latents only what is common passes"
    return Prescription({f"model.{name}": max(1, size // 8)}, "threshold.average_precision", "higher", 0.03, why)


def _less_by_heart(case: Case) -> tuple[str, Direction, float]:
    """The number by which a run over-fits, and how far it should fall: what val lost again, where that alone tells."""
    share, again = gain.overfit_share(case), optimisation.LOST_AGAIN(case)
    if again is not None and again.holds and not (share and share.value > case.run.diagnose.overfit_share):
        return "lost_again", "lower", rounded(again.reading.value / 2)
    return "overfit_share", "lower", rounded(max(share.value / 4, 0.1) if share else 0.15)
