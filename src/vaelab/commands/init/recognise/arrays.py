"""NumPy files of images by split: train.npy, val.npy, test.npy."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.pictures import narrowed
from vaelab.data.format.info import PHASES
from vaelab.data.sources.split_names import split_named, whole
from vaelab.errors import shortened

SPLIT = """\
in Python: x = np.load("all.npy"); i = np.random.default_rng(0).permutation(len(x)); n = len(x) // 10
  np.save("train.npy", x[i[n:]]); np.save("val.npy", x[i[:n]]), in a folder of their own,"""
ENTRY = "source: npy, train: {place}/train.npy, val: {place}/val.npy, size: 64"
WORD = re.compile(r"[\W_]+")
SIDES = (16, 512)
LOOKED_AT = 1000


def splits(path: Path) -> Found | None:
    """Return the data set of a folder with arrays of train and val; None where there are none."""
    files = sorted(file for file in path.glob("*.npy") if file.is_file())
    named = {phase: file for file in files if (phase := _phase(file.stem))}
    if not files or (not whole(named) and any(file.suffix != ".npy" for file in path.rglob("*.*"))):
        return None
    if not whole(named):
        names = ", ".join(file.name for file in files[:5])
        raise not_understood(
            path, f"{len(files)} .npy files ({names}), none of them train.npy and val.npy", SPLIT, ENTRY
        )
    if "val" not in named:
        named["val"] = named.pop("test")
    shapes, why = {}, {"size": "the side of the arrays' images"}
    for phase, file in named.items():
        try:
            shapes[phase] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise not_understood(path, f"{file.name} cannot be read: {shortened(error)}", SPLIT, ENTRY) from None
    x = shapes["train"]
    if x.ndim not in (3, 4) or x.shape[1] != x.shape[2] or not SIDES[0] <= x.shape[1] <= SIDES[1]:
        expected = f"expected N,S,S or N,S,S,C with a side S of {SIDES[0]} to {SIDES[1]}"
        raise not_understood(
            path, f"{named['train'].name} has the shape {list(x.shape)}; {expected}", "Resize them,", ENTRY
        )
    places = {phase: Path(named[phase].name) for phase in PHASES if phase in named}
    settings: dict[str, Any] = {"source": "npy", **places, "size": int(x.shape[1])}
    low, high = float(x[:LOOKED_AT].min()), float(x[:LOOKED_AT].max())
    if x.dtype != np.uint8 and not 0 <= low <= high <= 1:
        settings["value_range"] = [float(f"{end:.4g}") for end in (low, high)]
        why["value_range"] = f"values of the first {min(LOOKED_AT, len(x))} images; they become 0 and 255"
    counts = ", ".join(f"{phase} {len(array):,}" for phase, array in shapes.items())
    said = [f"arrays of images {x.shape[1]} × {x.shape[2]}, {x.dtype}: {counts}"]
    others = sorted(item.name for item in path.iterdir() if item not in named.values())
    return Found(settings, "images", said, why, narrowed(int(np.prod(x.shape[1:]))), others)


def _phase(stem: str) -> str | None:
    """The split that a name stands for: train, X_train, images-val; labels (y_train) are none."""
    words = WORD.split(stem.lower())
    if {"y", "labels", "label", "targets"} & set(words):
        return None
    return next((phase for word in words if (phase := split_named(word))), None)
