import math

import pytest
import torch
from helpers import SIZE, grid_info, random_grids, random_images, random_tags, tag_info, terms_of, tiny_run, unit
from torch.nn import functional as F

from vaelab.data.format.info import image_info
from vaelab.models.vae import Inference
from vaelab.objective.grid_losses import cross_entropy, extent, focal
from vaelab.objective.kl import kl_per_dimension
from vaelab.objective.objective import ERRORS, LIKELIHOODS, OF_KIND, TERMS, Objective
from vaelab.params.loss import Terms

CLASSES, BATCH, LATENT = 4, 6, 3
RAMP = {"schedule": "linear", "start": 0.0, "end": 2.0, "epochs": 4}


def objective(**loss: object) -> Objective:
    return Objective(tiny_run(loss=loss).loss, grid_info(CLASSES))


@pytest.fixture
def x() -> torch.Tensor:
    return random_grids(BATCH, CLASSES)


@pytest.fixture
def given() -> Inference:
    generator = torch.Generator().manual_seed(0)
    mean, log_var = torch.randn(2, BATCH, LATENT, generator=generator)
    logits = torch.randn(BATCH, CLASSES, 8, 8, generator=generator, requires_grad=True)
    size = torch.randn(BATCH, 2, 8, generator=generator, requires_grad=True)
    return Inference(mean.requires_grad_(), log_var.requires_grad_(), mean, logits, size)


def image_objective(examples: int = 1, channels: int = 1, **loss: object) -> Objective:
    return Objective(tiny_run(kind="image", loss=loss).loss, image_info(channels, SIZE, ("left", "right")), examples)


@pytest.fixture
def image() -> torch.Tensor:
    return unit(random_images(BATCH))


@pytest.fixture
def drawn() -> Inference:
    """Of images, all of it leaves of the graph."""
    generator = torch.Generator().manual_seed(1)
    mean, log_var, z = torch.randn(3, BATCH, LATENT, generator=generator)
    y = torch.rand(BATCH, 1, SIZE, SIZE, generator=generator)
    return Inference(mean.requires_grad_(), log_var.requires_grad_(), z.requires_grad_(), y.requires_grad_())


def test_every_term_of_params_is_implemented():
    for kind in ("grid", "image", "tags"):
        named = set(terms_of(kind))
        assert named <= set(TERMS) | set(OF_KIND.get(kind, {}))
        assert set(OF_KIND.get(kind, {})) <= named
    assert set(TERMS).union(*OF_KIND.values()) == set(Terms.model_fields)
    assert set(LIKELIHOODS) | set(ERRORS) <= set(Terms.model_fields)


def test_total_is_the_weighted_sum_of_terms_and_beta_times_kl(x, given):
    parts = objective(terms={"cross_entropy": 0.5, "focal": 2.0, "extent": 3.0}, beta=0.25, class_weights="inverse")
    losses = parts(x, given, epoch=0)
    kl = kl_per_dimension(given.mean, given.log_var).sum(1)
    cells = [term(x, given, parts.context) for term in (cross_entropy, focal, extent)]
    torch.testing.assert_close(losses.total, 0.5 * cells[0] + 2.0 * cells[1] + 3.0 * cells[2] + 0.25 * kl)
    torch.testing.assert_close(losses.terms["kl"], kl)
    assert parts.weights_at(0) == {"cross_entropy": 0.5, "focal": 2.0, "extent": 3.0, "kl": 0.25}
    torch.testing.assert_close(losses.weighted["focal"], 2.0 * cells[1])
    assert losses.total.shape == (BATCH,)


def test_terms_without_weight_are_left_out(x, given):
    losses = objective(terms={"cross_entropy": 0.0, "focal": 1.0, "extent": 0.0})(x, given, epoch=0)
    assert set(losses.terms) == {"focal", "kl"}


def test_weights_follow_their_schedules(x, given):
    scheduled = objective(terms={"cross_entropy": 1.0, "extent": RAMP}, beta=RAMP)
    for epoch, weight in [(0, 0.0), (1, 0.5), (4, 2.0), (9, 2.0)]:
        losses = scheduled(x, given, epoch)
        assert scheduled.weights_at(epoch) == {"cross_entropy": 1.0, "extent": weight, "kl": weight}
        expected = losses.terms["cross_entropy"] + weight * (losses.terms["extent"] + losses.terms["kl"])
        torch.testing.assert_close(losses.total, expected)


def test_free_bits_and_capacity_change_the_total_and_not_the_reported_kl(x, given):
    kl = kl_per_dimension(given.mean, given.log_var)
    plain, free, aimed = (objective(beta=2.0, **options)(x, given, 0) for options in (
        {}, {"free_bits": 100.0}, {"capacity": 50.0},
    ))  # fmt: skip
    for losses in (plain, free, aimed):
        torch.testing.assert_close(losses.terms["kl"], kl.sum(1))
    rest = plain.total - 2 * kl.sum(1)
    torch.testing.assert_close(free.total - rest, torch.full((BATCH,), 2 * LATENT * 100.0))
    torch.testing.assert_close((aimed.total - rest).mean(), 2 * (kl.sum(1).mean() - 50).abs())


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"beta": 0.5}, 0.5),
        ({"beta": 0.5, "terms": {"cross_entropy": 2.0}}, 0.25),
        ({"beta": 0.5, "reduction": "mean"}, 0.5 * 64),
        ({"beta": 0.5, "reduction": "mean", "terms": {"cross_entropy": 2.0}}, 0.25 * 64),
        ({"beta": RAMP}, 2.0),
        ({"beta": 0.5, "terms": {"cross_entropy": 1.0, "focal": 1.0}}, 0.25),
        ({"beta": 0.5, "terms": {"cross_entropy": 0.0}}, float("inf")),
    ],
)
def test_effective_beta_is_per_summed_nat(loss, expected):
    assert objective(**loss).effective_beta(epoch=9) == expected


def test_effective_beta_is_what_a_ramp_has_reached():
    assert objective(beta=RAMP).effective_beta(epoch=1) == 0.5


def test_beta_of_the_mean_and_effective_beta_of_the_sum_have_the_same_minimum(given):
    x = torch.zeros(BATCH, 8, 8, dtype=torch.int64)  # grids of equal size: 64 cells, the mean of `grid_info`
    mean = objective(beta=0.5, reduction="mean", terms={"extent": 0.0})
    total = objective(beta=mean.effective_beta(epoch=1), terms={"extent": 0.0})
    torch.testing.assert_close(64 * mean(x, given, 0).total, total(x, given, 0).total)


PIXELS = 16 * 16


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"beta": 0.5, "terms": {"gaussian": 2.0}}, 0.25),
        ({"beta": 0.5, "terms": {"gaussian": 2.0}, "reduction": "mean"}, 0.25 * PIXELS),
        ({"beta": 0.5, "terms": {"gaussian": 0.0, "bce": 1.0}}, 0.5),
        ({"beta": 0.5, "terms": {"gaussian": 1.0, "laplace": 1.0, "ssim": 100.0, "mmd": 9.0}}, 0.25),
        ({"beta": RAMP, "terms": {"gaussian": RAMP}}, 1.0),
        ({"beta": 0.5, "terms": {"gaussian": 0.0, "ssim": 1.0}}, float("inf")),
        ({"beta": 0.5, "terms": {"gaussian": 0.0, "mse": 1.0}}, None),
        ({"beta": 0.5, "terms": {"gaussian": 1.0, "l1": 1.0}}, None),
        ({"beta": 0.5, "terms": {"gaussian": 1.0, "charbonnier": RAMP}}, None),
    ],
)
def test_effective_beta_of_images_is_known_beforehand_for_likelihoods_only(loss, expected):
    assert image_objective(**loss).effective_beta(epoch=9) == expected


@pytest.mark.parametrize(
    ("loss", "expected"),
    [  # mse 0.02, mae 0.1: a squared error counts 1 / (2 · 0.02) = 25 nats, an absolute one 1 / 0.1 = 10
        ({"beta": 0.5, "terms": {"mse": 1.0}}, 0.5 * 25),
        ({"beta": 0.5, "terms": {"mse": 4.0}}, 0.5 * 25 / 4),
        ({"beta": 0.5, "terms": {"mse": 4.0}, "reduction": "mean"}, 0.5 * 25 / 4 * PIXELS),
        ({"beta": 0.5, "terms": {"l1": 2.0}, "reduction": "mean"}, 0.5 * 10 / 2 * PIXELS),
        ({"beta": 0.5, "terms": {"charbonnier": 2.0}}, 0.5 * 10 / 2),
        ({"beta": 0.5, "terms": {"mse": 1.0, "l1": 1.0}}, 0.5 / (1 / 25 + 1 / 10)),
        (
            {"beta": 0.5, "terms": {"mse": 1.0, "ssim": 7.0, "edge": 3.0}},
            0.5 * 25,
        ),
        ({"beta": 0.5, "terms": {"gaussian": 2.0}, "reduction": "mean"}, 0.5 / 2 * PIXELS),
        ({"beta": 0.5, "terms": {"gaussian": 2.0, "l1": 5.0}}, 0.5 / (2 + 5 / 10)),
        ({"beta": RAMP, "terms": {"mse": RAMP}}, 25.0),
        ({"beta": 0.5, "terms": {"ssim": 1.0}}, float("inf")),
        ({"beta": 0.5, "terms": {"mse": {"schedule": "linear", "delay": 99.0}}}, float("inf")),
    ],
)
def test_effective_beta_of_errors_counts_them_in_nats(loss, expected):
    loss = loss | {"terms": {"gaussian": 0.0} | loss["terms"]}
    assert image_objective(**loss).effective_beta_of_errors(9, mse=0.02, mae=0.1) == pytest.approx(expected)


def test_effective_beta_of_no_error_is_finite():
    for term in ("mse", "l1"):
        terms = {"gaussian": 0.0, term: 1.0}
        assert 0 < image_objective(terms=terms).effective_beta_of_errors(1, 0.0, 0.0) < float("inf")


def gradients(objective: Objective, image: torch.Tensor, drawn: Inference) -> list[torch.Tensor]:
    loss = objective(image, drawn, 0).total.mean()
    return list(torch.autograd.grad(loss, (drawn.mean, drawn.log_var, drawn.reconstruction)))


@pytest.mark.parametrize(("term", "likelihood"), [("mse", "gaussian"), ("l1", "laplace")])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_errors_pull_like_the_likelihood_of_their_effective_beta(image, drawn, term, likelihood, reduction):
    """A squared error with beta and σ-VAE's likelihood with the effective beta have gradients in the same direction."""
    errors = (image - drawn.reconstruction).detach()
    aim = image_objective(terms={"gaussian": 0.0, term: 3.0}, beta=0.2, reduction=reduction)
    beta = aim.effective_beta_of_errors(0, float(errors.square().mean()), float(errors.abs().mean()))
    other = image_objective(terms={"gaussian": 0.0, likelihood: 1.0}, beta=beta)
    for found, expected in zip(gradients(aim, image, drawn), gradients(other, image, drawn), strict=True):
        torch.testing.assert_close(found * beta, expected * 0.2, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_implied_sigma_turns_squared_error_into_an_elbo(image, drawn, reduction):
    aim = image_objective(terms={"gaussian": 0.0, "mse": 3.0}, beta=0.2, reduction=reduction)
    sigma = aim.implied_sigma(epoch=0)
    assert sigma == pytest.approx((0.2 * (PIXELS if reduction == "mean" else 1) / (2 * 3.0)) ** 0.5)
    elbo = image_objective(terms={"gaussian": 1.0}, sigma=sigma)
    constant = PIXELS * math.log(sigma * math.sqrt(2 * math.pi))
    expected = 0.2 * (elbo(image, drawn, 0).total - constant)
    torch.testing.assert_close(aim(image, drawn, 0).total, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "loss", [{"terms": {"gaussian": 1.0}}, {"terms": {"mse": 1.0}, "beta": 0.0}, {"terms": {"l1": 1.0}}], ids=str
)
def test_there_is_no_implied_sigma_without_squared_error_and_kl(loss):
    loss = loss | {"terms": {"gaussian": 0.0} | loss["terms"]}
    assert image_objective(**loss).implied_sigma(epoch=0) is None


def test_the_implied_sigma_follows_the_schedules():
    ramped = image_objective(terms={"gaussian": 0.0, "mse": 1.0}, beta=RAMP)
    assert ramped.implied_sigma(epoch=1) == pytest.approx((0.5 / 2) ** 0.5)


def test_options_of_images_reach_the_terms(image, drawn):
    found = image_objective(
        examples=77, sigma=0.3, epsilon=0.01, focal_alpha=0.5, gamma=1.5, centre_weight=4.0, reduction="mean",
        terms={"gaussian": 1.0, "perceptual": 1.0}, perceptual_weights="random", perceptual_layers=["relu1_2"],
    ).context  # fmt: skip
    options = found.options
    assert (found.examples, options.sigma, options.epsilon, options.focal_alpha) == (77, 0.3, 0.01, 0.5)
    assert (options.gamma, options.reduction) == (1.5, "mean")
    assert found.class_weights is None
    assert float(found.pixel_weights.mean()) == pytest.approx(1)
    assert found.pixel_weights[8, 8] > found.pixel_weights[0, 0]
    assert list(found.features) == ["perceptual"]
    plain = image_objective().context
    assert (plain.options.sigma, plain.pixel_weights, dict(plain.features)) == ("optimal", None, {})


@pytest.mark.parametrize("term", [name for name in terms_of("image") if name != "dino"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_term_of_images_gives_one_finite_value_per_image(term, channels):
    aim = image_objective(
        examples=20, channels=channels, terms={"gaussian": 0.0, term: 2.0}, perceptual_weights="random",
        perceptual_layers=["relu1_2"],
    )  # fmt: skip
    x, y = (unit(random_images(BATCH, channels, seed=seed)) for seed in (0, 1))
    mean, log_var, z = torch.randn(3, BATCH, LATENT, generator=torch.Generator().manual_seed(0))
    y, z = y.requires_grad_(), z.requires_grad_()
    losses = aim(x, Inference(mean, log_var, z, y), 0)
    assert losses.terms[term].shape == losses.total.shape == (BATCH,)
    assert losses.terms[term].isfinite().all()
    torch.testing.assert_close(losses.weighted[term], 2 * losses.terms[term])
    losses.total.mean().backward()
    moved = z if term in ("mmd", "total_correlation") else y
    assert moved.grad.isfinite().all()
    assert moved.grad.abs().sum() > 0


def test_gradient_reaches_all_that_the_model_says(x, given):
    objective()(x, given, 0).total.mean().backward()
    for tensor in (given.mean, given.log_var, given.reconstruction, given.extent):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0
    outside = (x == CLASSES).unsqueeze(1).expand_as(given.reconstruction)
    assert (given.reconstruction.grad[outside] == 0).all()


TAGS = random_tags(40, tags=7)


def tag_objective(examples: int = 1, **loss: object) -> Objective:
    return Objective(tiny_run(kind="tags", loss=loss).loss, tag_info(TAGS), examples)


@pytest.fixture
def said() -> Inference:
    """Of six rows of tags, all of it leaves of the graph."""
    generator = torch.Generator().manual_seed(2)
    mean, log_var, z = torch.randn(3, BATCH, LATENT, generator=generator)
    logits = torch.randn(BATCH, 7, generator=generator)
    return Inference(mean.requires_grad_(), log_var.requires_grad_(), z.requires_grad_(), logits.requires_grad_())


def test_tags_have_terms_of_their_own_under_shared_names(said):
    x = TAGS[:BATCH].float()
    losses = tag_objective(terms={"bce": 1.0, "focal": 1.0}, gamma=0.0)(x, said, 0)
    expected = F.binary_cross_entropy_with_logits(said.reconstruction, x, reduction="none").sum(1)
    torch.testing.assert_close(losses.terms["bce"], expected)
    torch.testing.assert_close(losses.terms["focal"], expected)


TAG_TERMS = terms_of("tags")


@pytest.mark.parametrize("term", TAG_TERMS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_every_term_of_tags_gives_one_finite_value_per_row(said, term, reduction):
    aim = tag_objective(examples=40, terms={"bce": 0.0, term: 2.0}, pos_weight="inverse", reduction=reduction)
    losses = aim(TAGS[:BATCH].float(), said, 0)
    assert losses.terms[term].shape == losses.total.shape == (BATCH,)
    assert losses.terms[term].isfinite().all()
    torch.testing.assert_close(losses.weighted[term], 2 * losses.terms[term])
    losses.total.mean().backward()
    moved = said.z if term in ("mmd", "total_correlation") else said.reconstruction
    assert moved.grad.isfinite().all()
    assert moved.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"beta": 0.5}, 0.5),
        ({"beta": 0.5, "reduction": "mean"}, 0.5 * 7),
        ({"beta": 0.5, "terms": {"bce": 2.0}}, 0.25),
        ({"beta": 0.5, "terms": {"bce": 1.0, "asymmetric": 3.0}}, 0.125),
        ({"beta": 0.5, "terms": {"bce": 0.0, "focal": 2.0}}, 0.25),
        ({"beta": 0.5, "terms": {"bce": 0.0, "multinomial": 2.0}, "reduction": "mean"}, 0.25 * 7),
        ({"beta": 0.5, "terms": {"bce": 1.0, "total_correlation": 3.0, "mmd": 4.0}}, 0.5),
        ({"beta": 0.5, "terms": {"bce": 0.0, "mmd": 1.0}}, float("inf")),
        ({"beta": RAMP, "terms": {"bce": RAMP}}, 1.0),
    ],
)
def test_effective_beta_of_tags(loss, expected):
    assert tag_objective(**loss).effective_beta(epoch=9) == expected
    assert tag_objective(**loss).effective_beta_of_errors(9, mse=0.02, mae=0.1) == expected


@pytest.mark.parametrize("term", ["bce", "focal", "asymmetric", "multinomial"])
def test_beta_of_the_mean_over_tags_and_effective_beta_of_the_sum_have_the_same_minimum(said, term):
    x, terms = TAGS[:BATCH].float(), {"bce": 0.0, term: 1.0}
    mean = tag_objective(beta=0.5, reduction="mean", terms=terms)
    total = tag_objective(beta=mean.effective_beta(epoch=1), terms=terms)
    torch.testing.assert_close(7 * mean(x, said, 0).total, total(x, said, 0).total)


def test_options_of_tags_reach_the_terms():
    found = tag_objective(
        pos_weight="inverse", max_pos_weight=1.5, gamma=1.0, gamma_positive=0.5, gamma_negative=3.0, margin=0.2,
        reduction="mean", centre_weight=4.0,
    ).context  # fmt: skip
    options = found.options
    assert (options.gamma, options.gamma_positive, options.gamma_negative, options.margin) == (1.0, 0.5, 3.0, 0.2)
    assert options.reduction == "mean"
    assert found.pos_weight.shape == (7,)
    assert found.pos_weight.max() == 1.5
    assert found.pixel_weights is None
    for other in (tag_objective(), objective(pos_weight="inverse"), image_objective(pos_weight="inverse")):
        assert other.context.pos_weight is None
