"""Completion of rows of tags: a share of each row's tags is hidden, and ranked from the rest of the row.

The protocol of the field (Liang et al. 2018, section 4.3). Definitions: docs/metrics/tags.md. B batch, N rows, D tags.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, generator
from vaelab.measures.columns import Columns
from vaelab.measures.tags.batch import lengths
from vaelab.measures.tags.reconstruction import ranking
from vaelab.params.blocks import Evaluate

ROWS = 1024  # whose hidden tags are drawn at a time; another number is another draw
LEAST_TAGS = 2  # of a row: one to see and one to hide
NAMED, GAIN = "completion_", "completion_gain_over_ease"  # names of these measures

Score = Callable[[Tensor], Tensor]  # from the tags that are seen [B, D] to scores that rank all tags [B, D]


def hidden_tags(x: Tensor, share: float, source: torch.Generator) -> Tensor:
    """Return which tags of x [B, D] are hidden, at random, like x: that share of each row's, one at least, never all.

    Rows of fewer than LEAST_TAGS tags have none hidden.
    """
    there = x.sum(1)
    count = (share * there).round().clamp_min(1).minimum(there - 1).clamp_min(0).long()
    noise = torch.rand(x.shape, generator=source).to(x.device).masked_fill(x == 0, 2.0)
    most = min(x.shape[1], max(1, int(count.max())))
    first = noise.topk(most, dim=1, largest=False).indices
    chosen = (torch.arange(most, device=x.device) < count.unsqueeze(1)).to(x.dtype)
    return torch.zeros_like(x).scatter_(1, first, chosen)


def masked(split: DeviceSplit, options: Evaluate, mask: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the tags that are seen and those that are hidden, each [B, D], of all rows in their order.

    A function of the seed, the number of the mask and the rows, whichever method is measured.
    """
    source = generator(options.seed, mask, stream=25)
    for batch in split.in_order(ROWS):
        hidden = hidden_tags(batch.x, options.completion_share, source)
        yield batch.x - hidden, hidden


def ranked(score: Score, seen: Tensor, hidden: Tensor, ks: Sequence[int]) -> dict[str, Tensor]:
    """Return recall_at_<k> and ndcg_at_<k> of hidden tags among all that are not seen, each [B]; NaN without any."""
    scores = score(seen).masked_fill(seen > 0, -torch.inf)
    measures = ranking(hidden, scores, ks)
    return {NAMED + name: values for name, values in measures.items() if name != "lrap"}


@torch.no_grad()
def completion(
    methods: Mapping[str, Score], split: DeviceSplit, options: Evaluate, masks: int | None = None
) -> dict[str, dict[str, Tensor]]:
    """Return by method the measures of each row under each mask, each [masks, N]; all methods see the same masks."""
    ks, found = lengths(options), {name: list[dict[str, Tensor]]() for name in methods}
    for mask in range(options.completion_masks if masks is None else masks):
        columns = {name: Columns(len(split)) for name in methods}
        for seen, hidden in masked(split, options, mask):
            for name, score in methods.items():
                columns[name].add(ranked(score, seen, hidden, ks))
        for name, filled in columns.items():
            found[name].append(filled.all())
    return {
        name: {measure: torch.stack([of_mask[measure] for of_mask in each]) for measure in each[0]}
        for name, each in found.items()
    }


def means(columns: Mapping[str, Tensor], rows: Tensor | slice = slice(None)) -> dict[str, float]:
    """Return the mean of each measure over the rows that have it, and over the masks; of these rows alone."""
    return {name: float(values[:, rows].double().nanmean()) for name, values in columns.items()}


def gain(own: Tensor, other: Tensor, rows: Tensor | slice = slice(None)) -> dict[str, float]:
    """Return by how much a measure is above another method's, each [masks, N], paired, and the standard error of that.

    The error is over rows, each with its mean over masks.
    """
    difference = (own - other)[:, rows].double().mean(0)
    found = difference[~difference.isnan()]
    error = float(found.std()) / len(found) ** 0.5 if len(found) > 1 else float("nan")
    return {GAIN: float(found.mean()), f"{GAIN}_error": error}
