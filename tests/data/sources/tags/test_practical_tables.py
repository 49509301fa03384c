"""Tables as people have them: official splits, lists in cells, other separators, columns that are no tags, gzip."""

import gzip
import json
import random

import numpy as np
import pandas as pd
import pytest
import yaml
from stored import stored

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare, text_files
from vaelab.data.sources.tags.lists import list_in
from vaelab.data.sources.tags.rows import Rows
from vaelab.errors import InputError
from vaelab.params.datasets import Split, TagsCsv

ALL_TRAIN = Split.model_construct(train=1.0, val=0.0, test=0.0)


@pytest.fixture
def prepared(tmp_path):
    """Write a table (columns, text or bytes), prepare it as data set mine, and return its folder."""

    def write_and_prepare(content, ending="csv", **options):
        path = tmp_path / f"table.{ending}"
        if isinstance(content, dict):
            pd.DataFrame(content).to_csv(path, index=False)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        values = {"source": "tags_csv", "path": str(path), "split": ALL_TRAIN, **options}
        prepare(TagsCsv.model_construct(**values), tmp_path / "mine")
        return tmp_path / "mine"

    return write_and_prepare


def rows_of(folder, phase="train"):
    arrays, names = stored(folder, phase), read_info(folder).classes
    if not arrays:
        return []
    x = arrays["x"] if "x" in arrays else Rows(arrays["count"], arrays["columns"]).dense(len(names))
    return [{names[column] for column in np.flatnonzero(row)} for row in x]


def refused(prepared, tmp_path, content, **options):
    with pytest.raises(InputError) as caught:
        prepared(content, **options)
    assert not (tmp_path / "mine").exists()
    text = str(caught.value)
    assert text.startswith("datasets.mine")
    assert "\n" not in text
    return text


SPLITS = {"tags": ["a|b", "a", "b|c", "c", "a|c", "b"], "part": ["Train", "training", "dev", "TEST", "", "train"]}


def test_a_column_says_the_splits(prepared, capsys):
    folder = prepared(SPLITS, split_column="part")
    assert [rows_of(folder, phase) for phase in PHASES] == [[{"a", "b"}, {"a"}, {"b"}], [{"b", "c"}], [{"c"}]]
    meta, error = read_meta(folder), capsys.readouterr().err
    assert (meta["rows_without_split"], meta["split_rule"]) == (1, "column part, as given")
    assert "5 of 6 rows kept, 3 tags, 1 rows without a split left out" in error
    assert "datasets.mine: rows by column part: train 3, val 1, test 1" in error


def test_rows_that_the_column_leaves_out_do_not_count_for_tags(prepared):
    columns = {"tags": ["a|b", "a|b", "a|z"], "part": ["train", "val", ""]}
    assert read_info(prepared(columns, split_column="part")).classes == ("a", "b")


def test_marks_with_a_column_of_splits(prepared):
    columns = {"a": [1, 0, 1], "b": [0, 1, 1], "part": ["train", "val", "test"]}
    folder = prepared(columns, split_column="part", tags=None)
    assert [rows_of(folder, phase) for phase in PHASES] == [[{"a"}], [{"b"}], [{"a", "b"}]]


def test_without_val_its_share_is_taken_from_train_and_test_stays(prepared, capsys):
    columns = {"tags": [f"t{n % 7}|u{n % 5}|v{n}" for n in range(60)], "part": ["train"] * 40 + ["test"] * 20}
    folder = prepared(columns, split_column="part", split=Split(train=0.6, val=0.2, test=0.2))
    assert [len(rows_of(folder, phase)) for phase in PHASES] == [30, 10, 20]
    assert all(max(row - {"t"}, key=len) > "v39" or len(row) for row in rows_of(folder, "test"))
    assert "there is no val: 10 of 40 of train are taken, by a hash" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ({"part": ["train", "val", "pizza"]}, {}, "line 4: 'part' is 'pizza'; expected train, val or test"),
        (
            {"part": ["train"] * 3},
            {},
            "split_column: part: its rows are in train 3; expected some in train, and in val",
        ),
        ({"part": ["val", "test", "test"]}, {}, "its rows are in val 1, test 2; expected some in train"),
        ({"part": [None] * 3}, {}, "part: all its cells are empty; expected train, val"),
        (
            {"part": ["train", "val", "test"]},
            {"split_column": "parts"},
            "no column 'parts' (split_column); did you mean",
        ),
    ],
)
def test_columns_of_splits_that_are_wrong(prepared, tmp_path, columns, options, expected):
    assert expected in refused(
        prepared, tmp_path, {"tags": ["a|b"] * 3, **columns}, **{"split_column": "part", **options}
    )


@pytest.mark.parametrize("duplicates", ["keep", "merge"])
def test_an_id_in_two_splits_is_refused(prepared, tmp_path, duplicates):
    columns = {"id": ["x", "y", "x", "z"], "tags": ["a|b"] * 4, "part": ["train", "val", "test", "train"]}
    options = {"id": "id", "split_column": "part", "duplicates": duplicates}
    assert "1 ids are in two splits; expected each in one: 'x'" in refused(prepared, tmp_path, columns, **options)


def test_of_rows_of_one_id_the_first_says_the_split(prepared):
    columns = {"id": ["x", "y", "x", "z"], "tags": ["a|b"] * 4, "part": ["train", "val", "test", "train"]}
    folder = prepared(columns, id="id", split_column="part")
    assert [len(rows_of(folder, phase)) for phase in PHASES] == [2, 1, 0]


def test_groups_named_as_splits_are_warned_of(prepared, capsys):
    folder = prepared(SPLITS, group="part")
    (text,) = read_meta(folder)["warnings"]
    assert text.startswith("datasets.mine: the groups of column 'part' are named as splits (TEST 1, Train 1, dev 1")
    assert text.endswith("set datasets.mine.split_column: part in place of group")
    assert f"warning: {text}\n" in capsys.readouterr().err
    assert read_meta(prepared({"tags": ["a|b", "b"], "kind": ["train", "car"]}, group="kind"))["warnings"] == []


def test_rows_that_are_equal_across_splits_are_counted(prepared, capsys):
    tags = ["a|b", "b", "c|a", "", "b|a", "c", "", "a|c", "b", "c|b"]
    parts = ["train"] * 4 + ["val"] * 3 + ["test"] * 3
    folder = prepared({"tags": tags, "part": parts}, split_column="part")
    assert read_meta(folder)["rows_equal_to_training"] == {"val": 1, "test": 2}
    assert "rows with the very tags of a training row: 1 of 3 of val, 2 of 3 of test" in capsys.readouterr().err
    different = {"tags": ["a|b", "a", "b"], "part": ["train", "val", "test"]}
    prepared(different, split_column="part")
    assert "very tags" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "other"),
    [
        (["a,b,c", "b,d", "a", "c, a", "d"], ","),
        (["a;b;c", "b;d", "a", "c; a", "d"], ";"),
        (["a b c d", "b d a c", "a c d e", "c a e b", "d e b a"], " "),
        (["rock/pop", "pop/jazz", "rock", "jazz/rock/pop"], "/"),
        (["one,two", "three,four", "five,six"], ","),
        (["a,b|c", "b,a", "c,b,a|a", "a,c"], ","),
    ],
)
def test_a_likely_separator_is_named_with_numbers_and_the_line_that_mends_it(prepared, capsys, cells, other):
    folder = prepared({"tags": cells * 5})
    (text,) = read_meta(folder)["warnings"]
    assert f"tags hold {other!r}, as " in text
    assert text.endswith(f"(separator: '|'): where {other!r} separates tags, set datasets.mine.separator: \"{other}\"")
    assert f"warning: {text}\n" in capsys.readouterr().err
    mended = prepared({"tags": cells * 5}, separator=other)
    assert max(map(len, rows_of(mended))) > 1


@pytest.mark.parametrize("mark", ["+", "&", " & ", "·", "،", "、", "；", "，", "•", "\\", "~", "^", "@", ">", "*", "¦"])
def test_whatever_mark_separates_tags_is_named(prepared, mark):
    rng = np.random.default_rng(0)
    rows = [rng.choice(8, rng.integers(1, 5), replace=False) for _ in range(60)]
    (text,) = read_meta(prepared({"tags": [mark.join(f"tag{n}" for n in row) for row in rows]}))["warnings"]
    option, value = next(iter(yaml.safe_load(text.partition(", set ")[2]).items()))
    assert (option, value) == ("datasets.mine.separator", mark.strip())


@pytest.mark.parametrize("separator", ["|", ","])
def test_cells_in_brackets_without_quotes_are_not_separated_within_them(prepared, separator):
    cells = ["(tag0,tag1)", "(tag2)", "(tag1,tag2,tag3)", "(tag0,tag3)"] * 5
    (text,) = read_meta(prepared({"tags": cells}, separator=separator))["warnings"]
    assert "tags stand in brackets, as '(tag" in text
    assert text.endswith('take the brackets away, or quote each tag, as in ["a", "b"]')
    assert "separator:" not in text


@pytest.mark.parametrize(
    "cells",
    [
        ["R&B|soul", "drum & bass|R&B", "soul|drum & bass", "rock+roll|R&B"],
        ["Food & Drink", "Arts & Crafts", "Home & Garden", "Arts & Crafts"] * 3,
        ["sci-fi|e.g.", "black-and-white|sci-fi", "rock'n'roll|e.g."],
        ["C++|C", "C|C#", "C++|C#"],
        ["a|b|c", "b|d", "a", "c|a"],
        ["Smith, John|Doe, Jane", "Doe, Jane|Low, Ann", "Kay, Alan|Smith, John"],
        ["rock music|old", "hard rock|new", "big band|old"],
        ["a", "b", "c", "and/or"] * 3,
    ],
)
def test_tags_that_are_well_separated_are_not_warned_of(prepared, cells):
    assert read_meta(prepared({"tags": cells}))["warnings"] == []


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (["a,b,c"] * 4, {}),
        ([f"t{n},t{n + 1}" for n in range(40)], {"max_tags": 20}),
        ([f"t{n},t{n + 1},t{n + 2}" for n in range(40)], {"min_count": 2}),
    ],
)
def test_a_refused_table_names_the_likely_separator_too(prepared, tmp_path, cells, options):
    text = refused(prepared, tmp_path, {"tags": cells}, **options)
    assert "where ',' separates tags, set datasets.mine.separator: \",\"" in text


TAGS = [["a", "b"], [], ["it's", 'say "x"', "ü, c"], ["7", "b"]]


@pytest.mark.parametrize("dump", [json.dumps, str, lambda row: str(tuple(row)) if row else "", lambda row: f" {row} "])
@pytest.mark.parametrize("cells", ["auto", "lists"])
def test_lists_in_cells_are_read(prepared, capsys, dump, cells):
    folder = prepared({"id": range(4), "tags": [dump(row) for row in TAGS]}, cells=cells)
    assert rows_of(folder) == [set(row) for row in TAGS]
    assert read_meta(folder)["cells_are_lists"] is True
    assert f"column tags holds lists, and was read so (cells: {cells})" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("[]", []),
        ("['a',]", ["a"]),
        ('["a\\u00e9\\n"]', ["aé\n"]),
        ("['it\\'s', u'b']", ["it's", "b"]),
        ("{'a', 'b'}", ["a", "b"]),
        ("[1, -2.5, None, null]", ["1", "-2.5"]),
        ("['a' 'b']", ["a", "b"]),  # as NumPy prints it
        ("['a' ... 'b']", None),  # which it shortens
        ("<a><c#>", ["a", "c#"]),
        ("<a>b", None),
        ('[{"id": 28, "name": "a"}, {"name": "b"}]', ["a", "b"]),
        ("[{'id': 28, 'name': 'a'}]", ["a"]),
        ('[{"x": []}]', None),
        ("[a, b]", None),
        ("[['a']]", None),
        ('{"a": 1, "b": 0, "c": 2.5}', ["a", "c"]),
        ('{"a": "b"}', None),
        ('{a,"b, c"}', ["a", "b, c"]),
        ("['a", None),
        ("[__import__('os')]", None),
        ("(1999)", None),
        ("[,]", None),
        ("a", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_what_is_a_list(cell, expected):
    assert list_in(cell) == expected


def test_a_cell_that_is_no_list_among_lists_is_named(prepared, tmp_path):
    text = refused(prepared, tmp_path, {"tags": ["['a', 'b']", "['b']", "[a, b]"]})
    assert "line 4 holds '[a, b]'; expected a list such as ['a', 'b']" in text
    folder = prepared({"tags": ["['a', 'b']", "['b']"]}, cells="joined")
    assert rows_of(folder) == [{"['a', 'b']"}, {"['b']"}]


def test_brackets_that_are_no_lists_are_warned_of(prepared):
    (text,) = read_meta(prepared({"tags": ["[a b]", "[b c]", "[c]"]}))["warnings"]
    assert "most of 3 tags stand in brackets" in text


WIDE = {
    "title": ["x", "y", "z"],
    "a": [1, 0, 1],
    "year": [1999, 2000, 1],
    "b": [0, 1, 1],
    "part": ["train", "val", "test"],
}


def test_columns_that_are_no_tags_are_left_out(prepared):
    folder = prepared(WIDE, tags=None, ignore=("title", "year", "part"))
    assert read_info(folder).classes == ("a", "b")
    assert read_meta(folder)["columns_ignored"] == ["title", "year", "part"]
    assert rows_of(prepared(",a,b\n0,1,0\n1,1,1\n", tags=None, ignore=("",))) == [{"a"}, {"a", "b"}]
    assert rows_of(prepared("x,a,x,b\n7,1,7,0\n7,1,7,1\n", tags=None, ignore=("x",))) == [{"a"}, {"a", "b"}]


def test_all_columns_that_are_no_marks_are_named_with_the_remedy(prepared, tmp_path):
    text = refused(prepared, tmp_path, {name: WIDE[name] for name in ("title", "a", "year", "b")}, tags=None)
    expected = "expected 0 or 1, true or false, yes or no"
    assert f"line 2: column 'title' holds 'x'; {expected}; so have 1 more columns others" in text
    assert text.endswith("if they are no tags: datasets.mine.ignore: [title, year]")
    text = refused(prepared, tmp_path, {name: WIDE[name] for name in ("part", "a", "b")}, tags=None)
    assert text.endswith("if they are no tags: datasets.mine.split_column: part")


def test_ignore_of_what_is_not_there_and_of_joined_tags(prepared, tmp_path):
    text = refused(prepared, tmp_path, WIDE, tags=None, ignore=("titel",))
    assert "no column 'titel' (ignore); did you mean 'title'" in text
    with pytest.raises(ValueError, match="`ignore` is of tables with a column per tag"):
        TagsCsv(source="tags_csv", path="x.csv", ignore=("title",))


def groups_of(folder):
    return {
        name: sum(counts[name] for counts in read_meta(folder)["group_counts"].values())
        for name in read_info(folder).groups
    }


def test_of_very_many_groups_the_most_frequent_stay(prepared, capsys):
    columns = {"artist": [f"artist {n}" for n in range(3000)] + ["artist 7"] * 3, "tags": ["a|b"] * 3003}
    found = groups_of(prepared(columns, group="artist"))
    assert (len(found), found["artist 7"], found["(others)"]) == (1000, 4, 2001)
    assert "3000 groups: the 999 most frequent keep their names, the others are (others)" in capsys.readouterr().err
    assert groups_of(prepared(columns, group="artist", max_groups=2)) == {"artist 7": 4, "(others)": 2999}


def test_several_columns_of_groups_are_their_combinations(prepared):
    columns = {"a": ["uk", "uk", "fr", None, None], "b": [1, 2, 1, 1, None], "tags": ["x|y"] * 5}
    columns["b"] = [str(cell or "") for cell in columns["b"]]
    found = groups_of(prepared(columns, group=("a", "b")))
    assert found == {"uk / 1": 1, "uk / 2": 1, "fr / 1": 1, "(none) / 1": 1, "(none)": 1}
    with pytest.raises(ValueError, match="different ones in a list"):
        TagsCsv(source="tags_csv", path="x.csv", group=("a", "a"))


def splits_of(folder):
    """The split of each row whose only tag is its number."""
    return {int(tag): phase for phase in PHASES for (tag,) in rows_of(folder, phase)}


ARTISTS = {"artist": [f"a{n % 25}" for n in range(100)], "tags": list(range(100))}


@pytest.mark.parametrize("ids", [{}, {"id": "tags"}])
def test_rows_that_share_an_artist_are_in_one_split(prepared, capsys, ids):
    found = splits_of(prepared(ARTISTS, split=Split(), split_by="artist", **ids))
    assert len(found) == 100
    by_artist = {(n % 25, phase) for n, phase in found.items()}
    assert len(by_artist) == 25
    assert {phase for _, phase in by_artist} == set(PHASES)
    assert "rows of one artist are in one split: 25 of 100" in capsys.readouterr().err
    more = {"artist": [*ARTISTS["artist"], "new"], "tags": list(range(101))}
    again = splits_of(prepared(more, split=Split(), split_by="artist"))
    assert sum(again[n] != phase for n, phase in found.items()) <= 8  # two artists at most


def test_val_out_of_train_takes_whole_artists_and_given_splits_that_part_them_are_told(prepared):
    columns = ARTISTS | {"part": ["test" if n % 25 < 5 or n == 99 else "train" for n in range(100)]}
    folder = prepared(columns, split=Split(), split_by="artist", split_column="part")
    found = splits_of(folder)
    val = {n % 25 for n, phase in found.items() if phase == "val"}
    assert val
    assert all(found[n] != "train" for n in range(100) if n % 25 in val)
    (text,) = read_meta(folder)["warnings"]
    assert "1 values of split_by are in two of the splits that the table says: 'a24'" in text


def test_an_id_of_two_artists_is_refused(prepared, tmp_path):
    columns = {"song": ["s", "t", "s"], "artist": ["a", "b", "c"], "tags": ["x|y"] * 3}
    text = refused(prepared, tmp_path, columns, id="song", split_by="artist", duplicates="keep")
    assert "line 4: artist is 'c', an earlier row of its id 'a'; expected one (split_by)" in text


@pytest.mark.parametrize(
    ("delimiter", "ending"), [(";", "csv"), ("\t", "csv"), ("|", "psv"), ("::", "dat"), (":", "txt"), (";", "csv.gz")]
)
def test_any_delimiter(prepared, tmp_path, delimiter, ending):
    text = "".join(f"{delimiter.join(row)}\n" for row in (["id", "tags"], ["1", "a,b"], ["2", "b"]))
    content = gzip.compress(text.encode()) if ending.endswith("gz") else text
    assert rows_of(prepared(content, ending, delimiter=delimiter, separator=",")) == [{"a", "b"}, {"b"}]


def test_a_table_with_another_delimiter_is_told_the_line_that_mends_it(prepared, tmp_path):
    for content in ("id;tags\n1;a,b\n", "id, or name;tags\n1;a|b\n"):
        assert refused(prepared, tmp_path, content).endswith(
            "looks separated by ';': set datasets.mine.delimiter: \";\""
        )
    with pytest.raises(ValueError, match="expected characters between two cells"):
        TagsCsv(source="tags_csv", path="x.csv", delimiter="\n")


@pytest.mark.parametrize(("ending", "delimiter"), [("csv.gz", ","), ("TSV.GZ", "\t")])
def test_compressed_tables(prepared, ending, delimiter):
    text = (
        delimiter.join(["id", "tags"]) + "\n" + delimiter.join(["1", "a|b"]) + "\n" + delimiter.join(["2", "b"]) + "\n"
    )
    assert rows_of(prepared(gzip.compress(text.encode()), ending)) == [{"a", "b"}, {"b"}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no gzip at all", "cannot be read: Not a gzipped file"),
        (gzip.compress(b"tags\na|b\n" * 1000, mtime=0)[:30], "cannot be read: Compressed file ended"),
        (gzip.compress(b"tags\na|b\n\xe9\n", mtime=0), "line 3 is not UTF-8"),
        (gzip.compress(b"tags\na|b\n\xe9" + random.Random(0).randbytes(40_000).hex().encode())[:-4], "is not UTF-8"),
    ],
    ids=["no gzip", "cut short", "no text", "both"],
)
def test_compressed_tables_that_are_damaged(prepared, tmp_path, content, expected):
    assert expected in refused(prepared, tmp_path, content, ending="csv.gz")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "LINE_CHARACTERS", 1000)
    bomb = gzip.compress(b"tags\na|b\n" + b"x" * 10_000_000)
    assert "line 3 has 1000 characters and more; expected a row" in refused(prepared, tmp_path, bomb, ending="csv.gz")


JSONL = (
    '{"id": 1, "tags": ["a", "b"]}\n\n{"tags": [], "id": 2, "more": {}}\n{"id": 3}\n{"id": 1, "tags": ["c", null, 7]}\n'
)


def test_json_lines(prepared):
    assert rows_of(prepared(JSONL, "jsonl")) == [{"a", "b"}, set(), set(), {"c", "7"}]
    assert rows_of(prepared(gzip.compress(JSONL.encode()), "jsonl.gz", id="id")) == [{"a", "b"}, set(), set()]
    assert rows_of(prepared('{"tags": "a|b"}\n{"tags": "b"}\n', "jsonl")) == [{"a", "b"}, {"b"}]
    wide = '{"a": true, "b": 0}\n{"b": 1, "a": false}\n'
    assert rows_of(prepared(wide, "jsonl", tags=None)) == [{"a"}, {"b"}]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("", {}, "is empty; expected a JSON object on each line"),
        ('{"tags": ["a"]}\n[1]\n', {}, "line 2 is '[1]'; expected an object"),
        ('{"tags": ["a"]}\n{"tags": \n', {}, "line 2 is not JSON"),
        ('{"tags": ["a"]}\n' + "[" * 100_000 + "\n", {}, "line 2 is not JSON"),
        ('{"tags": [["a"]]}\n', {}, "line 1: 'tags' is \"[['a']]\"; expected text, a number or a list of texts"),
        ('{"a": 1, "b": 0}\n{"a": 1, "c": 1, "b": 0}\n', {"tags": None}, "line 2 has 'c', which line 1 has not"),
        ('{"a": 1, "b": 0}\n{"a": 1}\n', {"tags": None}, "line 2: column 'b' is empty; expected 0 or 1"),
        (b'{"tags": ["\xe9"]}\n', {}, "line 1 is not UTF-8"),
        ('{"tag": ["a"]}\n', {}, "has no column 'tags' (tags); did you mean 'tag'"),
    ],
)
def test_json_lines_that_are_wrong(prepared, tmp_path, content, options, expected):
    assert expected in refused(prepared, tmp_path, content, ending="jsonl", **options)


@pytest.mark.parametrize(
    ("columns", "options", "line"),
    [
        ({"id": [5, 6, 7], "a": [0, 1, 1], "b": [1, 1, 0]}, {}, "tags: null, datasets.mine.ignore: [id]"),
        ({"film": ["x", "y", "z"], "genres": ["a|b", "b", "a|c"]}, {}, "set datasets.mine.tags: genres"),
        ({"film": ["x", "y", "z"], "kinds": ["a, b", "b", "a, c"]}, {}, "tags: kinds, datasets.mine.separator: ','"),
        ({"film": ["x", "y", "z"], "kinds": ["['a']", "[]", "['b']"]}, {}, "set datasets.mine.tags: kinds"),
        ({"film": ["x", "y"], "genre1": ["a", "b"], "genre2": ["b", "c"]}, {}, "mine.tags: [genre1, genre2]"),
        ({"film": ["x", "y", "z"], "genres": ["a|b", "b", "a|c"]}, {"tags": None}, "set datasets.mine.tags: genres"),
    ],
)  # fmt: skip
def test_columns_that_look_like_tags_are_proposed(prepared, tmp_path, columns, options, line):
    assert refused(prepared, tmp_path, columns, **options).endswith(line)


def test_tags_may_be_in_several_columns(prepared):
    joined = prepared({"one": ["a", "b", None], "two": ["b|c", "b", None]}, tags=("one", "two"))
    assert rows_of(joined) == [{"a", "b", "c"}, {"b"}, set()]
    assert rows_of(prepared({"p": ["['a', 'b']", "[]"], "q": ["['c']", "['a']"]}, tags=("p", "q"))) == [
        set("abc"),
        {"a"},
    ]


OBJECTS = [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}]


@pytest.mark.parametrize("content", [OBJECTS, {"data": OBJECTS}])
def test_a_list_of_objects_is_a_table(prepared, content):
    assert rows_of(prepared(json.dumps(content), "json")) == [{"a", "b"}, set()]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "is not JSON"), ("[1]", "is no list of objects; expected [{"), ("[]", "is empty"),
        ('{"tags": {"0": "a"}}', "is no list of objects"), ("[" * 100_000, "is not JSON"),
        ('[{"id": 1, "tags": "a"}, {"id": 2, "tags": [["b"]]}]', "object 2: 'tags' is"),
    ],
)  # fmt: skip
def test_files_of_json_that_are_no_table(prepared, tmp_path, content, expected):
    assert expected in refused(prepared, tmp_path, content, ending="json")


def test_a_folder_of_tables_that_are_splits(tmp_path, capsys):
    root = tmp_path / "parts"
    root.mkdir()
    for name, rows in {"Train": "a|b\na\n", "valid": "b|c\n", "testing": "c\n"}.items():
        (root / f"{name}.csv").write_text(f"tags\n{rows}")
    (root / "README.txt").write_text("text")
    prepare(TagsCsv(source="tags_csv", path=str(root)), tmp_path / "mine")
    folder = tmp_path / "mine"
    assert [rows_of(folder, phase) for phase in PHASES] == [[{"a", "b"}, {"a"}], [{"b", "c"}], [{"c"}]]
    assert "rows by column (name of the file): train 2, val 1, test 1" in capsys.readouterr().err
    (root / "valid.csv").unlink()
    prepare(TagsCsv(source="tags_csv", path=str(root)), tmp_path / "mine")
    assert [len(rows_of(folder, phase)) for phase in PHASES] == [1, 1, 1]


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"a.csv": "tags\na\n", "b.csv": "tags\na\n"}, {}, "val.csv or test.csv; found a.csv, b.csv"),
        ({}, {}, "found no table"),
        ({"train.csv": "id;tags\n1;a\n", "val.csv": "id;tags\n1;a\n"}, {}, 'set datasets.mine.delimiter: ";"'),
        ({"train.csv": "tags\na\n", "val.csv": "tag\na\n"}, {}, "val.csv: has no column 'tags', which train.csv has"),
        ({"train.csv": "", "training.csv": "tags\na\n"}, {}, "train.csv: is empty"),
        ({"train.csv": "tags\na\n", "train.tsv": "tags\na\n"}, {}, "train.csv and train.tsv are both tables of train"),
        ({"train.csv": "tags\na\n", "val.csv": "tags,x\na\n"}, {}, "val.csv: line 2 has 1 cells, the header 2"),
        ({"train.csv": "a,b\n1,0\n", "val.csv": "a,b\n1,2\n"}, {"tags": None}, "line 2 of val.csv: column 'b'"),
        ({"train.csv": "tags\na\n", "val.csv": "tags\na\n"}, {"split_column": "x"}, "split_column: x: "),
    ],
)  # fmt: skip
def test_folders_of_tables_that_are_wrong(tmp_path, files, options, expected):
    root = tmp_path / "parts"
    root.mkdir()
    for name, content in files.items():
        (root / name).write_text(content)
    with pytest.raises(InputError) as caught:
        prepare(TagsCsv(source="tags_csv", path=str(root), **options), tmp_path / "mine")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("datasets.mine.")
