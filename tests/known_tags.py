"""Rows of tags of known structure, and real ones, uint8 [n, D] of 0 and 1."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vaelab.data.sources.tags.generated import draw, tag_names
from vaelab.params.datasets import Tags

REALDATA = os.environ.get("VAELAB_REALDATA")
realdata = [pytest.mark.realdata, pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set")]


def random_rows(count: int, tags: int, density: float, seed: int) -> Tensor:
    """Return rows of independent tags, all as frequent."""
    return torch.from_numpy((np.random.default_rng(seed).random((count, tags)) < density).astype(np.uint8))


TOPICS = Tags(
    source="tags", topics=6, topic_tags=5, topic_probability=0.6, second_topic=0, exclusive_groups=0, tail_tags=10,
    tail_frequency=0.1,
)  # fmt: skip


def generated_rows(count: int, seed: int, settings: Tags) -> Tensor:
    """Return rows of the source `tags`."""
    rows, _ = draw(np.random.default_rng(seed), count, settings)
    return torch.from_numpy(rows.dense(len(tag_names(settings))))


def topic_rows(count: int, seed: int) -> Tensor:
    """Return rows of 60 % of the tags of one topic of six, and a few of a tail: 40 tags; combinations repeat."""
    return generated_rows(count, seed, TOPICS)


def mixed_up(x: Tensor, seed: int) -> Tensor:
    """Return the rows with every second tag taken from another row: every frequency as before, half the pairs lost."""
    mixed = x.clone()
    mixed[:, 1::2] = x[torch.from_numpy(np.random.default_rng(seed).permutation(len(x))), 1::2]
    return mixed


def real_rows(name: str) -> Tensor:
    """Return the rows of tags_mulan_<name>, shuffled."""
    folder = Path(REALDATA or "") / f"tags_mulan_{name}"
    column = {tag: number for number, tag in enumerate((folder / "vocabulary.txt").read_text().splitlines())}
    with (folder / "tags.csv").open(newline="") as file:
        lines = [row["tags"].split("|") for row in csv.DictReader(file)]
    x = np.zeros((len(lines), len(column)), np.uint8)
    for row, tags in zip(x, lines, strict=True):
        row[[column[tag] for tag in tags if tag]] = 1
    return torch.from_numpy(np.random.default_rng(0).permutation(x))
