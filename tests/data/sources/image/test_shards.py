"""Images in shards are those of a folder of the same files; what is wrong with a shard, or a member, is listed."""

import gzip
import io
import json
import sys
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from image_folders import S, by_name, encoded, folder_of, reasons, write
from pyarrow import ipc, parquet

from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.image.shards import members
from vaelab.data.sources.image.shards.members import split_of
from vaelab.errors import InputError
from vaelab.params.datasets import ImageShards, Split

HALVES = Split(train=0.5, val=0.5, test=0.0)
CLASSES = ["cat", "dog"]


def png(level):
    return encoded(np.full((S, S, 3), level, np.uint8), "PNG")


def tar(files, kind="w"):
    """The bytes of a .tar; in place of content a TarInfo may stand."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=kind) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            else:
                entry.type = content
                entry.linkname = "/etc/passwd"
                archive.addfile(entry)
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def table(rows, image="image", label="label", metadata=True):
    """A table as Hugging Face's datasets has it: rows of path, bytes and number of the class."""
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": content, "path": path} for path, content, _ in rows]
    columns = {image: pa.array(cells, struct), label: pa.array([number for *_, number in rows], pa.int64())}
    features = {image: {"_type": "Image"}, label: {"names": CLASSES, "_type": "ClassLabel"}}
    made = pa.table(columns)
    said = {"huggingface": json.dumps({"info": {"features": features}})} if metadata else None
    return made.replace_schema_metadata(said)


def as_parquet(made, **options):
    out = io.BytesIO()
    parquet.write_table(made, out, **options)
    return out.getvalue()


def as_arrow(made, stream=True):
    out = io.BytesIO()
    with (ipc.new_stream if stream else ipc.new_file)(out, made.schema) as writer:
        writer.write_table(made, max_chunksize=2)
    return out.getvalue()


def settings(root, **values):
    return ImageShards(source="image_shards", path=str(root), **{"size": S, "fit": "crop", "split": HALVES, **values})


def prepared(tmp_path, shards, **values):
    prepare(settings(write(tmp_path / "raw", shards), **values), tmp_path / "mine")
    return by_name(tmp_path / "mine")


def refused(tmp_path, shards, **values):
    with pytest.raises(InputError) as caught:
        prepared(tmp_path, shards, **values)
    assert not (tmp_path / "mine/meta.json").exists()
    return str(caught.value)


PHASES = ("train", "val", "test")
FILES = {
    f"{phase}/{name}/{phase}{number}.png": png(20 * number + 90 * (name == "dog"))
    for phase in PHASES
    for name in CLASSES
    for number in range(3)
}


def rows_of(phase, kind=str):
    found = [(name.split("/"), content) for name, content in FILES.items() if name.startswith(phase)]
    return [(kind(path[2]), content, CLASSES.index(path[1])) for path, content in found]


def files_of(phase):
    """The files of a split, named below its folder."""
    return {name.removeprefix(f"{phase}/"): content for name, content in FILES.items() if name.startswith(phase)}


def webdataset(phase):
    """Names of one class may be those of another, in shards of their own."""
    found = {}
    for name, content, number in rows_of(phase):
        key = name.removesuffix(".png")
        found |= {f"{CLASSES[number]}-{key}.png": content, f"{CLASSES[number]}-{key}.cls": CLASSES[number].encode()}
    return found


SAME = {
    "a tar of folders": {"all.tar": tar(FILES)},
    "a tar with ./": {"all.tar": tar({f"./{name}": content for name, content in FILES.items()})},
    "a compressed tar": {"all.tar.gz": gzip.compress(tar(FILES))},
    "tgz": {"all.tgz": gzip.compress(tar(FILES))},
    "a zip": {"all.zip": zipped(FILES)},
    "a tar for each split": {f"x-{phase}-0001.tar": tar(files_of(phase)) for phase in PHASES},
    "parquet": {f"data/{p}-00000-of-00001.parquet": as_parquet(table(rows_of(p)), row_group_size=2) for p in PHASES},
    "arrow": {f"{phase}/data-00000-of-00001.arrow": as_arrow(table(rows_of(phase))) for phase in PHASES},
    "an arrow file": {f"{phase}/data.arrow": as_arrow(table(rows_of(phase)), stream=False) for phase in PHASES},
}  # fmt: skip


@pytest.mark.parametrize("shards", SAME.values(), ids=SAME)
def test_images_in_shards_are_those_of_a_folder(tmp_path, shards):
    prepare(folder_of(write(tmp_path / "files", FILES)), tmp_path / "other")
    expected, found = by_name(tmp_path / "other"), prepared(tmp_path, shards)

    def content(images):
        return sorted((x.tolist(), phase, group) for x, phase, group in images.values())

    assert content(found) == content(expected)
    assert read_info(tmp_path / "mine").groups == ("cat", "dog")
    assert read_meta(tmp_path / "mine")["warnings"] == []
    assert (tmp_path / "mine/train-00000.safetensors").is_file()


def test_names_of_files_are_those_in_the_archive_or_the_table(tmp_path):
    assert set(prepared(tmp_path, {"all.zip": zipped(FILES)})) == set(FILES)
    several = {f"{phase}.parquet": as_parquet(table(rows_of(phase))) for phase in PHASES}
    assert set(prepared(tmp_path / "two", several)) == set(FILES)


def test_classes_of_webdataset_are_groups_and_its_shards_are_splits(tmp_path):
    found = prepared(tmp_path, {f"{phase}-{n:06}.tar": tar(webdataset(phase)) for phase in PHASES for n in range(2)})
    assert len(found) == 2 * len(FILES)
    assert {(phase, group) for _, phase, group in found.values()} == {(p, c) for p in PHASES for c in CLASSES}
    assert {name.split("/")[0] for name in found} == set(PHASES)
    assert "train/cat/cat-train0.png" in found
    assert "train/cat/train-000001-cat-train0.png" in found
    assert read_meta(tmp_path / "mine")["ignored"] == {}


def test_without_splits_images_are_shared_out_and_options_of_folders_hold(tmp_path):
    files = {f"specimen{n % 6}/{n}.png": png(n) for n in range(30)} | {"LICENSE": b"?", ".x.png": b"", "1.json": b"{}"}
    found = prepared(tmp_path, {"a.tar": tar(files)}, group_by="specimen([0-9]+)", colour="gray")
    assert len(found) == 30
    assert len({(name.split("/")[0], phase) for name, (_, phase, _) in found.items()}) == 6
    assert read_meta(tmp_path / "mine")["ignored"] == {"(hidden)": 1, "(none)": 1, ".json": 1}
    assert found["specimen1/7.png"][0].tolist() == [[[[7] * S] * S]]
    boxes = "file,x0,y0,x1,y1\n" + "".join(f"{n}.png,2,2,9,9\n" for n in range(30))
    write(tmp_path, {"boxes.csv": boxes.encode()})
    prepared(tmp_path, {}, boxes=str(tmp_path / "boxes.csv"))
    assert read_meta(tmp_path / "mine")["boxes_kept"] == 30


def test_one_shard_may_be_the_path(tmp_path):
    write(tmp_path / "raw", {"a.tar": tar(FILES), "b.tar": b"no archive"})
    prepare(settings(tmp_path / "raw/a.tar"), tmp_path / "mine")
    assert set(by_name(tmp_path / "mine")) == set(FILES)


def test_values_of_16_bits_have_one_scale(tmp_path):
    deep = {f"{n}.png": encoded(np.full((S, S), n * 500, np.uint16), "PNG") for n in range(1, 9)}
    found = prepared(tmp_path, {"a.zip": zipped(deep)}, value_range=(0, 5000), colour="gray")
    assert {name: int(x[0, 0, 0, 0]) for name, (x, *_) in found.items()} == {
        f"{n}.png": round(n * 500 / 5000 * 255) for n in range(1, 9)
    }


def test_members_that_are_no_files_or_lead_out_are_no_danger(tmp_path):
    files = {f"{n}.png": png(n) for n in range(4)} | {"../../up.png": png(9), "/abs/x.png": png(8), "a\\b.png": png(7)}
    links = {"link.png": tarfile.SYMTYPE, "pipe.png": tarfile.FIFOTYPE, "hard.png": tarfile.LNKTYPE}
    found = prepared(tmp_path, {"a.tar": tar(files | links)})
    assert set(found) == {"0.png", "1.png", "2.png", "3.png", "up.png", "abs/x.png", "a/b.png"}
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "mine"}


def test_what_cannot_be_read_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MAX_BYTES", 3000)
    good = tar({f"{n}.png": png(n) for n in range(4)})
    cut = tar({"z0.png": png(0), "z1.png": png(0) + b"?" * 2000})[:2000]
    rows = [("p.png", png(1), 0), ("none.png", None, 0), ("empty.png", b"", 1), ("bad.png", b"no image", None)]
    shards = {
        "a.tar": good, "b.tar": b"no archive at all", "c.zip": b"PK\3\4" + b"?" * 50, "d.parquet": b"PAR1????PAR1",
        "e.tar.gz": gzip.compress(good)[:60], "f.zip": zipped({"big.png": b"\0" * 4000, "bad.png": b"no image"}),
        "g.parquet": as_parquet(table(rows)), "h.arrow": b"?", "i.tar": cut, "j.tar": b"",
    }  # fmt: skip
    found = prepared(tmp_path, shards)
    assert {f"{n}.png" for n in range(4)} | {"cat/p.png"} == set(found)
    told = reasons(tmp_path / "mine")
    for name in ("b.tar", "c.zip", "d.parquet", "e.tar.gz", "h.arrow", "i.tar"):
        assert told[name].startswith("damaged"), name
    assert told["j.tar"] == "empty file"
    assert told["big.png"] == "4000 bytes; at most 3000 for an image"
    assert told["bad.png"].startswith("not an image of a known type")
    assert told["cat/none.png"].startswith("holds no bytes")
    assert told["dog/empty.png"].startswith("holds no bytes")


@pytest.mark.parametrize(
    ("shards", "values", "text"),
    [
        ({"a.txt": b"?"}, {}, "datasets.mine.path: no shard (.tar .tar.gz .tgz .zip .parquet .arrow) in"),
        ({"a.tar": b"?"}, {}, "no image in the shards of"),
        ({"a.tar": tar({"a.txt": b"text"})}, {}, "no image in the shards of"),
        ({"a.tar": tar({"a.png": b"?", "b.png": b"?"})}, {}, "none of 2 in"),
        ({"a.parquet": as_parquet(pa.table({"x": [1]}))}, {}, "no column of images; set datasets.mine.image to one"),
        (
            {"a.parquet": as_parquet(pa.table({"x": [b""], "y": [b""]}))}, {},
            "2 columns of images, x, y; set datasets.mine.image to one of: x, y",
        ),
        ({"a.parquet": as_parquet(table(rows_of("val")))}, {"image": "img"}, "has no column 'img'; it has image"),
        ({"a.arrow": as_arrow(table(rows_of("val")))}, {"label": "kind"}, "has no column 'kind'; it has image, label"),
    ],
)  # fmt: skip
def test_shards_that_cannot_be_used_are_refused(tmp_path, shards, values, text):
    assert text in refused(tmp_path, shards, **values)


def test_columns_that_are_named_and_plain_bytes(tmp_path):
    made = pa.table({"jpg": [png(n) for n in range(8)], "thumb": [b"?"] * 8, "kind": [f"k{n % 2}/x" for n in range(8)]})
    found = prepared(tmp_path, {"a.parquet": as_parquet(made, row_group_size=3)}, image="jpg", label="kind")
    assert {group for *_, group in found.values()} == {"k0-x", "k1-x"}
    assert found["k1-x/a-0000003"][0][0, 0, 0, 0] == 3


def test_a_library_that_is_not_there_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    text = refused(tmp_path, {"a.parquet": b"PAR1"})
    assert "needs pyarrow, which is not installed: pip install 'vaelab[parquet]'" in text


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("train-00000-of-00002-ab12.parquet", "train"), ("imagenet-val-000007.tar", "val"), ("data/dev/0.tar", "val"),
        ("validation/data-00000-of-00001.arrow", "val"), ("TEST.tar.gz", "test"), ("train/test-1.tar", "test"),
        ("000001.tar", None), ("latest.tar", None), ("train-test.tar", None), ("trainer/contest.tar", None),
    ],
)  # fmt: skip
def test_splits_that_shards_are_named_for(tmp_path, name, phase):
    assert split_of(tmp_path.relative_to(tmp_path) / name) == phase
