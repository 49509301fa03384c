"""Pages whose words lie in known boxes, and folders of them prepared with these."""

import numpy as np
import pytest
from image_folders import encoded, folder_of, write
from PIL import Image
from stored import stored

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError

WIDTH, HEIGHT = 75, 52  # of a page, no multiples of S
WORDS = [(20, 14, 45, 21), (30, 25, 33, 40), (50, 30, 71, 34)]  # left, top, right, bottom


def ink(words, width=WIDTH, height=HEIGHT):
    """A white page that is black inside of the boxes."""
    gray = np.full((height, width), 255, dtype=np.uint8)
    for x0, y0, x1, y1 in words:
        gray[y0:y1, x0:x1] = 0
    return gray


def page_of(words, orientation=1, kind="PNG"):
    image = Image.fromarray(ink(words))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, **({"exif": exif} if orientation != 1 else {}))


def table(rows, header="file,x0,y0,x1,y1"):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()


def pages(**of):
    """Two pages for each split, at least."""
    return {f"{name}.png": page_of(WORDS, **of) for name in "abcdef"}


def every_box(names="abcdef", words=WORDS):
    return [(f"{name}.png", *box) for name in names for box in words]


def prepared(tmp_path, files, boxes, **values):
    """Prepare, and return meta.json."""
    root = write(tmp_path / "raw", files)
    settings = folder_of(root, colour="gray", boxes=None if boxes is None else str(tmp_path / boxes), **values)
    prepare(settings, tmp_path / "mine")
    return read_meta(tmp_path / "mine")


def refused(tmp_path, files, boxes, **values):
    with pytest.raises(InputError) as caught:
        prepared(tmp_path, files, boxes, **values)
    assert not (tmp_path / "mine/meta.json").exists()
    assert str(caught.value).startswith("datasets.mine.boxes: ")
    return str(caught.value)


def examples(tmp_path):
    """The arrays of all splits together."""
    parts = [stored(tmp_path / "mine", phase) for phase in PHASES]
    return {name: np.concatenate([part[name] for part in parts if part]) for name in parts[0]}
