"""Tables as other programs and collections have them: what is proposed for each, and that it is prepared so."""

import bz2
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from vaelab.commands.init.recognise.layouts import recognise
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.schema import Params

WORDS = ("rock", "pop", "jazz", "folk", "soul", "punk", "blues")
ROWS = range(60)


def tags(row: int) -> list[str]:
    return [WORDS[(5 * row + step * step) % 7] for step in range(1 + row % 3)]


def lines(header: str, row, rows=ROWS) -> str:
    return "".join(f"{line}\n" for line in [*filter(None, [header]), *(row(n) for n in rows)])


def marks(row: int, count: int = 6) -> list[int]:
    return [row * step % 7 < 3 for step in range(1, count + 1)]


def arff(cells) -> str:
    attributes = "".join(f"@attribute {word} {{0,1}}\n" for word in WORDS[:3])
    return f"@relation 'a: -C 3'\n{attributes}@attribute 'x y' numeric\n@data\n" + lines("", cells)


XML = "<labels>" + "".join(f'<label name="{word}"/>' for word in WORDS[1:3]) + "</labels>"
TEA, SUGAR = ("yes", "no", "NA"), ("low", "high")
VALUES = {"tags": ["1", "2", "3"], "cells": "values"}
MERGED = {"duplicates": "merge"}
TEXTS = {  # what lies there, the options that are proposed, and the number of tags
    "movies.dat": (lines("", lambda n: f"{n}::Film {n}, The::{'|'.join(tags(n))}"),
                   {"delimiter": "::", "header": "none", "tags": "3", "separator": "|", "id": "1"}, 7),
    "stack.csv": (lines("Id,Tags", lambda n: f"{n},<{'><'.join(tags(n))}>"), {"tags": "Tags", "id": "Id"}, 7),
    "arxiv.csv": (lines("id,categories", lambda n: f"a{n},{' '.join(tags(n))}"),
                  {"tags": "categories", "separator": " ", "id": "id"}, 7),
    "numbers.tsv": (lines("", lambda n: f"text {n}\t{','.join(str(WORDS.index(tag)) for tag in tags(n))}\te{n}"),
                    {"header": "none", "tags": "2", "separator": ",", "id": "1"}, 7),
    "baskets.csv": (lines("", lambda n: ",".join(tags(n))), {"header": "lists", "tags": "tags"}, 7),
    "retail.dat": (lines("", lambda n: " ".join(tags(n))), {"delimiter": " ", "header": "lists", "tags": "tags"}, 7),
    "orders.csv": (lines("order_id,product", lambda n: f"{n // 3},{WORDS[n * 5 % 7]}"),
                   {**MERGED, "tags": "product", "id": "order_id"}, 7),
    "ratings.csv": (lines("userId,movieId,rating", lambda n: f"{n // 3},{n * 5 % 7},4.0"),
                    {**MERGED, "tags": "movieId", "id": "userId"}, 7),
    "mushroom.data": (lines("", lambda n: f"{'pe'[n % 2]},{'bcx'[n % 3]},{'tf'[n // 2 % 2]}"),
                      {**VALUES, "header": "none"}, 7),
    "survey.csv": (lines("who,tea,milk,sugar", lambda n: f"p{n},{TEA[n % 3]},{'yn?'[n // 3 % 3]},{SUGAR[n % 2]}"),
                   {"tags": ["tea", "milk", "sugar"], "cells": "values", "id": "who"}, 6),
    "wide.csv": (lines("id,text," + ",".join(WORDS[:6]), lambda n: f'{n},"a, ""b""\nc",' + ",".join(
        str(int(mark)) for mark in marks(n))), {"tags": None, "ignore": ["text"], "id": "id"}, 6),
    "ticks.csv": (lines("site," + ",".join(WORDS[:6]), lambda n: f"s{n}," + ",".join("x" * m for m in marks(n))),
                  {"tags": None, "missing": "absent", "id": "site"}, 6),
    "index.csv": (lines("," + ",".join(WORDS[:6]), lambda n: f"{n}," + ",".join(str(int(m)) for m in marks(n))),
                  {"tags": None, "ignore": [""]}, 6),
    "meka.arff": (arff(lambda n: f"{n % 2},{n // 2 % 2},{n % 3 // 2},0.5"), {"tags": None}, 3),
    "sparse.arff": (arff(lambda n: f"{{{n % 2} 1, 2 1}}"), {"tags": None}, 3),
    "labels.svm": (lines("", lambda n: f"{','.join(map(str, range(n % 4)))} 3:0.5 7:1"), {"tags": "tags"}, 3),
    "xc.txt": ("60 9 3\n" + lines("", lambda n: f"{','.join(map(str, range(n % 4)))} 3:0.5 7:1"), {"tags": "tags"}, 3),
    "fast.txt": (lines("", lambda n: f"__label__{' __label__'.join(tags(n))} how, {n}"), {"tags": "tags"}, 7),
    "by_id.json": (json.dumps({f"d{n}": tags(n) for n in ROWS}), {"tags": "tags", "id": "id"}, 7),
    "columns.json": (json.dumps({"k": {n: f"d{n}" for n in ROWS}, "kw": {n: tags(n) for n in ROWS}}),
                     {"tags": "kw", "id": "k"}, 7),
    "lines.json": (lines("", lambda n: json.dumps({"id": n, "kw": " ".join(tags(n)), "more": [{"x": [1]}]})),
                   {"tags": "kw", "separator": " ", "id": "id"}, 7),
    "objects.json": (json.dumps([{"id": n, "genres": [{"id": 1, "name": tag} for tag in tags(n)]} for n in ROWS]),
                     {"tags": "genres", "id": "id"}, 7),
}  # fmt: skip


def found_and_prepared(path: Path, tmp_path: Path) -> tuple[dict, dict]:
    """The options that are proposed for a path, and meta.json of what they prepare."""
    found = recognise(path)
    settings = found.placed(path.as_posix())
    dataset = Params.model_validate({"datasets": {"mine": settings}}).datasets["mine"]
    prepare(dataset, tmp_path / "mine")
    options = {key: value for key, value in settings.items() if key not in ("source", "path")}
    return options, read_meta(tmp_path / "mine")


@pytest.mark.parametrize("name", TEXTS)
def test_a_foreign_text_is_understood_and_prepared(tmp_path, name):
    text, options, count = TEXTS[name]
    (tmp_path / name).write_text(text)
    proposed, meta = found_and_prepared(tmp_path / name, tmp_path)
    assert proposed == options
    assert len(meta["classes"]) == count
    assert not any("separates tags" in text for text in meta["warnings"])


@pytest.mark.parametrize(
    ("encoding", "proposed"), [("cp1252", "cp1252"), ("utf-16", None), ("utf-8-sig", None), ("shift_jis", "shift_jis")]
)
def test_the_encoding_of_a_text_is_found(tmp_path, encoding, proposed):
    words = ("映画", "音楽", "本") if encoding == "shift_jis" else ("comédie", "façade", "naïf")
    text = lines("id,tags", lambda n: f"{n},{'|'.join(words[: 1 + n % 3])}")
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    options, meta = found_and_prepared(tmp_path / "a.csv", tmp_path)
    assert options.get("encoding") == proposed
    assert meta["classes"] == sorted(words)


def test_mulans_labels_are_those_of_the_xml_beside(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/music.arff").write_text(arff(lambda n: f"{n % 2},{n // 2 % 2},{n % 3 // 2},0.5"))
    (tmp_path / "a/music.xml").write_text(XML)
    assert found_and_prepared(tmp_path / "a", tmp_path)[1]["classes"] == ["jazz", "pop"]


def test_an_attribute_that_cannot_be_read_is_named_since_others_would_take_its_place(tmp_path):
    text = arff(lambda n: f"{n % 2},{n // 2 % 2},{n % 3 // 2},0.5")
    (tmp_path / "a.arff").write_text(text.replace("@attribute rock", "@attribute 'm'usica'"))
    assert found_and_prepared(tmp_path / "a.arff", tmp_path)[1]["classes"] == ["jazz", "m'usica", "pop"]
    (tmp_path / "a.arff").write_text(text.replace("@attribute pop {0,1}", "@attribute pop"))
    with pytest.raises(InputError, match="line 3 is '@attribute pop'; expected a name"):
        recognise(tmp_path / "a.arff")


def test_a_compressed_table_is_read(tmp_path):
    (tmp_path / "a.csv.bz2").write_bytes(bz2.compress(lines("id,tags", lambda n: f"{n},{'|'.join(tags(n))}").encode()))
    assert len(found_and_prepared(tmp_path / "a.csv.bz2", tmp_path)[1]["classes"]) == 7


def test_tags_that_differ_by_capital_letters_are_said(tmp_path):
    (tmp_path / "a.csv").write_text(lines("tags", lambda n: f"{'rR'[n % 2]}ock|{WORDS[1 + n % 6]}"))
    assert any(
        "2 tags differ by capital letters alone: Rock, rock" in text for text in recognise(tmp_path / "a.csv").said
    )


PIXELS = ",".join(f"pixel{n}" for n in range(64))
REFUSED = {
    "digits.csv": (lines(f"label,{PIXELS}", lambda n: ",".join(str(n % 9 * m % 255) for m in range(65))),
                   ["pixels of images, 8 × 8", "d.iloc[:, -64:]", "source: npy", "size: 8"]),
    "faces.csv": (lines("emotion,pixels", lambda n: f"{n % 3},{' '.join(str(n * m % 255) for m in range(64))}"),
                  ["column pixels seems to hold the pixels of images, 8 × 8"]),
    "counts.csv": (lines("doc,a,b,c,d", lambda n: f"d{n},0,{n % 5},{n // 2 % 5},{n // 3 % 5}"),
                   ["4 seem to be counts", "(d > 0).astype(int)"]),
    "one.csv": (lines("id,genre", lambda n: f"{n},{WORDS[n % 7]}"), ["column genre holds 7 tags, one in a row"]),
    "turned.csv": (lines("tag," + ",".join(f"d{n}" for n in ROWS), lambda n: WORDS[n] + ",1" * 60, range(7)),
                   ["a table of 7 rows", ".T.to_csv("]),
    "comment.csv": ("# from a tool\n# 2020\n" + lines("id,tags", lambda n: f"{n},{'|'.join(tags(n))}"),
                    ["Take away its first 2 lines, which stand above the table"]),
    "a.sav": ("x", ["a .sav file, which is not read", "pandas.read_spss"]),
    "a.pkl": ("x", ["a Python pickle", "If you trust it"]),
    "a.rds": ("x", ["readRDS"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_foreign_file_that_is_not_read_says_what_makes_it_readable(tmp_path, name):
    text, parts = REFUSED[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        recognise(tmp_path / name)
    for part in parts:
        assert part in str(error.value)
    assert "write in params.yaml" in str(error.value)


def test_a_database_names_its_tables(tmp_path):
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute("create table films (id int)")
    base.close()
    with pytest.raises(InputError, match=r"a database with the tables films\n.*select \* from films"):
        recognise(tmp_path / "a.db")


def test_a_small_table_is_trained_in_small_batches(tmp_path):
    for rows, changes in ((60, {"train": {"batch_size": 16}}), (2000, {"train": {"batch_size": 64}}), (7000, {})):
        (tmp_path / "a.csv").write_text(lines("tags", lambda n: "|".join(tags(n)), range(rows)))
        assert recognise(tmp_path / "a.csv").changes == changes


def test_a_title_with_a_comma_is_no_column_of_tags(tmp_path):
    random = np.random.default_rng(0)
    rows = lines(
        "Name,Sex,Class,Port", lambda n: f'"Braund, Mr. Owen {n}",{"mf"[n % 2]},{1 + n % 3},{"SCQ"[random.integers(3)]}'
    )
    (tmp_path / "a.csv").write_text(rows)
    assert recognise(tmp_path / "a.csv").settings["tags"] == ["Sex", "Class", "Port"]
