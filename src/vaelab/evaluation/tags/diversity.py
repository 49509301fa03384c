"""How varied rows of tags are: measures of which combinations occur, and how often. Definitions: docs/metrics/tags.md.

n rows, m distinct combinations. A combination is all the tags of a row, as bytes.
"""

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np


def entropy(counts: np.ndarray) -> float:
    """Return the entropy of the empirical distribution, nats, from the rows of each combination [m], all above 0.

    In [0, ln n]. As an estimate for the source of the rows it is biased low, by about (m − 1) / 2n where combinations
    repeat, by far more where they do not (Miller 1955; Paninski 2003).
    """
    rows = counts.sum()
    return max(0.0, math.log(rows) - float((counts * np.log(counts)).sum() / rows))


def gini(counts: np.ndarray) -> float:
    """Return the Gini coefficient of the rows of each combination [m], in [0, 1 − 1/m]; 0 when all are equal.

    Σ_i Σ_j |c_i − c_j| / (2 m Σ c), both sums over all m combinations that occur. Source: Gini 1912.
    """
    m = len(counts)
    ranks = 2 * np.arange(1, m + 1) - m - 1  # of the sorted counts: how many are below each, less how many are above
    return float((ranks * np.sort(counts)).sum() / (m * counts.sum()))


def combination_metrics(rows: Sequence[bytes], seen: AbstractSet[bytes]) -> dict[str, float]:
    """Return the measures of the combinations of n rows; `seen`: the combinations of the training split."""
    found = Counter(rows)
    counts = np.array(list(found.values()))
    return {
        "pct_unique_combinations": 100 * len(found) / len(rows),
        "entropy": entropy(counts),
        "gini_coefficient": gini(counts),
        "novelty": sum(count for row, count in found.items() if row not in seen) / len(rows),
    }
