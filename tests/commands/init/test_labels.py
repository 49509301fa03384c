"""Tables and lists beside images: which options of a data set they give."""

from pathlib import Path

import pytest
from PIL import Image

from vaelab.commands.init.recognise.labels import labels_of

N = range(24)
FILES = [Path(f"{number:03}.jpg") for number in N]
CASES = {
    "labels.csv": (
        "id,label\n" + "".join(f"{n:03},{'cat' if n % 3 else 'dog'}\n" for n in N), {"groups": "labels.csv:label"},
    ),
    "classes.csv": (
        "image,MEL,NV\n" + "".join(f"{n:03},{float(n % 2)},{float(1 - n % 2)}\n" for n in N),
        {"groups": "classes.csv:MEL,NV"},
    ),
    "ham.csv": (
        "lesion_id,image_id,dx,age\n" + "".join(f"L{n // 2},{n:03},{'ab'[n % 2]},{n}\n" for n in N),
        {"groups": "ham.csv:dx", "group_by": "ham.csv:lesion_id"},
    ),
    "nih.csv": (
        "Image Index,Finding Labels,Patient ID\n" + "".join(f"{n:03}.jpg,{'AB'[: 1 + n % 2]},{n // 2}\n" for n in N),
        {"groups": "nih.csv:Finding Labels", "group_by": "nih.csv:Patient ID"},
    ),
    "list_eval_partition.csv": (
        "image_id,partition\n" + "".join(f"{n:03}.jpg,{n % 3}\n" for n in N),
        {"split_lists": "list_eval_partition.csv:partition"},
    ),
    "meta.csv": (
        "path,set\n" + "".join(f"{n:03}.jpg,{('train', 'Valid')[n % 2]}\n" for n in N),
        {"split_lists": "meta.csv:set"},
    ),
    "other.csv": ("name,label\n" + "".join(f"x{n},{'ab'[n % 2]}\n" for n in N), {}),
    "numbers.csv": ("id,weight\n" + "".join(f"{n:03},{n / 7}\n" for n in N), {}),
    "lists/train.txt": ("# names\n" + "".join(f"{n:03}\n" for n in N if n < 20), {"split_lists": "lists"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_table_beside_images_gives_their_classes_splits_and_what_they_share(tmp_path, name):
    text, settings = CASES[name]
    (tmp_path / "images").mkdir()
    for file in FILES:
        Image.new("L", (1, 1)).save(tmp_path / "images" / file)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    (tmp_path / "lists").mkdir(exist_ok=True)
    (tmp_path / "lists/test.txt").write_text("020.jpg\n021.jpg\n022\n023\n")
    found = labels_of(tmp_path, Path("images"), FILES)
    assert {key: value.as_posix() for key, value in found.settings.items()} == settings
    assert found.settings.keys() == found.why.keys()
    assert bool(found.said) == ("groups" in settings)
