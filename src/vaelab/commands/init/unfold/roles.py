"""Which arrays are images, which of them are of which split, and which say the classes of these images."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.commands.init.unfold.array_files import Named
from vaelab.commands.init.unfold.forms import Form, form_of, single
from vaelab.data.sources.split_names import split_named, whole

WORD = re.compile(r"[\W_]+")
IMAGES = ("images", "image", "imgs", "img", "x", "data", "pixels", "faces", "inputs", "features")  # the first is best
LABELS = ("fine", "label", "labels", "y", "target", "targets", "class", "classes", "category", "categories", "digit")
COARSE = "coarse"
MASKS = {"mask", "masks", "seg", "segmentation", "annotations", "gt"}
WEIGHTS = re.compile(r".*(?:weight|bias|kernel)(?::\d+)?", re.IGNORECASE)  # of a network
NAMES = re.compile(r".*(?:names|classes)")
BATCH, TENTH = re.compile(r"data_batch_\d+"), "t10k"  # CIFAR's training images, MNIST's test images
MOST_CLASSES = 200


class Part(NamedTuple):
    """Images of one split, or of none."""

    named: Named
    form: Form
    phase: str
    classes: list[str]  # of each image; none where nothing says them


def parts_of(arrays: Sequence[Named]) -> list[Part]:
    """Return the images of arrays with their splits and classes; none where no array holds images."""
    forms = [(named, form) for named in arrays if not _is_label(named) and (form := form_of(named.array))]
    chosen = _best(forms)
    phases = {id(named): phase_of(named) for named, _ in chosen}
    if not whole(phase for phase in phases.values() if phase) or not all(phases.values()):
        phases = dict.fromkeys(phases, "")
    names = next((texts for named in arrays if (texts := _class_names(named))), [])
    apart = len(chosen) > 1 and not any(phases.values()) and len({named.file for named, _ in chosen}) == len(chosen)
    stems = _stems([named.file for named, _ in chosen])
    parts = []
    for named, form in chosen:
        given = _classes(named, form, arrays, names)
        classes = given or ([stems[named.file]] * form.number if apart else [])
        parts.append(Part(_in_memory(named, form), form, phases[id(named)], classes))
    every = {text for part in parts for text in part.classes}
    return [part._replace(classes=part.classes if len(every) <= MOST_CLASSES else []) for part in parts]


def phase_of(named: Named) -> str:
    """Return the split that the name of an array says, or that of its file: x_train, t10k-images, test/images."""
    for text in (named.key, named.file.name.split(".")[0], named.file.parent.name):
        if BATCH.fullmatch(text):
            return "train"
        words = WORD.split(text.lower())
        found = {"test" if word == TENTH else split_named(word) for word in words if not word.isdigit()} - {None}
        if len(found) == 1:
            return str(found.pop())
    return ""


def one_each(arrays: Sequence[Named]) -> list[Named]:
    """Return the image of each file that holds one: by its name, else the largest."""
    best: dict[Path, tuple[tuple[int, int], Named]] = {}
    for named in arrays:
        words = _words(named)
        side = single(named.array.shape)
        if side is None or named.array.dtype.kind not in "buif" or words & MASKS or words & set(LABELS[1:]):
            continue
        rank = _rank(named, Form(1, *side, False, None))
        if named.file not in best or rank > best[named.file][0]:
            best[named.file] = rank, named
    return [named for _, named in best.values()]


def class_names(path: Path, names: Sequence[str]) -> list[Named]:
    """Return the names of classes that texts beside arrays have, one a line: CIFAR's batches.meta.txt."""
    found = []
    for name in names:
        if name.endswith(".txt") and ("meta" in name or "names" in name or "classes" in name):
            lines = (path / name).read_text(encoding="utf-8", errors="replace").split("\n")
            found.append(Named(Path(name), "names", np.array([line.strip() for line in lines if line.strip()])))
    return found


def _best(forms: Sequence[tuple[Named, Form]]) -> list[tuple[Named, Form]]:
    """Of each file, or of each split in it, the images by their name, else the most; all of one kind."""
    best: dict[tuple[Path, str], tuple[Named, Form]] = {}
    for named, form in forms:
        place = (named.file, phase_of(named))
        if place not in best or _rank(named, form) > _rank(*best[place]):
            best[place] = (named, form)
    if not best:
        return []
    channels, _ = max((_values(form), form.channels) for _, form in best.values())[1], None
    return [pair for pair in best.values() if pair[1].channels == channels]


def _rank(named: Named, form: Form) -> tuple[int, int]:
    words = set(WORD.split(named.key.lower()))
    return max((len(IMAGES) - place for place, name in enumerate(IMAGES) if name in words), default=0), _values(form)


def _values(form: Form) -> int:
    return form.number * form.height * form.width * form.channels


def _words(named: Named) -> set[str]:
    return set(WORD.split(f"{named.file.stem.lower()} {named.key.lower()}"))


def _is_label(named: Named) -> bool:
    return bool(_words(named) & MASKS or WEIGHTS.fullmatch(named.key)) or np.prod(named.array.shape[1:], dtype=int) < 2


def _classes(images: Named, form: Form, arrays: Sequence[Named], names: Sequence[str]) -> list[str]:
    """The class of each image: of an array of as many, in the same file before others, by name."""
    fitting = [named for named in arrays if named is not images and len(named.array.shape) and _fits(named, form)]
    same = [named for named in fitting if named.file == images.file and phase_of(named) == phase_of(images)]
    others = [named for named in fitting if named.file != images.file and phase_of(named) == phase_of(images)]
    for named in sorted(same, key=_label_rank) + sorted(others, key=_label_rank):
        if _label_rank(named) < len(LABELS) or named in same:
            values = _one_each(named, form.number)
            if len(set(values)) > 1 or (values and phase_of(images)):
                return [_named(value, names) for value in values]
    return []


def _label_rank(named: Named) -> int:
    words = _words(named)
    if COARSE in words:
        return len(LABELS) - 1
    return min((place for place, name in enumerate(LABELS) if name in words), default=len(LABELS))


def _fits(named: Named, form: Form) -> bool:
    shape = named.array.shape
    return form.number in shape and bool(np.prod(shape, dtype=int) <= MOST_CLASSES * form.number)


def _one_each(named: Named, number: int) -> list[Any]:
    """The values of an array, one for each image; also of one column for each class; none where they are no classes."""
    values = np.asarray(named.array[:]).squeeze()
    if values.ndim == 2 and len(values) == number and set(np.unique(values)) <= {0, 1} and (values.sum(1) == 1).all():
        values = values.argmax(1)
    if values.shape != (number,) or values.dtype.kind not in "buifUS":
        return []
    if values.dtype.kind == "f" and not (np.mod(values, 1) == 0).all():
        return []
    found = [str(value) for value in values] if values.dtype.kind in "US" else [int(value) for value in values]
    return found if len(set(found)) <= max(2, min(MOST_CLASSES, number // 2)) else []


def _named(value: Any, names: Sequence[str]) -> str:
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else str(value)


def _class_names(named: Named) -> list[str]:
    if named.array.dtype.kind != "U" or named.array.ndim != 1 or not NAMES.fullmatch(named.key.lower()):
        return []
    coarse = COARSE in WORD.split(named.key.lower())
    return [] if coarse else [str(name) for name in named.array]


def _stems(files: Sequence[Path]) -> dict[Path, str]:
    """The names of files, without what all of them begin with."""
    stems = {file: file.name.split(".")[0] for file in files}
    first, last = min(stems.values(), default=""), max(stems.values(), default="")
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    start = max(first[:same].rfind(mark) for mark in "_- ") + 1
    return {file: stem[start:] for file, stem in stems.items()}


def _in_memory(named: Named, form: Form) -> Named:
    """The array, read at once where images are not one after the other in it."""
    return named._replace(array=np.asarray(named.array[:])) if form.last else named
