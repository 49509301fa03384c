"""Losses compare only where nothing that makes them differs; the text of a convention says what does."""

import pytest
from comparisons import FACTS, result
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st

from vaelab.comparison.conventions import ONLY_FOR, convention, differences, kind_of, labels, likelihood, scope
from vaelab.params.loss import Loss, Terms


def of(kind="grid", facts=None, model=None, **loss):
    found = result(kind=kind, facts=facts, blocks={"loss": loss, "model": model or {}})
    return convention(found.run, found.metrics)


def objective(*arguments, **options):
    return scope("loss", of(*arguments, **options))


FOCAL = {"terms": {"cross_entropy": 0.0, "focal": 1.0}}
GAUSS = {"kind": "image", "terms": {"gaussian": 1.0}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"beta": 2.0}),
        ({}, {"reduction": "mean"}),
        ({}, {"free_bits": 0.1}),
        ({}, {"capacity": 5.0}),
        ({}, {"terms": {"cross_entropy": 2.0}}),
        ({}, {"class_weights": "inverse"}),
        ({"class_weights": "effective"}, {"class_weights": "effective", "class_beta": 0.5}),
        (FOCAL, FOCAL | {"gamma": 1.0}),
        (GAUSS, GAUSS | {"sigma": 0.1}),
        (GAUSS, GAUSS | {"centre_weight": 3.0}),
        (GAUSS | {"centre_weight": 3.0}, GAUSS | {"centre_weight": 3.0, "centre_width": 1.0}),
        (GAUSS, GAUSS | {"ink_weight": 3.0}),
        (GAUSS, GAUSS | {"model": {"learned_sigma": True}}),
        ({"kind": "tags"}, {"kind": "tags", "pos_weight": "inverse"}),
        ({"beta": {"schedule": "linear", "epochs": 2}}, {"beta": {"schedule": "linear", "epochs": 3}}),
        ({"beta": {"schedule": "linear", "epochs": 1}}, {"beta": {"schedule": "cosine", "epochs": 1}}),
    ],
    ids=str,
)  # fmt: skip
def test_what_changes_the_objective_changes_its_scope(one, other):
    assert objective(**one) != objective(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"gamma": 1.0}),
        ({}, {"class_beta": 0.5}),
        ({}, {"sigma": 0.1}),
        ({}, {"perceptual_weights": "random"}),
        ({"class_weights": "inverse"}, {"class_weights": "inverse", "class_beta": 0.5}),
        (GAUSS, GAUSS | {"centre_width": 1.0}),
        (GAUSS, GAUSS | {"gamma": 1.0, "epsilon": 0.1, "class_weights": "inverse"}),
        (GAUSS | {"model": {"learned_sigma": True}}, GAUSS | {"model": {"learned_sigma": True}, "sigma": 0.1}),
        ({"kind": "tags"}, {"kind": "tags", "margin": 0.3, "max_pos_weight": 3.0}),
        ({"beta": 1.0}, {"beta": {"schedule": "constant", "end": 1.0}}),
        ({"model": {"width": 8}}, {"model": {"width": 16}}),
    ],
    ids=str,
)
def test_what_is_not_used_does_not(one, other):
    assert objective(**one) == objective(**other)


def test_every_option_of_the_loss_is_judged():
    """An option that the table does not know must count, so that a new one is never overlooked."""
    always = {"terms", "reduction", "beta", "free_bits", "capacity"}
    assert set(Loss.model_fields) == always | set(ONLY_FOR)
    assert set().union(*ONLY_FOR.values()) <= set(Terms.model_fields)


@pytest.mark.parametrize(("epoch", "other", "same"), [(2, 3, False), (5, 9, True), (3, 9, False), (2, 2, True)])
def test_while_a_schedule_moves_the_epoch_of_the_checkpoint_counts(epoch, other, same):
    beta = {"schedule": "linear", "start": 0.0, "end": 1.0, "delay": 1.0, "epochs": 4.0}
    one, two = (objective(beta=beta, facts=FACTS | {"best_epoch": best}) for best in (epoch, other))
    assert (one == two) is same


def test_a_cyclical_schedule_never_arrives():
    beta = {"schedule": "cyclical", "epochs": 2.0}
    assert objective(beta=beta, facts={"best_epoch": 40}) != objective(beta=beta, facts={"best_epoch": 41})


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [
        ("grid", {}, "categorical"),
        ("image", {}, "gaussian"),
        ("tags", {}, "bernoulli"),
        ("tags", {"output": "softmax"}, "multinomial"),
    ],
)
def test_each_kind_has_its_likelihood(kind, model, expected):
    found = result(kind=kind, blocks={"model": model})
    assert likelihood(found.run) == expected
    text = convention(found.run, found.metrics)
    assert kind_of(text) == kind
    assert scope("distortion", text) == scope("bce", text) == scope("negative_elbo", text) == expected


def test_errors_of_features_do_not_compare_with_those_of_pixels():
    seen = of("image", model={"name": "local", "latent": "map", "features": "imagenet"})
    assert kind_of(seen) == "image"
    for name in ("psnr", "mse", "sampled_psnr"):
        assert (scope(name, of("image")), scope(name, seen)) == ("", "imagenet s32a")
        assert labels(name, [of("image"), seen]) == {"imagenet s32a": "(imagenet s32a)"}
    assert scope("distortion", seen) != scope("distortion", of("image"))


@pytest.mark.parametrize("name", ["psnr", "macro_f1", "hamming_loss", "lrap", "rate", "entropy"])
def test_measures_of_the_data_compare_under_all_conventions(name):
    assert scope(name, of()) == scope(name, of(beta=3.0)) == scope(name, of("tags", model={"output": "softmax"})) == ""
    assert set(labels(name, [of(), of(beta=3.0)]).values()) <= {""}


def test_distances_of_features_compare_under_the_same_features():
    texts = []
    for layers, measured in ((["relu1_2"], 0.1), (["relu2_2"], 0.1), (["relu2_2"], None)):
        found = result(kind="image", blocks={"loss": {"perceptual_layers": layers}}, perceptual=measured)
        texts.append(convention(found.run, found.metrics))
    assert len({scope("perceptual", text) for text in texts}) == 3
    assert scope("perceptual", texts[2]) == ""
    assert len({scope("loss", text) for text in texts}) == 1  # the term is not in the objective
    assert list(labels("perceptual", texts).values()) == ["(a)", "(b)"]


def test_text_of_the_user_cannot_break_the_parts():
    hostile = {"terms": {"gaussian": 1.0, "perceptual": 1.0}, "perceptual_weights": "a | b; beta=9.safetensors"}
    text = of("image", **hostile)
    assert text.count(" | ") == 2
    assert differences([text, of("image", **hostile, beta=2.0)])[0] == ["beta"]


def test_letters_go_on_after_z():
    texts = [of(beta=float(number + 1)) for number in range(28)]
    assert [*labels("loss", texts).values()][::9] == ["(a)", "(j)", "(s)", "(ab)"]
    assert set(labels("loss", texts[:1] * 3).values()) == {""}


def test_what_differs_is_named():
    keys, said = differences([of(), of(beta=2.0, reduction="mean"), of()])
    assert keys == ["reduction", "beta"]
    assert list(said.values()) == ["reduction sum, beta 1", "reduction mean, beta 2"]


weights = st.floats(0, 10, allow_nan=False).map(lambda value: round(value, 3))


@steady
@given(beta=weights, other=weights, bits=weights, more=weights)
def test_conventions_are_equal_exactly_where_the_options_are(beta, other, bits, more):
    same = (beta, bits) == (other, more)
    assert (objective(beta=beta, free_bits=bits) == objective(beta=other, free_bits=more)) is same


def test_distances_of_two_networks_do_not_compare():
    found = [of("image", terms={"perceptual": 1.0}, perceptual_network=name)
             for name in ("vgg16", "efficientnet_lite0")]  # fmt: skip
    assert scope("loss", found[0]) != scope("loss", found[1])
    assert "perceptual_layers" in found[0]
    assert "perceptual_layers" not in found[1]
