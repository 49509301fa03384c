"""What is known of generated tag vectors: their names, how frequent they are, and how often two occur together.

T topics with their tags, groups of tags that exclude each other, a long tail of tags that belong to nothing. Given its
main topic m, and whether it has the next topic too, a row's tags are independent, but for those of one exclusive group:

- a tag of topic t: `topic_probability` where t = m, or where t = m + 1 (mod T) and the row has a second topic;
- of an exclusive group, exactly one: the (m mod `exclusive_tags`)-th with probability `exclusive_dependence`, else any;
- the k-th tag of the tail: `tail_frequency` / k.

D tags.
"""

import numpy as np

from vaelab.params.datasets import Tags


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
