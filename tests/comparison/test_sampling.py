"""Whether a run can be sampled from, and why not."""

import pytest
from comparisons import result

from vaelab.comparison.sampling import can_be_sampled, sampling

FINE = {"sample_precision": 0.7, "real_precision": 0.8, "sample_recall": 0.6, "real_recall": 0.8}


def said(blocks=None, facts=None, **numbers):
    return " ".join(sampling([result("a", "image", blocks=blocks, facts=facts, **FINE | numbers)], "text"))


def test_samples_like_the_data_are_samples():
    assert said() == "- a can be sampled: precision 0.700, held-out data 0.800; recall 0.600, held-out data 0.800."


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"sample_precision": 0.0, "facts": {"effective_beta_measured": 0.01}}, "look like none of the data"),
        ({"sample_recall": 0.02}, "cover hardly any of the data"),
        ({"sample_precision": 0.0, "facts": {"effective_beta_measured": 0.01}}, "it is an autoencoder with 10 nats"),
        ({"sample_precision": 0.0, "blocks": {"model": {"latent": "map"}}}, "the prior draws each for itself"),
        ({"sample_precision": 0.0, "facts": {"bypass": True}}, "Skips carry the picture past the latents"),
        ({"sample_precision": 0.0}, "do not fill the prior"),
    ],
)
def test_a_run_that_cannot_be_sampled_is_told_so_with_the_reason(case, expected):
    told = said(**case)
    assert told.startswith("- a cannot be sampled: ")
    assert expected in told
    assert "It serves for reconstructions and codes." in told


def test_of_features_there_are_no_samples_and_of_what_was_not_measured_nothing_is_said():
    assert "which are no pictures" in said({"model": {"features": "imagenet", "name": "local", "latent": "map"}})
    plain = result("a", "tags")
    assert can_be_sampled(plain) is None
    assert sampling([plain], "text") == []
