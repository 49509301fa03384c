"""Folders of all sources with one place that a test spoils, and what is asked of prepare on them."""

import contextlib
import io
import json
import resource
import signal
import time
from pathlib import Path

import numpy as np
from defect_folders import aitex_files, masked_files, mvtec_files
from image_folders import encoded, write

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.datasets import Aitex, ArcFolder, FolderMasks, Funsd, ImageFolder, Mvtec, Npy, TagsCsv

SECONDS = 10
MOST_MEMORY = 600 * 2**20
S = 16
random = np.random.default_rng(13)
TASK = {part: [{"input": [[0, 1]], "output": [[2]]}] for part in ("train", "test")}


@contextlib.contextmanager
def watched(folder):
    """Nothing hangs, no memory is asked for without end, and nothing is made beside the folders of the test."""

    def late(*_):
        raise TimeoutError(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    limits, used = resource.getrlimit(resource.RLIMIT_AS), int(Path("/proc/self/statm").read_text().split()[0])
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (used * resource.getpagesize() + MOST_MEMORY, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert not (folder / "trapped").exists()


def told(settings, folder, name, kept=False):
    """Prepare: the file is named in one short message, in the quarantine, or in a note, where it may not be `kept`."""
    start, message = time.monotonic(), ""
    try:
        prepare(settings, folder)
    except InputError as error:
        message = str(error)
    assert time.monotonic() - start < SECONDS
    if message:
        assert len(message) < 20_000
        assert message.startswith(("datasets.mine", str(getattr(settings, "path", "")), "1 of "))
        assert not (folder / "meta.json").exists()
        return "refused"
    meta = read_meta(folder)
    left_out = [entry for entry in meta["quarantined"] if name in entry["file"] and len(entry["reason"]) > 5]
    assert left_out or kept, "it is used, and nothing is said"
    return "left out" if left_out else "kept"


def spoil(path, content):
    if path.is_symlink() or path.exists():
        path.unlink()
    content(path) if callable(content) else path.write_bytes(content)


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def image_folder(root):
    write(root, {f"{i}.png": encoded(random.integers(0, 256, (S, S, 3), dtype=np.uint8), "PNG") for i in range(12)})
    return ImageFolder(source="image_folder", path=str(root), size=S), root / "bad.png"


def folder_masks(root):
    write(root, masked_files())
    return FolderMasks(source="folder_masks", path=str(root), size=S, colour="gray"), root / "images/a/bad.png"


def a_mask(root):
    settings, _ = folder_masks(root)
    return settings, root / "masks/a/0.png"


def aitex(root):
    write(root, aitex_files())
    return Aitex(source="aitex", path=str(root), size=S), root / "NODefect_images/9-00u/0077_000_00.png"


def mvtec(root):
    write(root, mvtec_files())
    return Mvtec(source="mvtec", path=str(root), size=S), root / "train/good/bad.png"


def funsd(root):
    page = encoded(random.integers(0, 256, (40, 40), dtype=np.uint8), "PNG")
    write(root, {f"images/{name}.png": page for name in "abcd"})
    boxes = json.dumps({"document": [{"words": [{"box": [0, 0, 9, 9], "text": "a"}]}]}).encode()
    write(root, {f"boxes/{name}.json": boxes for name in "abcd"})
    write(root, {"data.train.txt": b"a.json\nb.json\nc.json\n", "data.val.txt": b"d.json\n"})
    return Funsd(source="funsd", path=str(root), size=S), root / "images/a.png"


def arc(root):
    write(root, {f"{i}.json": json.dumps(TASK).replace("2", str(i)).encode() for i in range(2, 10)})
    return ArcFolder(source="arc_folder", path=str(root)), root / "bad.json"


def arrays(root):
    write(root, {f"{phase}.npy": npy(random.integers(0, 256, (4, S, S), dtype=np.uint8)) for phase in ("train", "val")})
    paths = {phase: str(root / f"{phase}.npy") for phase in ("train", "val")}
    return Npy(source="npy", size=S, **paths), root / "train.npy"


def table(root):
    write(root, {"tags.csv": b"tags\n" + b"".join(b"a|b%d\n" % (i % 9) for i in range(50))})
    return TagsCsv(source="tags_csv", path=str(root / "tags.csv")), root / "tags.csv"


MAKERS = [image_folder, folder_masks, a_mask, aitex, mvtec, funsd]
