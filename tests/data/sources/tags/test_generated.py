"""Generated tag vectors: tags and pairs are as frequent as their description says; a seed gives the same bytes."""

import itertools
import tracemalloc

import numpy as np
import pytest
from stored import stored

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta, split_files
from vaelab.data.sources import prepare
from vaelab.data.sources.tags.generated import draw, expected_frequency, expected_pairs, tag_names
from vaelab.data.sources.tags.rows import Rows
from vaelab.errors import InputError
from vaelab.params.datasets import Split, Tags

SMALL = {
    "topics": 4,
    "topic_tags": 3,
    "exclusive_groups": 2,
    "exclusive_tags": 3,
    "tail_tags": 5,
    "tail_frequency": 0.4,
}


def tags(**values):
    return Tags(source="tags", **values)


def small(**values):
    return tags(**{**SMALL, **values})


def drawn(settings, count, seed=0):
    """Rows as a dense matrix of float [n, D], and their topics."""
    rows, topic = draw(np.random.default_rng(seed), count, settings)
    return rows.dense(len(tag_names(settings))).astype(np.float32), topic


def matrix_of(folder, phase):
    """The rows of a split as they are, whichever way they are stored."""
    arrays, width = stored(folder, phase), read_info(folder).shape[0]
    return arrays["x"] if "x" in arrays else Rows(arrays["count"], arrays["columns"]).dense(width)


STRUCTURES = [
    {},
    {"topics": 1},
    {"topics": 2, "second_topic": 0.5},
    {"topics": 3, "exclusive_tags": 5},
    {"exclusive_dependence": 0.0},
    {"exclusive_dependence": 1.0},
    {"exclusive_groups": 0},
    {"tail_tags": 0, "second_topic": 1.0},
    {"topic_probability": 1.0, "tail_frequency": 1.0},
    {"topic_probability": 0.0},
]


@pytest.mark.parametrize("changes", STRUCTURES)
def test_tags_and_pairs_are_as_frequent_as_expected(changes):
    """Within five standard errors of a binomial share, for every tag and every pair of tags."""
    settings, count = small(**changes), 40_000
    x, _ = drawn(settings, count)
    expected = expected_pairs(settings)
    error = np.sqrt(expected * (1 - expected).clip(0) / count)
    assert (np.abs(x.T @ x / count - expected) <= 5 * error + 1e-6).all()
    np.testing.assert_allclose(expected_frequency(settings), np.diag(expected), atol=1e-12)


def by_hand(settings):
    """The probability of every pair, summed over topic, second topic and the values of two groups, one by one."""
    s, size = settings, len(tag_names(settings))
    pairs = np.zeros((size, size))
    values = range(s.exclusive_tags)
    start = s.topics * s.topic_tags
    for main, two, first, second in itertools.product(range(s.topics), (0, 1), values, values):
        weight = (s.second_topic if two else 1 - s.second_topic) / s.topics
        for value in (first, second):
            usual = s.exclusive_dependence if value == main % s.exclusive_tags else 0
            weight *= usual + (1 - s.exclusive_dependence) / s.exclusive_tags
        p = np.zeros(size)
        for topic in {main, (main + 1) % s.topics} if two else {main}:
            p[topic * s.topic_tags : (topic + 1) * s.topic_tags] = s.topic_probability
        p[start + first] = p[start + s.exclusive_tags + second] = 1
        p[start + 2 * s.exclusive_tags :] = s.tail_frequency / np.arange(1, s.tail_tags + 1)
        pair = np.outer(p, p)
        np.fill_diagonal(pair, p)
        pairs += weight * pair
    return pairs


@pytest.mark.parametrize("changes", [{}, {"topics": 2}, {"topics": 5, "exclusive_tags": 2}])
def test_expected_pairs_equal_a_sum_over_all_cases(changes):
    settings = small(**changes)
    np.testing.assert_allclose(expected_pairs(settings), by_hand(settings), atol=1e-12)


def test_pairs_that_are_known_without_a_sum():
    """p²(1 + s)/T inside a topic, p²s/T between neighbours, none between others or inside an exclusive group."""
    settings = small(topic_probability=0.5, second_topic=0.3)
    pairs = dict(zip(tag_names(settings), expected_pairs(settings), strict=True))
    column = {name: number for number, name in enumerate(pairs)}
    assert pairs["topic_0_tag_0"][column["topic_0_tag_2"]] == pytest.approx(0.25 * 1.3 / 4)
    assert pairs["topic_0_tag_0"][column["topic_1_tag_2"]] == pytest.approx(0.25 * 0.3 / 4)
    assert pairs["topic_0_tag_0"][column["topic_2_tag_2"]] == 0
    assert pairs["exclusive_1_value_0"][column["exclusive_1_value_2"]] == 0
    assert pairs["tail_0"][column["tail_3"]] == pytest.approx(0.4 * 0.1)


def test_each_row_has_one_tag_of_each_exclusive_group_and_tags_of_its_topics_only():
    settings = small(exclusive_dependence=0.5)
    x, topic = drawn(settings, 5000)
    assert (x[:, 12:15].sum(1) == 1).all()
    assert (x[:, 15:18].sum(1) == 1).all()
    of_topic = x[:, :12].reshape(-1, 4, 3).any(2)
    away = (np.arange(4) - topic[:, None]) % 4
    assert not of_topic[(away == 2) | (away == 3)].any()
    assert of_topic[away == 1].any()


def test_rows_are_independent_of_each_other():
    """Neighbouring rows share a tag of the tail as often as chance has it: the draws of one tag do not cluster."""
    settings = small(tail_frequency=0.5, tail_tags=1)
    tail = drawn(settings, 100_000)[0][:, -1]
    assert (tail[1:] * tail[:-1]).mean() == pytest.approx(0.25, abs=0.01)
    runs = tail.reshape(-1, 100).sum(1)
    assert runs.var() == pytest.approx(25, rel=0.15)  # binomial


def test_names_can_be_read_and_are_unique():
    names = tag_names(tags(topics=11, topic_tags=10, tail_tags=101))
    assert len(set(names)) == len(names) == 11 * 10 + 4 * 6 + 101
    assert {"topic_03_tag_7", "exclusive_1_value_4", "tail_012"} <= set(names)


@pytest.mark.parametrize("changes", [{}, {"topics": 2, "topic_tags": 3, "exclusive_tags": 2, "tail_tags": 0}])
def test_prepared_counts_are_those_of_the_rows(tmp_path, changes):
    prepare(tags(rows=500, **changes), tmp_path / "mine")
    info, meta = read_info(tmp_path / "mine"), read_meta(tmp_path / "mine")
    x = matrix_of(tmp_path / "mine", "train")
    assert meta["examples"] == {"train": 300, "val": 100, "test": 100}
    assert (info.kind, info.shape, info.classes) == ("tags", (x.shape[1],), tuple(tag_names(tags(**changes))))
    assert info.class_counts == tuple(x.sum(0).tolist())
    assert info.mean_tags == pytest.approx(x.sum(1).mean())
    np.testing.assert_allclose(info.tag_frequencies, x.mean(0))
    assert meta["stored"] == ("dense" if changes else "sparse")
    for phase in PHASES:
        groups = stored(tmp_path / "mine", phase)["group"]
        assert meta["group_counts"][phase] == {
            name: (groups == number).sum() for number, name in enumerate(info.groups)
        }


def test_the_group_is_the_main_topic(tmp_path):
    prepare(tags(rows=400, topic_probability=1.0, second_topic=0.0, topics=7), tmp_path)
    x, group = matrix_of(tmp_path, "val"), stored(tmp_path, "val")["group"]
    assert read_info(tmp_path).groups == tuple(f"topic_{number}" for number in range(7))
    for row, number in zip(x, group, strict=True):
        assert row[: 7 * 12].reshape(7, 12).any(1).nonzero()[0].tolist() == [number]


def test_a_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        prepare(tags(rows=200, seed=seed), tmp_path / name)
    digests = {name: read_meta(tmp_path / name)["sha256"] for name in "abc"}
    assert digests["a"] == digests["b"]
    assert not set(digests["a"].values()) & set(digests["c"].values())


def test_many_rows_pass_in_parts(tmp_path, monkeypatch):
    """A hundred times the rows, in parts of a hundredth: frequencies hold, memory does not grow with the rows."""
    monkeypatch.setattr("vaelab.data.sources.tags.generated.CHUNK_DRAWS", 2**14)
    monkeypatch.setattr(prepared, "SHARD_BYTES", 2**18)
    settings, peaks = tags(), []
    for rows in (4_000, 40_000):
        tracemalloc.start()
        prepare(tags(rows=rows), tmp_path / str(rows))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    info = read_info(tmp_path / "40000")
    error = np.sqrt(expected_frequency(settings) / 24_000)
    assert (np.abs(info.tag_frequencies - expected_frequency(settings)) < 5 * error).all()
    assert len(split_files(tmp_path / "40000", "train")) > 2
    assert peaks[1] < 2.5 * peaks[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"topics": 1, "topic_tags": 1, "exclusive_groups": 0, "tail_tags": 0}, "make 1 tags; expected 2 to 1000000"),
        ({"topics": 1000, "topic_tags": 1000}, "make 1000080 tags; expected 2 to 1000000"),
        ({"topic_probability": 0, "exclusive_groups": 0, "tail_tags": 0}, "no tag has a probability above 0"),
        ({"rows": 20, "split": Split(train=0.98, val=0.01, test=0.01)}, "20 rows are too few for the shares"),
        ({"topic_probability": 1e-9, "exclusive_groups": 0, "tail_tags": 0}, "no row of the training split has a tag"),
    ],
)
def test_settings_that_make_no_data(tmp_path, values, message):
    with pytest.raises(InputError, match=message) as caught:
        prepare(tags(**{"rows": 100, **values}), tmp_path / "mine")
    assert str(caught.value).startswith("datasets.mine")
    assert not (tmp_path / "mine/meta.json").exists()
