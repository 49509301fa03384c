"""Generated rows of tags against data: what they hold, how varied they are, which tags go together in them.

n rows, D tags. The rows of a phase are shuffled and cut into two halves of n rows each, A and B. Everything is measured
against A: samples of a model, half B (prefix `real_`: the best that one can expect of n rows), and rows of independent
tags (nested, `sample_floors`). All have the same n, since unique share, entropy and every distance depend on it.
Definitions: docs/metrics/tags.md.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.data.format.shards import Shard
from vaelab.evaluation.tags import cooccurrence, diversity
from vaelab.metrics.nested import HELD_OUT, SAMPLE_FLOORS
from vaelab.params.blocks import Evaluate

INDEPENDENT = "independent"  # name of the baseline
LEAST = 10  # rows; of fewer, nothing is said
ROWS = 1024  # of independent tags that are drawn at a time; another number is another draw
SETS = ("samples", "held_out", INDEPENDENT)  # that are measured, in this order
NAMES = (
    "sample_tags", "pct_unique_combinations", "entropy", "gini_coefficient", "novelty", "tag_frequency_error",
    *cooccurrence.NAMES,
)  # fmt: skip


def combinations(x: Tensor) -> list[bytes]:
    """Return each row's tags as bytes, eight tags in one, which a set can hold; x uint8 [n, D] of 0 and 1."""
    packed = np.packbits(x.cpu().numpy(), axis=1)
    width, joined = packed.shape[1], packed.tobytes()
    return [joined[start : start + width] for start in range(0, len(joined), width)]


def frequencies(x: Tensor) -> Tensor:
    """Return the share of the rows that have each tag, float64 [D]; x uint8 [n, D] of 0 and 1."""
    return x.sum(0, dtype=torch.int32).double() / len(x)


def independent(frequency: Tensor, rows: int, seed: int) -> Tensor:
    """Return rows uint8 [rows, D] in which each tag is drawn on its own with its frequency [D]."""
    source = generator(seed, 0, stream=22)
    sizes = [min(ROWS, rows - start) for start in range(0, rows, ROWS)]
    chance = frequency.float()
    return torch.cat([(torch.rand((n, len(chance)), generator=source) < chance).byte() for n in sizes])


class Reference(NamedTuple):
    """What is kept of the half that everything is measured against."""

    frequency: Tensor  # [D]
    tags: Tensor  # whose co-occurrences are measured, [K]
    counts: cooccurrence.Counts  # of them

    @classmethod
    def of(cls, x: Tensor, most_tags: int) -> "Reference":
        """Return it for rows [n, D]."""
        frequency = frequencies(x)
        tags = cooccurrence.most_frequent(frequency, most_tags)
        return cls(frequency, tags, cooccurrence.count(x, tags))


def row_metrics(x: Tensor, reference: Reference, seen: AbstractSet[bytes], smoothing: float) -> dict[str, float]:
    """Return the measures NAMES of rows uint8 [n, D]; `seen`: the combinations of the training split."""
    frequency = frequencies(x)
    return {
        "sample_tags": float(frequency.sum()),
        **diversity.combination_metrics(combinations(x), seen),
        "tag_frequency_error": float((frequency - reference.frequency).abs().mean()),
        **cooccurrence.compare(reference.counts, cooccurrence.count(x, reference.tags), smoothing),
    }


def sample_metrics(
    sample: Callable[[int], Tensor], data: Shard, seen: AbstractSet[bytes], options: Evaluate
) -> dict[str, Any]:
    """Return the measures of samples, of held-out data and of independent tags, all against one half of the data.

    Args:
        sample: gives so many rows of a model, uint8 [n, D] of 0 and 1.
        data: rows of the phase, uint8 [N, D] of 0 and 1; n = min(options.tag_samples, N // 2).
        seen: combinations of the training split.
        options: of the measures.

    NaN throughout where n is below LEAST.
    """
    n = min(options.tag_samples, len(data) // 2)
    if n < LEAST:
        return _together(math.nan, math.nan, dict.fromkeys(SETS, dict.fromkeys(NAMES, math.nan)))
    order = torch.randperm(len(data), generator=generator(options.seed, 0, stream=21))
    reference = Reference.of(data[order[:n]].cpu(), options.cooccurrence_tags)
    compared = zip(SETS, _compared(sample, data[order[n : 2 * n]].cpu(), options.seed), strict=True)
    found = {name: row_metrics(rows, reference, seen, options.smoothing) for name, rows in compared}
    return _together(n, math.log(n), found)


def _together(n: float, ceiling: float, found: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    samples, held_out, independent_tags = (found[name] for name in SETS)
    return {
        "generated_samples": n,
        "entropy_ceiling": ceiling,
        **samples,
        **{f"{HELD_OUT}{name}": value for name, value in held_out.items()},
        SAMPLE_FLOORS: {INDEPENDENT: dict(independent_tags)},
    }


def _compared(sample: Callable[[int], Tensor], held_out: Tensor, seed: int) -> Iterator[Tensor]:
    """Yield what is measured, one set at a time, in the order of SETS.

    Independent tags take their frequencies from half B. With A's own they would know what they are measured against,
    and err less in the frequencies than B itself does.
    """
    n = len(held_out)
    yield sample(n).cpu()
    yield held_out
    yield independent(frequencies(held_out), n, seed)
