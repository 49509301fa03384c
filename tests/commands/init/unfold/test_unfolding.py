"""What lies at a path, unpacked or converted for the copy; what a user has is named in errors, and stays."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab.commands.init.given import looked_at, stage_data, try_out, understood
from vaelab.errors import InputError

SIDE, N = 24, 24
X = (np.arange(N)[:, None, None] * 5 + np.add.outer(np.arange(SIDE), 3 * np.arange(SIDE))).astype(np.uint8)


def archive(path, names):
    with zipfile.ZipFile(path, "w") as file:
        for number, name in enumerate(names):
            with file.open(name, "w") as member:
                Image.fromarray(X[number % N]).save(member, "PNG")
        file.writestr("__MACOSX/._a.png", b"x")


def write(folder: Path, name: str) -> Path:
    folder.mkdir()
    path = folder / name
    if name.endswith(".npz"):
        np.savez(path, x_train=X, y_train=np.arange(N) % 2, x_test=X[:6], y_test=np.arange(6) % 2)
    elif name.endswith(".tif"):
        first, *others = [Image.fromarray(x) for x in X]
        first.save(path, save_all=True, append_images=others)
    elif name == "kaggle":
        path.mkdir()
        archive(path / "train.zip", [f"train/{number}.png" for number in range(16)])
        archive(path / "test.zip", [f"test/{number}.png" for number in range(8)])
        (path / "train.csv").write_text("id,label\n" + "".join(f"{n},{'cat' if n % 2 else 'dog'}\n" for n in range(16)))
    elif name == "shards.zip":
        archive(path, [f"{number}.{ending}" for number in range(N) for ending in ("png", "cls")])
    else:
        archive(path, [f"pets/{('train', 'test')[n % 4 == 0]}/{'cat' if n % 2 else 'dog'}/{n}.png" for n in range(N)])
    return path


@pytest.mark.parametrize(
    ("name", "settings", "said", "files"),
    [
        ("digits.npz", {"source": "image_shards"}, "2 groups, by label: 0 15, 1 15", ["test.zip", "train.zip"]),
        ("pets.zip", {"source": "image_folder"}, "pets.zip is unpacked in the copy", ["test", "train"]),
        ("scan.tif", {"source": "image_folder"}, "24 pages in 1 files (tif)", ["scan.tif"]),
        (
            "kaggle",
            {"groups": "data/raw/kaggle/train.csv:label"},
            "archives are unpacked",
            ["test", "train", "train.csv"],
        ),
        ("shards.zip", {"source": "image_shards"}, "1 shards of images (.zip)", None),
    ],
)
def test_what_is_not_a_folder_becomes_one_in_the_copy(tmp_path, name, settings, said, files):
    path = write(tmp_path / "mine", name)
    stem = path.name.split(".")[0]
    with looked_at(path, tmp_path / "project", in_place=False) as data:
        (tmp_path / "staged").mkdir()
        stage_data(tmp_path / "staged", data)
        told = [*understood(data), *try_out(tmp_path / "staged", data)]
        assert settings.items() <= data.found.placed(data.place).items()
    assert any(said in line for line in told), told
    assert any(line.startswith("tried: train ") for line in told), told
    place = tmp_path / "staged/data/raw" / (stem if files else name)
    assert sorted(item.name for item in place.iterdir()) == files if files else place.is_file()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["mine", "staged"]
    assert [item.name for item in path.parent.iterdir()] == [name]


def test_errors_name_what_the_user_has(tmp_path):
    path = write(tmp_path / "mine", "pets.zip")
    with (
        pytest.raises(InputError, match=r"pets\.zip: its files have to be put .* without --in-place"),
        looked_at(path, tmp_path / "project", in_place=True),
    ):
        pass
    path.write_bytes(b"PK")
    with (
        pytest.raises(InputError, match=r"mine/pets\.zip: an archive that cannot be unpacked"),
        looked_at(path, tmp_path / "project", in_place=False),
    ):
        pass
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/b.bin", b"x")
    with (
        pytest.raises(InputError, match=r"^\S*/mine/pets\.zip: holds 1 \.bin: nothing that can be trained on"),
        looked_at(path, tmp_path / "project", in_place=False),
    ):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["mine"]
