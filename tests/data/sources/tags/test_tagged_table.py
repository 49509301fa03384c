"""Tables of tagged rows: every row ends as its tags, what is left out is counted, and a bad table is one message."""

import csv
import json
import os
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import stored

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare, tables
from vaelab.data.sources.tags.rows import Rows
from vaelab.errors import InputError
from vaelab.params.datasets import Split, TagsCsv

ALL_TRAIN = Split.model_construct(train=1.0, val=0.0, test=0.0)
FORMATS = ("csv", "tsv", "parquet")


def write(path, columns):
    """A table of columns by name, in the format that the path ends in."""
    table = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.fixture
def prepared(tmp_path):
    """Write a table (columns, text or bytes), prepare it as data set mine, and return its folder."""

    def write_and_prepare(content, ending="csv", **options):
        path = tmp_path / f"table.{ending}"
        if isinstance(content, dict):
            write(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if isinstance(options.get("vocabulary"), str | bytes):
            text = options["vocabulary"]
            (tmp_path / "vocabulary.txt").write_bytes(text.encode() if isinstance(text, str) else text)
            options["vocabulary"] = str(tmp_path / "vocabulary.txt")
        values = {"source": "tags_csv", "path": str(path), "split": ALL_TRAIN, **options}
        prepare(TagsCsv.model_construct(**values), tmp_path / "mine")
        return tmp_path / "mine"

    return write_and_prepare


def rows_of(folder, phase="train"):
    """The rows of a split, each as the set of its tags."""
    arrays, names = stored(folder, phase), read_info(folder).classes
    if not arrays:
        return []
    x = arrays["x"] if "x" in arrays else Rows(arrays["count"], arrays["columns"]).dense(len(names))
    return [{names[column] for column in np.flatnonzero(row)} for row in x]


def counts_of(folder):
    info = read_info(folder)
    return dict(zip(info.classes, info.class_counts, strict=True))


@pytest.mark.parametrize("ending", FORMATS)
def test_joined_tags_come_back(prepared, ending):
    folder = prepared({"n": [1, 2, 3, 4], "tags": ["b|a", "", " c | a|", "|b||"]}, ending)
    assert rows_of(folder) == [{"a", "b"}, set(), {"a", "c"}, {"b"}]
    assert counts_of(folder) == {"a": 2, "b": 2, "c": 1}
    assert read_info(folder).mean_tags == pytest.approx(5 / 4)
    meta = read_meta(folder)
    assert (meta["rows_read"], meta["rows_kept"], meta["rows_without_tags"], meta["longest_row"]) == (4, 4, 1, 2)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("no", "yes"), [(0, 1), (False, True), ("0", " 1 "), ("false", "TRUE"), ("N", "Yes"), ("-", "+"), (0.0, 1.0)]
)
def test_columns_of_marks_come_back(prepared, ending, no, yes):
    columns = {"name": ["x", "y", "z"], "b": [no, yes, no], "a": [yes, yes, no], "kind": ["k", "l", "k"]}
    folder = prepared(columns, ending, tags=None, id="name", group="kind")
    assert sorted(map(sorted, rows_of(folder))) == [[], ["a"], ["a", "b"]]
    assert counts_of(folder) == {"a": 2, "b": 1}
    assert read_info(folder).groups == ("k", "l")


def test_both_formats_give_the_same_bytes(prepared):
    x = np.random.default_rng(0).integers(0, 2, (40, 6))
    names = np.array(list("fedcba"))
    joined = {"tags": ["|".join(names[row == 1]) for row in x]}
    marked = {name: x[:, n] for n, name in enumerate(names)}
    first = read_meta(prepared(joined, split=Split()))["sha256"]
    assert read_meta(prepared(marked, tags=None, split=Split()))["sha256"] == first


def test_lists_and_numbers_in_parquet(prepared):
    folder = prepared({"tags": [["a", " b"], [], None, ["a", None]], "id": [4, 5, 6, 4]}, "parquet", id="id")
    assert rows_of(folder) == [{"a", "b"}, set(), set()]
    assert rows_of(prepared({"tags": pd.Categorical(["a|b", "b", None])}, "parquet")) == [{"a", "b"}, {"b"}, set()]
    assert rows_of(prepared({"tags": [7, 8, 7]}, "parquet")) == [{"7"}, {"8"}, {"7"}]


def test_text_stays_text(prepared):
    names = ["NA", "null", "001", "nan", "True", "1e5", "-", "#N/A", "ü", "=cmd|", 'say "x"', "a,b", "two\nlines"]
    folder = prepared({"tags": [f"{name};other" for name in names]}, separator=";")
    assert [row - {"other"} for row in rows_of(folder)] == [{name} for name in names]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sets(st.text("ab,\"'\n\t é=0", min_size=1, max_size=3).map(str.strip).filter(bool)), min_size=1),
    st.sampled_from(["|", "||", "; "]),
    st.sampled_from(["csv", "tsv"]),
)
def test_whatever_csv_writes_comes_back(prepared, rows, separator, ending):
    rows = [*rows, {"a", "b"}]
    columns = {"n": range(len(rows)), "tags": [separator.join(row) for row in rows]}
    folder = prepared(columns, ending, separator=separator)
    assert rows_of(folder) == rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_byte_order_marks_and_blank_lines(prepared, end):
    text = end.join(["\ufeffid , tags", "1,a|b", "", "2,b", "", ""])
    assert rows_of(prepared(text)) == [{"a", "b"}, {"b"}]
    assert rows_of(prepared(text, id="id")) == [{"a", "b"}, {"b"}]
    assert len(rows_of(prepared(end.join(["tags", "a|b", "", "b"])))) == 3  # of one column: a row without tags


def test_rows_pass_in_parts(prepared, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK_CHARACTERS", 50)
    rows = [{f"t{n % 7}", f"u{n % 3}"} for n in range(100)]
    columns = {"id": [n // 2 for n in range(100)], "tags": ["|".join(row) for row in rows]}
    assert rows_of(prepared(columns)) == rows
    assert rows_of(prepared(columns, id="id")) == rows[::2]
    merged = prepared(columns, id="id", duplicates="merge")
    assert rows_of(merged) == [rows[n] | rows[n + 1] for n in range(0, 100, 2)]


IDS = {"id": ["x", "y", "x ", "z", "x"], "tags": ["a", "b", "b", "a|b", "c|a"], "kind": ["k", "l", "m", "k", "n"]}


@pytest.mark.parametrize(
    ("duplicates", "expected", "groups"),
    [
        ("first", [{"a"}, {"b"}, {"a", "b"}], ("k", "l")),
        ("merge", [{"b"}, {"a", "b"}, {"a", "b", "c"}], ("k", "l")),
        ("keep", [{"a"}, {"b"}, {"b"}, {"a", "b"}, {"a", "c"}], ("k", "l", "m", "n")),
    ],
)
def test_rows_of_one_id(prepared, duplicates, expected, groups):
    folder = prepared(IDS, id="id", group="kind", duplicates=duplicates)
    assert rows_of(folder) == expected
    assert read_info(folder).groups == groups
    meta = read_meta(folder)
    assert (meta["rows_read"], meta["rows_kept"], meta["rows_of_an_earlier_id"]) == (5, len(expected), 2)


def test_rows_without_an_id_are_rows_of_their_own(prepared):
    folder = prepared({"id": ["", "x", "", " "], "tags": ["a", "b", "a", "b"]}, id="id")
    assert len(rows_of(folder)) == 4
    assert read_meta(folder)["rows_without_id"] == 3


@pytest.mark.parametrize("duplicates", ["first", "merge", "keep"])
def test_no_id_is_in_two_splits(prepared, duplicates):
    """Each id has a tag of its own, which says where its rows went."""
    random = np.random.default_rng(0)
    ids = random.integers(60, size=300)
    columns = {"id": ids, "tags": [f"id{i}|t{n % 2}" for n, i in enumerate(ids)]}
    folder = prepared(columns, id="id", duplicates=duplicates, split=Split(train=0.5, val=0.3, test=0.2))
    owners = [{tag for row in rows_of(folder, phase) for tag in row if tag.startswith("id")} for phase in PHASES]
    units = len(set(ids.tolist()))
    assert sum(map(len, owners)) == len(set.union(*owners)) == units
    assert [len(of) for of in owners] == np.diff(np.round(np.array([0, 0.5, 0.8, 1]) * units)).astype(int).tolist()


def test_seeds_decide_the_splits(prepared):
    columns = {"tags": [f"a|t{n}" for n in range(50)]}
    splits = [rows_of(prepared(columns, split=Split(), seed=seed), "test") for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


@pytest.mark.parametrize("options", [{}, {"id": "name"}, {"tags": None, "group": "name"}])
def test_a_row_more_anywhere_moves_no_other(prepared, options):
    """Of rows without ids, which tags are in which split, and how often; 3000 of them, of which many are equal."""
    random = np.random.default_rng(0)
    marks = random.random((3000, 8)) < 0.3
    marks[17] = marks[40] = True
    ids = [f"row {number}" for number in range(3000)]

    def split_of(rows, vocabulary=None):
        if options.get("tags", "") is None:
            columns = {"name": [ids[row][:5] for row in rows]} | {f"t{n}": marks[rows, n].astype(int) for n in range(8)}
        else:
            tags = ["|".join(f"t{n}" for n in np.flatnonzero(marks[row])) for row in rows]
            columns = {"name": [ids[row] for row in rows], "tags": tags}
        folder = prepared(columns, split=Split(), seed=1, vocabulary=vocabulary, **options)
        return {phase: Counter(frozenset(row) for row in rows_of(folder, phase)) for phase in PHASES}

    before = split_of([*range(17), *range(18, 3000)])
    after = split_of(range(3000))
    changed = [(after[phase] - before[phase], before[phase] - after[phase]) for phase in PHASES]
    assert sum((more for more, _ in changed), Counter()) == Counter([frozenset(f"t{n}" for n in range(8))])
    assert not any(less for _, less in changed)
    half = split_of(range(3000), vocabulary="t0\nt1\nt2\nt3")
    assert [sum(half[phase].values()) for phase in PHASES] == [sum(after[phase].values()) for phase in PHASES]


def test_equal_rows_are_split_like_others(prepared):
    folder = prepared({"tags": ["a|b"] * 500 + ["c"] * 500}, split=Split())
    for phase, share in Split():
        rows = Counter(frozenset(row) for row in rows_of(folder, phase))
        assert [rows[frozenset(tags)] for tags in ("ab", "c")] == pytest.approx([500 * share] * 2, abs=30)


def test_groups_are_sorted_and_rows_without_one_are_their_own(prepared):
    columns = {"kind": ["z", "", "a", " z"], "tags": ["t|u", "t", "u", "u"]}
    folder = prepared(columns, group="kind")
    assert read_info(folder).groups == ("(none)", "a", "z")
    assert stored(folder, "train")["group"].tolist() == [2, 0, 1, 2]
    assert read_meta(folder)["rows_without_group"] == 1
    assert read_meta(folder)["group_counts"]["train"] == {"(none)": 1, "a": 1, "z": 2}


COUNTED = {"tags": ["a|b|c|a", "a|b|a", "a|d", "e", ""]}


def test_tags_in_few_rows_are_dropped_and_listed(prepared, capsys):
    folder = prepared(COUNTED, min_count=2)
    assert counts_of(folder) == {"a": 3, "b": 2}
    meta = read_meta(folder)
    most = {"c": 1, "d": 1, "e": 1}
    assert meta["rare_tags"] == {"tags": 3, "occurrences": 3, "most_frequent": most}
    assert (meta["rows_without_tags"], meta["repeated_tags"], meta["longest_row"]) == (2, 2, 3)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("datasets.mine")]
    counts = "2 rows without tags kept, 2 tags repeated in their row, 3 rare tags left out"
    assert line == f"datasets.mine: 5 of 5 rows kept, 2 tags, {counts}: see {folder / 'meta.json'}"


def test_counts_are_of_the_rows_that_are_kept(prepared):
    """Tag c is in two rows, of which one is left out as a duplicate."""
    columns = {"id": [1, 1, 2], "tags": ["a|b|c", "c", "a|b"]}
    assert set(counts_of(prepared(columns, id="id", min_count=2))) == {"a", "b"}
    assert set(counts_of(prepared(columns, id="id", min_count=2, duplicates="keep"))) == {"a", "b", "c"}
    assert set(counts_of(prepared(columns, id="id", min_count=2, duplicates="merge"))) == {"a", "b"}


def test_rows_without_a_kept_tag_can_be_dropped(prepared):
    folder = prepared(COUNTED, min_count=2, empty_rows="drop")
    assert rows_of(folder) == [{"a", "b"}, {"a", "b"}, {"a"}]
    assert read_meta(folder)["rows_without_tags"] == 2


@pytest.mark.parametrize("as_marks", [False, True])
def test_a_vocabulary_names_the_tags_and_their_order(prepared, as_marks):
    columns, options = COUNTED, {}
    if as_marks:
        sets = [set(cell.split("|")) for cell in COUNTED["tags"]]
        columns, options = {tag: [int(tag in row) for row in sets] for tag in "abcde"}, {"tags": None}
    folder = prepared(columns, vocabulary="\ufeffd\r\n none \r\n\r\nb\n", **options)
    assert read_info(folder).classes == ("d", "none", "b")
    assert rows_of(folder) == [{"b"}, {"b"}, {"d"}, set(), set()]
    meta = read_meta(folder)
    assert meta["unknown_tags"] == {"tags": 3, "occurrences": 5, "most_frequent": {"a": 3, "c": 1, "e": 1}}
    assert meta["tags_in_no_row"] == 1
    assert meta["tags_absent_from_training"] == {"tags": 1, "first": ["none"]}


def test_only_the_most_frequent_of_many_unknown_tags_are_listed(prepared):
    columns = {"tags": [f"a|b|t{n}|t{n // 10}" for n in range(100)]}
    unknown = read_meta(prepared(columns, vocabulary="a\nb"))["unknown_tags"]
    assert (unknown["tags"], len(unknown["most_frequent"])) == (100, 20)
    assert sorted(unknown["most_frequent"].values()) == [1] * 10 + [10] + [11] * 9  # t0 is twice in a row


def test_tags_outside_the_training_split_stay_with_a_count_of_zero(prepared):
    columns = {"tags": [f"a|t{n}" for n in range(20)]}
    folder = prepared(columns, split=Split(train=0.5, val=0.25, test=0.25))
    info, counts = read_info(folder), counts_of(folder)
    assert len(info.classes) == 21
    assert sorted(counts.values()) == [0] * 10 + [1] * 10 + [10]
    assert read_meta(folder)["tags_absent_from_training"]["tags"] == 10
    assert info.tag_frequencies.tolist() == [n / 10 for n in info.class_counts]


@pytest.mark.parametrize(("each", "storage"), [(1, "sparse"), (9, "dense")])
def test_what_takes_less_room_is_stored(prepared, each, storage):
    random = np.random.default_rng(0)
    rows = [set(random.choice([f"t{n}" for n in range(12)], each, replace=False).tolist()) for _ in range(60)]
    folder = prepared({"tags": ["|".join(row) for row in rows]})
    assert read_meta(folder)["stored"] == storage
    assert rows_of(folder) == rows
    dense, sparse = len(read_info(folder).classes), 4 * each + 4
    assert (sparse < dense) == (storage == "sparse")


MARKS = "id,a,b\n1,0,1\n2,{},1\n"
BAD_TABLES = {
    "empty": ("", {}, "is empty; expected a line with the names of the columns"),
    "header only": ("id,tags\n", {}, "holds no row"),
    "missing column": ("id,tgas\n1,a|b\n", {}, r"no column 'tags' \(tags\); did you mean 'tgas'\? \(known: id, tgas"),
    "missing id": ("name,tags\n1,a|b\n", {"id": "nme"}, r"has no column 'nme' \(id\); did you mean 'name'"),
    "missing group": ("name,tags\n1,a|b\n", {"group": "kind"}, r"has no column 'kind' \(group\)"),
    "column twice": ("tags,tags\na,b\n", {}, r"has 2 columns 'tags' \(tags\); expected one"),
    "tag twice": ("a,b,a\n1,1,1\n", {"tags": None}, r"has 2 columns 'a' \(a tag\); expected one"),
    "column without name": ("a,,b\n1,1,1\n", {"tags": None}, "column 2 has no name; expected the tag"),
    "long line": ("id,tags\n1,a|b\n2,a,b\n", {}, "line 3 has 3 cells, the header 2"),
    "long first line": ("id,tags\n1,a,b\n", {}, "line 2 has 3 cells, the header 2"),
    "short line": ("id,tags\n1,a\n\n2\n", {}, "line 4 has 1 cells, the header 2"),
    "latin 1": ("id,tags\n1,a\n2,\xe9\n".encode("latin-1"), {}, "line 3 is not UTF-8"),
    "latin 1 header": ("id,t\xe9gs\n".encode("latin-1"), {}, "line 1 is not UTF-8"),
    "utf 16": ("id,tags\n1,a\n".encode("utf-16-le"), {}, "line 1 holds a NUL character"),
    "encoding": (b"id,tags\n1,\x81\n", {"encoding": "cp1252"}, "line 2 is not cp1252; .*or set datasets.mine.encod"),
    "nul": ("id,tags\n1,a\n2,a\0b\n", {}, "line 3 holds a NUL character"),
    "open quote": ('id,tags\n1,a\n2,"a\n3,b\n', {}, "after line 2 cannot be read .*is a quotation mark not closed"),
    "stray quote": ('id,tags\n1,"a"b\n', {}, "after line 1 cannot be read .*is a quotation mark not closed"),
    "nan": (MARKS.format("nan"), {"tags": None, "id": "id"}, "line 3: column 'a' holds 'nan'; expected 0 or 1"),
    "two": (MARKS.format("2"), {"tags": None, "id": "id"}, "line 3: column 'a' holds '2'; expected 0 or 1"),
    "half": (MARKS.format("0.5"), {"tags": None, "id": "id"}, "line 3: column 'a' holds '0.5'; expected 0 or 1"),
    "no cell": (MARKS.format(""), {"tags": None, "id": "id"}, "line 3: column 'a' is empty; expected 0 or 1"),
    "one tag": ("tags\na\na\n", {}, "'a' is the only tag; expected at least 2"),
    "no tags": ("id,tags\n1,\n2,|\n", {}, "no row has a tag"),
    "no marks": ("a,b\n0,0\n", {"tags": None}, "no row has a tag"),
    "semicolons": ("id;tags\n1;a|b\n", {}, r"no column 'tags' .*; its header, 'id;tags', looks separated by ';': "),
    "semicolons between marks": ("a;b\n0;1\n", {"tags": None}, "has 1 columns.* 'a;b', looks separated by ';': "),
    "no mark columns": ("id\n0\n", {"tags": None, "id": "id"}, "has 0 columns beside id and group; expected"),
    "rare tags": ("tags\na|b\na|c\n", {"min_count": 3}, "no tag is in 3 rows or more; the most frequent, 'a', is in 2"),
    "many tags": ("tags\na|b\nc|d\n", {"max_tags": 3}, r"line 3: there are 4 tags.*at most 3 \(max_tags\)"),
    "many kept": ("tags\na|b|c\na|b|c|d\n", {"max_tags": 2, "min_count": 2}, r"3 tags; at most 2 \(max_tags\)"),
    "long tag": (f"tags\na\n{'x' * 2000}|b\n", {}, r"line 3 has a tag of 2000 characters, 'xxx.*separator: '\|'"),
    "duplicates": ("id,tags\nx,a\nx,c\n", {"id": "id", "duplicates": "error"}, "line 3: the id 'x' was there before"),
    "few rows": ("tags\na|b\nb\n", {"split": Split()}, "2 rows are too few for the shares"),
    "another delimiter": ("id;tags\n1;a|b\n", {"delimiter": "\t"}, r"looks separated by ';': set .*delimiter"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_is_one_line_and_leaves_nothing(prepared, tmp_path, content, options, message):
    with pytest.raises(InputError, match=message) as caught:
        prepared(content, **options)
    text = str(caught.value)
    assert text.startswith("datasets.mine")
    assert "\n" not in text
    assert len(text) < 400 + len(str(tmp_path))
    assert not (tmp_path / "mine").exists()


BAD_VOCABULARIES = {
    "empty": ("\n \n", {}, "is empty; expected one tag a line"),
    "repeated": ("a\nb\n\n a\n", {}, "line 4 repeats 'a' of line 1"),
    "of other tags": ("A\nB\n", {}, "none of its 2 tags, such as 'A', is in .*table.csv, which has 'a'"),
    "latin 1": ("a\n\xe9".encode("latin-1"), {}, "is not UTF-8"),
    "nul": ("a\nb\0\n", {}, "line 2 holds a NUL character"),
    "one tag": ("a\n", {}, "'a' is the only tag"),
    "too long": ("a\nb\nc\n", {"max_tags": 2}, "3 tags; at most 2"),
    "incomplete": ("a\nb", {"unknown": "error"}, r"lacks 2 tags .*: 'c' \(2 rows\), 'd' \(1 rows\) \(unknown: error\)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "options", "message"), BAD_VOCABULARIES.values(), ids=BAD_VOCABULARIES)
def test_a_bad_vocabulary_is_one_message(prepared, tmp_path, text, options, message):
    with pytest.raises(InputError, match=message) as caught:
        prepared({"tags": ["a|b|c", "a|c", "d"]}, vocabulary=text, **options)
    assert str(caught.value).startswith(f"datasets.mine.vocabulary: {tmp_path / 'vocabulary.txt'}: ")
    assert not (tmp_path / "mine").exists()


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "table.xls").touch()
    (tmp_path / "ok.csv").write_text("tags\na|b\n")
    cases = {
        "none.csv": "no such file",
        "folder.csv": "not a file",
        "table.xls": "ends in '.xls'; expected .csv, .tsv or .parquet",
    }
    for name, message in cases.items():
        with pytest.raises(InputError, match=f"^datasets.mine.path: {tmp_path / name}: {message}"):
            prepare(TagsCsv(source="tags_csv", path=str(tmp_path / name)), tmp_path / "mine")
    options = {"path": str(tmp_path / "ok.csv"), "vocabulary": str(tmp_path / "none.txt")}
    with pytest.raises(InputError, match=r"datasets.mine.vocabulary: .*none.txt: cannot be read: No such file"):
        prepare(TagsCsv(source="tags_csv", **options), tmp_path / "mine")


def test_many_columns_are_not_all_listed(prepared):
    with pytest.raises(InputError, match=r"did you mean 'tags7'\? .*and 190 more$"):
        prepared({f"tags{n}": ["a"] for n in range(200)}, tags="tags_7")


def test_a_vocabulary_leaves_nothing_to_min_count():
    with pytest.raises(ValueError, match="`min_count` must stay at 1"):
        TagsCsv(source="tags_csv", path="x.csv", vocabulary="v.txt", min_count=2)


@pytest.mark.parametrize("column", [[1.0, None], [1.0, 0.5], [1, 2], ["1", "x"], [True, None]])
def test_other_cells_than_marks_in_parquet(prepared, column):
    with pytest.raises(InputError, match=r"row 2: column 'a' (is empty|holds '.*'); expected 0 or 1"):
        prepared({"a": column, "b": [1, 1]}, "parquet", tags=None)


def test_a_damaged_parquet_file(prepared, tmp_path):
    for content in (b"", b"PAR1", b"no parquet" * 10):
        with pytest.raises(InputError, match="damaged or not a parquet file"):
            prepared(content, "parquet")
    write(tmp_path / "good.parquet", {"tags": ["a|b"] * 1000})
    content = bytearray((tmp_path / "good.parquet").read_bytes())
    content[4:40] = bytes(36)
    with pytest.raises(InputError, match="damaged parquet file"):
        prepared(bytes(content), "parquet")
    with pytest.raises(InputError, match="column 'tags' has the type struct"):
        prepared({"tags": [{"a": 1}]}, "parquet")


def test_parquet_without_pyarrow_names_the_extra(prepared, monkeypatch):
    write_first = {"tags": ["a|b", "a"]}
    prepared(write_first, "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs pyarrow, .* pip install 'vaelab\[parquet\]'"):
        prepared(b"PAR1", "parquet")


def timed(action):
    tracemalloc.start()
    start = time.process_time()
    try:
        action()
    finally:
        seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < 30
    assert peak < 2**29


def test_a_row_of_a_hundred_thousand_tags_is_refused_at_once(prepared):
    cell = "|".join(f"t{n}" for n in range(100_000))
    with pytest.raises(InputError, match=r"there are 100000 tags and more.*at most 20000 \(max_tags\)"):
        timed(lambda: prepared(f"tags\n{cell}\n"))


def test_a_cell_of_a_million_characters(prepared):
    """Longer than the module csv reads by default, whose setting is left as it was."""
    before = csv.field_size_limit()
    cell = "|".join(["a", "bb", "ccc"] * 111_112)
    assert len(cell) > 10**6
    timed(lambda: prepared(f"id,tags\n1,{cell}\n2,a\n"))
    folder = prepared(f"id,text,tags\n1,{'x' * 10**6},{cell}\n2,,a\n")
    assert rows_of(folder) == [{"a", "bb", "ccc"}, {"a"}]
    assert (read_meta(folder)["repeated_tags"], read_meta(folder)["longest_row"]) == (3 * 111_112 - 3, 3)
    assert csv.field_size_limit() == before


def test_an_open_quote_is_found_before_the_whole_file_is_one_cell(prepared, monkeypatch):
    monkeypatch.setattr(tables, "CELL_CHARACTERS", 1000)
    with pytest.raises(InputError, match=r"after line 2 cannot be read \(field larger than field limit \(1000\)\)"):
        prepared('id,tags\n1,a|b\n2,"a\n' + "3,b\n" * 1000)


REALDATA = os.environ.get("VAELAB_REALDATA")
REAL_TABLES = ("tags_mulan_tmc2007", "tags_mulan_delicious")


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set")
@pytest.mark.parametrize("name", REAL_TABLES)
@pytest.mark.parametrize("with_vocabulary", [False, True])
def test_real_tables_have_the_counts_that_are_known(tmp_path, name, with_vocabulary):
    root = Path(REALDATA) / name
    known = json.loads((root / "stats.json").read_text())
    options = {"vocabulary": str(root / "vocabulary.txt")} if with_vocabulary else {}
    prepare(TagsCsv(source="tags_csv", path=str(root / "tags.csv"), id="id", **options), tmp_path)
    info, meta = read_info(tmp_path), read_meta(tmp_path)
    counts = np.concatenate([stored(tmp_path, phase)["count"] for phase in PHASES])
    columns = np.concatenate([stored(tmp_path, phase)["columns"] for phase in PHASES])
    frequency = np.bincount(columns, minlength=len(info.classes))
    assert (meta["rows_kept"], len(counts)) == (known["rows"], known["rows"])
    assert (len(info.classes), meta["stored"]) == (known["tags"], "sparse")
    assert counts.mean() == pytest.approx(known["cardinality"], abs=6e-3)
    assert counts.mean() / len(info.classes) == pytest.approx(known["density"], abs=6e-6)
    assert (counts.min(), counts.max()) == (known["min_tags"], known["max_tags"])
    assert meta["longest_row"] == known["max_tags"]
    assert ((counts == 0).sum(), meta["rows_without_tags"]) == (known["empty_rows"], known["empty_rows"])
    assert (frequency.max(), frequency.min()) == (known["tag_freq_max"], known["tag_freq_min"])
    assert (frequency > 0).sum() == known["tags_used"]
    assert meta["repeated_tags"] == meta["unknown_tags"]["tags"] == meta["rows_of_an_earlier_id"] == 0
