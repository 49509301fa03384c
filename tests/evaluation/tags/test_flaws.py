"""Definitions in common use that fail on rows of tags, by measured numbers: `python -m pytest -n 0 -s` prints them.

The rows are generated topics and, where VAELAB_REALDATA is set, two public data sets. Tables: docs/metrics/practice.md.
"""

import math
from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch
from helpers import tag_info
from known_tags import TOPICS, generated_rows, real_rows, realdata
from sklearn.metrics import label_ranking_average_precision_score
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import generator
from vaelab.evaluation.latent import information
from vaelab.evaluation.tags import cooccurrence, diversity, generation
from vaelab.metrics.nested import SAMPLE_FLOORS
from vaelab.models.tags.mlp import build_mlp_tags
from vaelab.models.vae import sampled
from vaelab.objective.kl import kl_per_dimension
from vaelab.params.blocks import Evaluate, Model
from vaelab.params.datasets import Tags

TMC, DELICIOUS = (pytest.param(name, marks=realdata) for name in ("tmc2007", "delicious"))
BATCH = 64


class Data(NamedTuple):
    name: str
    x: Tensor


@cache
def rows_of(name):
    settings = {"topics": TOPICS, "tags": Tags(source="tags")}
    return generated_rows(16_000, 0, settings[name]) if name in settings else real_rows(name)


@pytest.fixture
def data(request):
    return Data(request.param, rows_of(request.param))


def on(*names):
    return pytest.mark.parametrize("data", names, indirect=True)


def entropy(x):
    return diversity.combination_metrics(generation.combinations(x), frozenset())["entropy"]


def entropy_of_batches(x, batch):
    return float(np.mean([entropy(part) for part in x[: len(x) // batch * batch].split(batch)]))


@on("topics", "tags", TMC, DELICIOUS)
def test_entropy_within_batches_cannot_exceed_the_log_of_the_batch(data):
    x = data.x[:16_000]
    few = x[torch.randint(300, (len(x),), generator=generator(0, 0))]  # a generator that has 300 rows and no others
    found = {batch: entropy_of_batches(x, batch) for batch in (32, 64, 256)}
    print(f"\n{data.name}: entropy of {len(x)} rows {entropy(x):.2f}; of 300 of them over and over {entropy(few):.2f}")
    for batch, value in found.items():
        repeated = entropy_of_batches(few, batch)
        print(f"  within batches of {batch}: {value:.2f} and {repeated:.2f}; ln {batch} = {math.log(batch):.2f}")
        assert value <= math.log(batch) + 1e-9
    assert found[32] < found[64] < found[256] < entropy(x)
    assert found[BATCH] - entropy_of_batches(few, BATCH) < 0.4 * (entropy(x) - entropy(few))


@on("topics", "tags", TMC, DELICIOUS)
def test_gini_is_best_for_a_generator_of_one_row(data):
    x = data.x[:8000]
    noise = (torch.rand(len(x), 128, generator=generator(0, 0)) < 0.5).byte()
    sets = {"the data": x, "one row over and over": x[:1].expand(len(x), -1), "noise, all unique": noise}
    found = {}
    print()
    for title, rows in sets.items():
        measured = diversity.combination_metrics(generation.combinations(rows), frozenset())
        found[title] = measured["gini_coefficient"]
        print(f"{data.name}, {title}: Gini {found[title]:.3f}, unique {measured['pct_unique_combinations']:.2f} %")
    assert found["one row over and over"] == found["noise, all unique"] == 0 <= found["the data"]


@on("topics", "tags", TMC, DELICIOUS)
def test_entropy_is_highest_and_the_diagonal_hardly_lower_without_any_structure(data):
    train, test = data.x.split([len(data.x) * 4 // 5, len(data.x) - len(data.x) * 4 // 5])
    seen = frozenset(generation.combinations(train))
    runs = [generation.sample_metrics(lambda n: train[:n], test, seen, Evaluate(seed=seed)) for seed in range(8)]
    print(f"\n{data.name}, {runs[0]['generated_samples']} rows, entropy at most {runs[0]['entropy_ceiling']:.3f}")
    real, independent = {}, {}
    for name in generation.NAMES:
        of_real = [run[f"real_{name}"] for run in runs]
        of_independent = [run[SAMPLE_FLOORS]["independent"][name] for run in runs]
        real[name], independent[name] = np.mean(of_real), np.mean(of_independent)
        print(f"  {name}, held-out data {real[name]:.4f} ± {np.std(of_real, ddof=1):.4f}")
        print(f"  {name}, independent tags {independent[name]:.4f} ± {np.std(of_independent, ddof=1):.4f}")
    assert independent["entropy"] > real["entropy"]
    for name in ("cosine_similarity", "cosine_similarity_off_diagonal", "pearson"):
        assert independent[name] < real[name] - 0.01
    assert independent["cosine_similarity"] > independent["cosine_similarity_off_diagonal"] + 0.01


def divergence(pair, other, epsilon):
    """As in common use: both normalised, ε added, KL(data ‖ other); and what the pairs that the other lacks add."""
    p, q = (counts / counts.sum() + epsilon for counts in (pair, other))
    p, q = p / p.sum(), q / q.sum()
    terms = p * np.log(p / q)
    return terms.sum(), terms[other == 0].sum() / terms.sum()


@on("topics", "tags", TMC, DELICIOUS)
def test_a_tiny_constant_makes_the_divergence_one_of_pairs_that_happen_to_be_missing(data):
    n = 1600
    a, b = data.x[:n], data.x[n : 2 * n]
    frequency = generation.frequencies(b)
    sets = {
        "other half": b,
        "other half, tags below 2 % left out": b * (frequency >= 0.02),
        "independent tags": generation.independent(frequency, n, 0),
    }
    reference = generation.Reference.of(a, 1000)
    found = {title: divergences(reference, rows) for title, rows in sets.items()}
    print(f"\n{data.name}, {n} rows each: {100 * (reference.counts.pair == 0).mean():.0f} % of the pairs never occur")
    for title, values in found.items():
        print(f"  {title}: " + ", ".join(f"{name} {value:.3f}" for name, value in values.items()))
    half, _, trivial = found.values()
    assert half["ε = 1e-10"] > 1.4 * half["ε = 1e-6"]
    assert half["share of absent pairs"] > 0.5
    assert trivial["ε = 1e-10"] / half["ε = 1e-10"] < trivial["half a count"] / half["half a count"]


def divergences(reference, rows):
    """KL(data ‖ rows) with constants of two sizes, and what the pairs add that the rows lack; the measures instead."""
    counts = cooccurrence.count(rows, reference.tags)
    (tiny, share), (small, _) = (divergence(reference.counts.pair, counts.pair, e) for e in (1e-10, 1e-6))
    found = cooccurrence.compare(reference.counts, counts, 0.5)
    return {
        "ε = 1e-10": tiny,
        "share of absent pairs": share,
        "ε = 1e-6": small,
        "half a count": found.pop("kl_divergence"),
        **found,
    }


@on("topics", "tags", TMC, DELICIOUS)
def test_the_divergence_falls_with_the_number_of_rows(data):
    print()
    halves, trivial = [], []
    for n in (400, 800, 1600, 4000, len(data.x) // 2):
        reference, b = generation.Reference.of(data.x[:n], 1000), data.x[n : 2 * n]
        half = divergences(reference, b)
        independent = divergences(reference, generation.independent(generation.frequencies(b), n, 0))
        halves.append(half["ε = 1e-10"])
        trivial.append(independent["ε = 1e-10"])
        print(
            f"{data.name}, {n} rows: other half, independent tags: ε = 1e-10 {halves[-1]:.3f}, {trivial[-1]:.3f}; "
            f"half a count {half['half a count']:.3f}, {independent['half a count']:.3f}"
        )
    assert halves == sorted(halves, reverse=True)
    assert halves[0] > 4 * halves[-1]
    assert trivial[0] > trivial[-1]


@on("topics", "tags", TMC, DELICIOUS)
def test_a_loss_that_is_summed_over_the_batch_depends_on_its_size(data):
    x = data.x[:8010].float()
    logits = x.mean(0).clamp(1e-4, 1 - 1e-4).logit().expand_as(x)  # one fixed prediction: the frequencies
    rows = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    found = {batch: float(torch.stack([part.sum() for part in rows.split(batch)]).mean()) for batch in (32, 64, 256)}
    sums = ", ".join(f"{value:.0f} at {batch}" for batch, value in found.items())
    print(f"\n{data.name}: cross-entropy per row {rows.mean():.2f}; summed over batches, then averaged: {sums}")
    assert found[256] / found[32] == pytest.approx(8, rel=0.05)
    assert found[256] / found[32] != pytest.approx(8, rel=1e-4)  # and the last, smaller batch counts as a whole one


@cache
@torch.enable_grad()
def trained(name, beta, latent_dim=32, steps=200):
    """Return a small VAE after so many steps of AdamW on all rows but the first 1000."""
    x = rows_of(name)[1000:]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_mlp_tags(Model(latent_dim=latent_dim, hidden=(128,), norm="none"), tag_info(x))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(steps):
        source = generator(0, step)
        batch = x[torch.randint(len(x), (128,), generator=source)].float()
        found = model(batch, torch.randn((128, latent_dim), generator=source))
        bce = F.binary_cross_entropy_with_logits(found.reconstruction, batch, reduction="sum")
        loss = (bce + beta * kl_per_dimension(found.mean, found.log_var).sum()) / len(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def posterior(name, beta):
    return trained(name, beta).encode(rows_of(name)[:1000].float())


@on("tags", TMC)
def test_a_standard_deviation_above_zero_calls_every_unit_active(data):
    print()
    for beta in (0.5, 20.0):
        mean, log_var = posterior(data.name, beta)
        above, active = (int(information.active_units(mean, limit).sum()) for limit in (0, 0.01))
        rate = float(kl_per_dimension(mean, log_var).sum(1).mean())
        print(f"{data.name}, β = {beta:g}: std above 0: {above} of 32, variance above 0.01: {active}; rate {rate:.3f}")
        assert above == 32
    assert rate < 0.1  # collapsed
    assert active == 0


@torch.no_grad()
def lrap(data, z):
    scores = trained(data.name, 0.5).decode(z).reconstruction
    return label_ranking_average_precision_score(data.x[:1000].numpy(), scores.numpy())


@on("tags", TMC)
def test_sampled_latents_make_every_number_worse_and_a_draw(data):
    print()
    mean, log_var = posterior(data.name, 0.5)
    noises = [torch.randn(mean.shape, generator=generator(seed, 0)) for seed in range(5)]
    exact, *drawn = (lrap(data, sampled(mean, log_var, noise)) for noise in (None, *noises))
    spread = f"{np.mean(drawn):.3f}, from {min(drawn):.3f} to {max(drawn):.3f}"
    print(f"{data.name}, β = 0.5: LRAP {exact:.3f} at the posterior mean; sampled, five draws: {spread}")
    assert max(drawn) < exact - 0.01
    assert np.ptp(drawn) > 0


@on("topics", "tags", TMC, DELICIOUS)
def test_entropy_of_few_rows_is_low_and_its_ceiling_is_their_number(data):
    print()
    found = {}
    for n in (500, 2000, 8000):
        counts = np.array(list(Counter(generation.combinations(data.x[:n])).values()))
        found[n] = diversity.entropy(counts)
        print(f"{data.name}, {n} rows: entropy {found[n]:.3f}, ceiling {math.log(n):.3f}, unique {len(counts) / n:.1%}")
    assert found[500] < found[2000] < found[8000]
