"""One document: its pages are split, and it is warned of."""

import io

import numpy as np
import pytest
from image_folders import S, by_name, folder_of, write
from PIL import Image

from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError


def stack(pages):
    first, *others = [Image.fromarray(np.full((S, S), 20 + level, np.uint8)) for level in range(pages)]
    content = io.BytesIO()
    first.save(content, "TIFF", save_all=True, append_images=others)
    return content.getvalue()


def test_pages_of_one_file_are_split(tmp_path):
    prepare(folder_of(write(tmp_path / "raw", {"a.tif": stack(12)}), colour="gray"), tmp_path / "mine")
    meta = read_meta(tmp_path / "mine")
    assert meta["file_names"] == ["a.tif", *(f"a.tif (page {number})" for number in range(2, 13))]
    assert meta["examples"]["train"] == meta["examples"]["val"] == 6
    assert "of" not in meta["cluster"]  # each page is one
    assert "12 pages of 1 files, too few to be shared out whole, are split" in meta["warnings"][0]
    assert len(by_name(tmp_path / "mine")) == 12
    assert read_info(tmp_path / "mine").groups == ("all",)


@pytest.mark.parametrize(("files", "values"), [({"a.tif": 1}, {}), ({"a.tif": 4, "b.tif": 4}, {"group_by": "[ab]"})])
def test_too_few_files_are_refused_where_pages_do_not_help(tmp_path, files, values):
    root = write(tmp_path / "raw", {name: stack(pages) for name, pages in files.items()})
    with pytest.raises(InputError, match="are too few for the shares"):
        prepare(folder_of(root, split={"train": 0.8, "val": 0.1, "test": 0.1}, **values), tmp_path / "mine")
