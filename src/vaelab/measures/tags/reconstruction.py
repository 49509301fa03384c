"""Measures of reconstructed tags. Definitions: docs/metrics/tags.md.

B batch, D tags, T tags of the row that has most. x is float [B, D] of 0 and 1. The probability of a tag is the sigmoid
of its logit; it is predicted from a threshold t on where logit ≥ log t / (1 − t), which is the same without rounding.
Sums are in float32: exact up to 2^24 rows.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

THRESHOLDS = tuple(number / 100 for number in range(1, 100))  # among which the best one is looked for
AT_THRESHOLD = ("hamming_loss", "jaccard_index", "jaccard_micro", "f1_micro", "f1_macro", "exact_match")


def logit(probability: float) -> float:
    """Return log p / (1 − p)."""
    return math.log(probability / (1 - probability))


def predicted(x: Tensor, logits: Tensor, threshold: float) -> Tensor:
    """Return 1 where a tag is predicted and 0 elsewhere, like x [B, D]."""
    found = torch.empty_like(x)
    torch.ge(logits, logit(threshold), out=found)  # a sixth of the time of comparing and converting
    return found


def counts(x: Tensor, found: Tensor) -> Tensor:
    """Return of each tag how often it is predicted and there, predicted, and there [3, D]."""
    return torch.stack([(x * found).sum(0), found.sum(0), x.sum(0)])


def pooled(tags: Tensor, rows: float) -> dict[str, float]:
    """Return the measures that `counts` [3, D] of so many rows yield.

    Nothing predicted where nothing is there is right: f1_micro and jaccard_micro are 1 then. A tag of which neither
    occurs does not count in f1_macro.
    """
    tags = tags.double().cpu()
    hits, found, there = tags.sum(1).tolist()
    return {
        "hamming_loss": (found + there - 2 * hits) / (rows * tags.shape[1]),
        "jaccard_micro": hits / (found + there - hits) if found + there else 1.0,
        "f1_micro": 2 * hits / (found + there) if found + there else 1.0,
        "f1_macro": float((2 * tags[0] / (tags[1] + tags[2])).nanmean()),
        "predicted_tags": found / rows,
        "true_tags": there / rows,
    }


def of_rows(x: Tensor, found: Tensor) -> dict[str, Tensor]:
    """Return the measures of each row at a threshold, each [B]; the Jaccard index of nothing and nothing is 1."""
    hits, guesses, there = (x * found).sum(1), found.sum(1), x.sum(1)
    wrong = guesses + there - 2 * hits
    return {
        "hamming_loss": wrong / x.shape[1],
        "jaccard_index": torch.where(wrong == 0, 1, hits / (hits + wrong)),
        "exact_match": (wrong == 0).to(x.dtype),
        "predicted_tags": guesses,
        "true_tags": there,
    }


def ranking(x: Tensor, scores: Tensor, ks: Sequence[int]) -> dict[str, Tensor]:
    """Return lrap, recall_at_<k> and ndcg_at_<k> of each row, each [B] in float64.

    A tag's rank for lrap is the last one of all tags with its score; the other two are means over all orders of tags
    with equal scores, so that the order of the columns never matters. k is D at most. Rows without tags have lrap 1
    and neither recall nor NDCG: NaN.
    Source: Tsoumakas et al. 2010 (lrap); Järvelin & Kekäläinen 2002, McSherry & Najork 2008 (NDCG and ties).
    """
    width = x.shape[1]
    there = x.sum(1, keepdim=True)
    most = max(1, int(there.max()))
    mine = ascending(scores.masked_fill(x == 0, -torch.inf))[:, width - most :].contiguous()  # [B, T], −∞ in front
    is_tag = torch.arange(most, device=x.device) >= most - there
    everything = ascending(scores)
    last = width - torch.searchsorted(everything, mine)  # of the ranks 1 ... D that a tag's score may have
    before = width - torch.searchsorted(everything, mine, right=True)
    right = most - torch.searchsorted(mine, mine)  # tags of the row with this score or more
    there = there[:, 0].double()
    precision = torch.where(is_tag, right.double() / last, 0).sum(1)
    found = {"lrap": torch.where(there == 0, 1, precision / there)}
    discount = 1 / torch.arange(2, width + 2, dtype=torch.float64, device=x.device).log2()
    for name, gain in {"recall": torch.ones_like(discount), "ndcg": discount}.items():
        reached = F.pad(gain.cumsum(0), (1, 0))
        for k in ks:
            upto = reached[torch.arange(width + 1, device=x.device).clamp_max(k)]
            mean_gain = (upto[last] - upto[before]) / (last - before)
            found[f"{name}_at_{k}"] = torch.where(is_tag, mean_gain, 0).sum(1) / upto[there.long()]  # 0 / 0: NaN
    return found


def ascending(values: Tensor) -> Tensor:
    """Return rows [B, D] sorted, smallest first."""
    if values.device.type == "cpu":  # forty times as fast as torch, which returns the order too
        return torch.from_numpy(np.sort(values.detach().contiguous().numpy(), axis=1))
    return values.sort(1).values


def curve(x: Tensor, logits: Tensor) -> Tensor:
    """Return tags predicted and there, predicted, and there, at each of THRESHOLDS, int64 [3, 99]."""
    at = torch.tensor([logit(t) for t in THRESHOLDS], dtype=logits.dtype, device=x.device).repeat(len(x), 1)
    sets = (logits.masked_fill(x == 0, -torch.inf), logits)
    hits, found = (x.shape[1] - torch.searchsorted(ascending(values), at) for values in sets)
    return torch.stack([hits.sum(0), found.sum(0), x.sum().long().expand(len(THRESHOLDS))])


def best_threshold(at: Tensor) -> float:
    """Return which of THRESHOLDS has the highest micro F1 on a `curve` [3, 99]; of equal ones that nearest to 0.5."""
    hits, found, there = at.double().cpu()
    f1 = (2 * hits / (found + there)).nan_to_num(1.0)
    best = [threshold for threshold, value in zip(THRESHOLDS, f1, strict=True) if value == f1.max()]
    return min(best, key=lambda threshold: (abs(threshold - 0.5), threshold))
