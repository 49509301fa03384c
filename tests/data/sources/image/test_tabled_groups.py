"""Groups of images by a table: a column, or a column for each class; and what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest
from image_folders import S, by_name, encoded, folder_of, write

from vaelab.data.format.prepared import read_info
from vaelab.data.sources import prepare
from vaelab.data.sources.image.tabled_groups import tabled_groups
from vaelab.errors import InputError

FILES = [Path(name) for name in ("train/1.jpg", "train/2.jpg", "train/3.jpg", "test/1.jpg", "test/4.jpg")]


@pytest.mark.parametrize(
    ("name", "text", "column", "groups"),
    [
        ("a.csv", "file,label\ntrain/1.jpg,cat\ntrain/2.jpg,dog\n", "label", "cat dog (none) (none) (none)"),
        ("a.csv", "file,label\n2,dog\n4.jpg,dog\n", "label", "(none) dog (none) (none) dog"),
        ("train.csv", "Image Index,age,dx\n1,50,a\n2,60,b\n3,70,a\n", "dx", "a b a (none) (none)"),
        ("a.tsv", "photo\tcat\tdog\n2\t1.0\t0.0\n3\t0.0\t1.0\n", "cat,dog", "(none) cat dog (none) (none)"),
    ],
)
def test_a_table_says_the_group_of_each_file(tmp_path, name, text, column, groups):
    (tmp_path / name).write_text(text)
    found = tabled_groups(FILES, f"{tmp_path / name}:{column}", tmp_path, "datasets.a.groups")
    assert list(found) == FILES
    assert " ".join(found.values()) == groups


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("file,label\n9,cat\n", "a.csv:label", "names none of 5 files below"),
        ("file,label\n2,cat\n2,dog\n", "a.csv:label", "train/2.jpg is 'cat' and 'dog'; expected one of them"),
        ("file,label\n2,cat\n", "a.csv:kind", "has no column 'kind' (of groups)"),
        ("file,label\n2,cat\n", "b.csv:label", "not a table that is there; expected a table and a column"),
        ("file,label\n2,cat\n", "label", "not a table that is there"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, text, given, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError) as error:
        tabled_groups(FILES, str(tmp_path / given), tmp_path, "datasets.a.groups")
    assert str(error.value).startswith("datasets.a.groups: ")
    assert said in str(error.value)


@pytest.mark.parametrize(("given", "groups"), [("t.csv:label", ("cat", "dog")), ("none", ("colour", "gray"))])
def test_prepared_images_have_these_groups(tmp_path, given, groups):
    files = {f"{number % 3}/{number}.png": encoded(np.full((S, S, 3), number, np.uint8), "PNG") for number in range(12)}
    root = write(tmp_path / "raw", files)
    (tmp_path / "t.csv").write_text("id,label\n" + "".join(f"{n},{'cat' if n < 6 else 'dog'}\n" for n in range(12)))
    prepare(folder_of(root, groups=str(tmp_path / given) if ":" in given else given), tmp_path / "mine")
    assert read_info(tmp_path / "mine").groups == groups
    assert len(by_name(tmp_path / "mine")) == 12
