"""Generated tag vectors whose structure is known, so that what a measure must say can be worked out.

T topics with their tags, groups of tags that exclude each other, a long tail of tags that belong to nothing. Given its
main topic m, and whether it has the next topic too, a row's tags are independent, but for those of one exclusive group:

- a tag of topic t: `topic_probability` where t = m, or where t = m + 1 (mod T) and the row has a second topic;
- of an exclusive group, exactly one: the (m mod `exclusive_tags`)-th with probability `exclusive_dependence`, else any;
- the k-th tag of the tail: `tail_frequency` / k.

n rows, D tags.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.progress import progress
from vaelab.data.sources.splits import split_sizes
from vaelab.data.sources.tags.rows import Rows, TagWriter
from vaelab.errors import InputError
from vaelab.params.datasets import Tags

CHUNK_DRAWS = 2**22  # numbers that are drawn at once
MAX_TAGS = 1_000_000
CERTAIN = 1 - 1e-12  # a frequency of 1, whose rate would be infinite


def prepare_tags(settings: Tags, folder: Path) -> None:
    """Write generated rows; `group` is the main topic. Rows are independent: the first ones are the training split.

    Raises:
        InputError: the settings make fewer than 2 tags, too many, or none that any row has.
    """
    where = f"datasets.{folder.name}"
    sizes = split_sizes(settings.rows, settings.split, where)
    _check(settings, where)
    rng = np.random.default_rng(settings.seed)
    groups = numbered("topic_", settings.topics)
    writer = TagWriter(folder, tag_names(settings), groups, float(expected_frequency(settings).sum()))
    with progress(None, f"prepare {folder.name}", " rows", settings.rows) as bar:
        for phase, size in zip(PHASES, sizes, strict=True):
            for count in _chunks(size, settings):
                writer.add(phase, *draw(rng, count, settings))
                bar.update(count)
    writer.finish(where, {
        "source": "generated: topics, groups of exclusive tags, a long tail",
        "licence": "none needed",
        "split_rule": "by row, all rows independent",
        "seed": settings.seed,
        "quarantined": [],
    })  # fmt: skip


def draw(rng: np.random.Generator, count: int, settings: Tags) -> tuple[Rows, np.ndarray]:
    """Return so many rows, and the main topic of each, int64 [n]."""
    s = settings
    main = rng.integers(s.topics, size=count)
    second = np.flatnonzero(rng.random(count) < second_share(s))
    parts = [
        _topic_tags(rng, np.arange(count), main, s),
        _topic_tags(rng, second, (main[second] + 1) % s.topics, s),
        _exclusive_tags(rng, main, s),
        _tail_tags(rng, count, s),
    ]
    row, column = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Rows.of_pairs(row, column, count), main


Pairs = tuple[np.ndarray, np.ndarray]  # rows, and a tag of each


def _topic_tags(rng: np.random.Generator, rows: np.ndarray, topic: np.ndarray, s: Tags) -> Pairs:
    place, tag = np.nonzero(rng.random((len(rows), s.topic_tags), dtype=np.float32) < s.topic_probability)
    return rows[place], topic[place] * s.topic_tags + tag


def _exclusive_tags(rng: np.random.Generator, main: np.ndarray, s: Tags) -> Pairs:
    shape = (len(main), s.exclusive_groups)
    usual = rng.random(shape) < s.exclusive_dependence
    value = np.where(usual, (main % s.exclusive_tags)[:, None], rng.integers(s.exclusive_tags, size=shape))
    first = s.topics * s.topic_tags + np.arange(s.exclusive_groups) * s.exclusive_tags
    return np.repeat(np.arange(len(main)), s.exclusive_groups), (first + value).ravel()


def _tail_tags(rng: np.random.Generator, count: int, s: Tags) -> Pairs:
    """Tags of the tail at a cost of the tags that are drawn, not of all that might be.

    Of a Poisson number of draws with mean -n log(1 - p), each in a random row, every row gets at least one with
    probability p, and independently of the others; rows that get several have the tag once.
    """
    draws = rng.poisson(-count * np.log1p(-np.minimum(tail_frequencies(s), CERTAIN)))
    first = s.topics * s.topic_tags + s.exclusive_groups * s.exclusive_tags
    return rng.integers(count, size=draws.sum()), np.repeat(first + np.arange(s.tail_tags), draws)


def _chunks(rows: int, s: Tags) -> Iterator[int]:
    """Sizes of the parts in which so many rows are drawn."""
    step = max(1, CHUNK_DRAWS // (s.topic_tags + s.exclusive_groups + 2))
    for start in range(0, rows, step):
        yield min(step, rows - start)


def _check(s: Tags, where: str) -> None:
    size = s.topics * s.topic_tags + s.exclusive_groups * s.exclusive_tags + s.tail_tags
    if not 2 <= size <= MAX_TAGS:
        raise InputError(f"{where}: topics, exclusive groups and tail make {size} tags; expected 2 to {MAX_TAGS}")
    if not expected_frequency(s).any():
        raise InputError(f"{where}: no tag has a probability above 0; expected some in topic_probability or the tail")


def tag_names(settings: Tags) -> list[str]:
    """Return the names of the tags [D]: of the topics, of the exclusive groups, of the tail."""
    of_topic, values = numbered("tag_", settings.topic_tags), numbered("value_", settings.exclusive_tags)
    return [
        *(f"{topic}_{tag}" for topic in numbered("topic_", settings.topics) for tag in of_topic),
        *(f"{group}_{value}" for group in numbered("exclusive_", settings.exclusive_groups) for value in values),
        *numbered("tail_", settings.tail_tags),
    ]


def expected_frequency(settings: Tags) -> np.ndarray:
    """Return the probability that a row has each tag, float64 [D]."""
    s, second = settings, second_share(settings)
    topic = s.topic_probability * (1 + second) / s.topics
    usual = np.bincount(np.arange(s.topics) % s.exclusive_tags, minlength=s.exclusive_tags) / s.topics
    value = s.exclusive_dependence * usual + (1 - s.exclusive_dependence) / s.exclusive_tags
    tail = tail_frequencies(settings)
    return np.concatenate([np.full(s.topics * s.topic_tags, topic), np.tile(value, s.exclusive_groups), tail])


def expected_pairs(settings: Tags) -> np.ndarray:
    """Return the probability that a row has both of two tags, float64 [D, D]; on the diagonal, that it has the tag."""
    weight, given = _given(settings)
    pairs: np.ndarray = (given * weight[:, None]).T @ given
    topics = settings.topics * settings.topic_tags
    group = np.arange(settings.exclusive_groups * settings.exclusive_tags) // settings.exclusive_tags
    inside = slice(topics, topics + len(group))
    pairs[inside, inside][group[:, None] == group] = 0  # two tags of a group exclude each other
    np.fill_diagonal(pairs, weight @ given)
    return pairs


def tail_frequencies(s: Tags) -> np.ndarray:
    """Return the frequency of each tag of the tail [tail_tags]."""
    return s.tail_frequency / np.arange(1, s.tail_tags + 1)


def second_share(s: Tags) -> float:
    """Return the share of the rows with a second topic: none where there is but one topic."""
    return s.second_topic if s.topics > 1 else 0.0


def _given(s: Tags) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each main topic, without and with the next one [2T], and of each tag given these [2T, D]."""
    main = np.arange(s.topics)
    topics = np.zeros((2, s.topics, s.topics))
    topics[:, main, main] = s.topic_probability
    topics[1, main, (main + 1) % s.topics] = s.topic_probability
    value = np.full((s.topics, s.exclusive_tags), (1 - s.exclusive_dependence) / s.exclusive_tags)
    value[main, main % s.exclusive_tags] += s.exclusive_dependence
    given = np.concatenate([
        np.repeat(topics.reshape(2 * s.topics, s.topics), s.topic_tags, axis=1),
        np.tile(value, (2, s.exclusive_groups)),
        np.tile(tail_frequencies(s), (2 * s.topics, 1)),
    ], axis=1)  # fmt: skip
    return np.repeat([1 - second_share(s), second_share(s)], s.topics) / s.topics, given


def numbered(prefix: str, count: int) -> list[str]:
    """Return names from 0, all of one length."""
    width = len(str(count - 1))
    return [f"{prefix}{number:0{width}d}" for number in range(count)]
