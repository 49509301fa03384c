"""What a user names as input: a prepared data set by its name, else a directory of images, an image, a NumPy file."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from vaelab import artifacts
from vaelab.commands.judge.examples import Part, Place, Source
from vaelab.commands.judge.pictures import open_file, open_folder, open_npy
from vaelab.commands.judge.squares import Start
from vaelab.data.format.batches import load_columns, load_split
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources.image_files import SUFFIXES
from vaelab.errors import InputError
from vaelab.params.kinds import KINDS
from vaelab.params.problems import suggestion

PHASE = "val"  # unless the user asks for another: test is for reported numbers
FILES = {"file": "file_names", "page": "page_names", "strip": "strip_names"}  # array of a split: names in meta.json


def is_prepared(name: str) -> bool:
    """Return whether a prepared data set of that name is there."""
    return Path(name).name == name and (artifacts.prepared(name) / "meta.json").is_file()


def fits(name: str, info: DataInfo) -> bool:
    """Return whether a prepared data set is of the kind, shape and classes that a model of `info` takes."""
    own = read_info(artifacts.prepared(name))
    return (own.kind, own.shape, len(own.classes)) == (info.kind, info.shape, len(info.classes))


def known_data() -> str:
    """Return what the user may choose from: the names of the prepared data sets."""
    names = sorted(path.parent.name for path in artifacts.prepared("any").parent.glob("*/meta.json"))
    return f"prepared data sets: {', '.join(names) or 'none'}"


def open_phase(name: str, phase: str, info: DataInfo) -> Source:
    """Return a split, which may be empty, of a prepared data set.

    Raises:
        InputError: there is no such phase, or the data are damaged or not what a model of `info` takes.
    """
    if phase not in PHASES:
        raise InputError(f"{name}: no phase {phase!r}; {suggestion(phase, PHASES)}")
    folder = artifacts.prepared(name)
    own = read_info(folder)
    if not fits(name, info):
        raise InputError(f"data set {name}: {_described(own)}; the model takes {_described(info)}")
    split = load_split(folder, phase, own, torch.device("cpu"), with_text=True)
    named = _names(folder, phase)

    def read(index: Sequence[int]) -> Part:
        chosen = torch.tensor(list(index), dtype=torch.int64)
        text = None if split.text is None else split.text[chosen]
        return Part(split.stored(chosen), split.group[chosen], [named(number) for number in index], text)

    return Source(f"{name}, {phase}", own.groups, len(split), read, prepared=(name, phase))


def open_path(given: str, info: DataInfo, start: Start | None = None) -> Source:
    """Return the images in a directory, an image file or a NumPy file, in the size and channels of the model.

    Raises:
        InputError: there is nothing of that name, it holds no image, or it does not fit the model.
    """
    path = Path(given)
    if not path.exists():
        raise InputError(f"{given}: no such file or directory, and no prepared data set; {known_data()}")
    if not KINDS[info.kind].pictures:
        raise InputError(
            f"{given}: a model of {KINDS[info.kind].plural} takes the name of a prepared data set; {known_data()}"
        )
    if path.is_dir():
        return open_folder(path, info, start)
    if path.suffix.lower() == ".npy":
        return open_npy(path, info)
    if path.suffix.lower() in SUFFIXES:
        return open_file(path, info, start)
    raise InputError(f"{given}: expected a directory, a NumPy file (.npy) or an image ({' '.join(SUFFIXES)})")


def _names(folder: Path, phase: str) -> Callable[[int], str]:
    """What the examples of a phase are called: phase:index, and where meta.json says it their file and place in it."""
    meta = read_meta(folder)
    columns = load_columns(folder, phase, (*FILES, "top", "left"))
    numbered = next(
        ((columns[name], meta[key]) for name, key in FILES.items() if name in columns and key in meta), None
    )

    def named(number: int) -> str:
        if numbered is None:
            return f"{phase}:{number}"
        which, names = numbered
        file = str(names[int(which[number])])
        place = (int(columns[side][number]) for side in ("top", "left")) if "top" in columns else None
        return f"{phase}:{number} {Place(file, *place) if place else file}"

    return named


def _described(info: DataInfo) -> str:
    classes = f" of {len(info.classes)} classes" if info.classes else ""
    return f"{KINDS[info.kind].plural} {'x'.join(map(str, info.shape))}{classes}"
