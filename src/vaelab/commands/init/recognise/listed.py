"""Splits in lists without a header: CelebA's `000001.jpg 0`, and CUB's numbers of images with 1 for training."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.found import Found
from vaelab.commands.init.recognise.pictures import images
from vaelab.data.format.info import PHASES
from vaelab.data.sources.listing import list_images
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.split_tables import NUMBERS

PARTITION, NUMBERED, NAMES = "list_eval_partition.txt", "train_test_split.txt", "images.txt"
LISTS = (PARTITION, NUMBERED, NAMES)
IN_TRAIN = {"1": "train", "0": "test"}
COVERED = 0.9  # of the images


def listed(path: Path) -> Found | None:
    """Return the data set of images that such lists split, which the copy has in folders; None without such lists."""
    phases = _phases(path)
    if not phases:
        return None
    found = images(path, sorted(phases))
    if found is None:
        return None
    root = Path(found.settings["path"])
    moved = {Path(phase) / file.relative_to(root): file for file, phase in phases.items()}
    pictures = set(list_images(path).files)
    others = [file for file in sorted(files_of(path)) if file not in pictures]
    moved |= {file: file for file in others}
    rest = [file.as_posix() for file in others if file.name.lower() not in LISTS]
    counts = Counter(phases.values())
    told = ", ".join(f"{phase} {counts[phase]:,}" for phase in PHASES if counts[phase])
    said = [*found.said, f"splits of their own, in a list: {told}; the copy has them in folders"]
    return found._replace(settings={**found.settings, "path": Path()}, said=said, rest=rest, moved=moved)


def _phases(path: Path) -> dict[Path, str]:
    """The split of each image, by its path below the data; none where no list says it of nearly all."""
    every = sorted(files_of(path))
    lists = {file.name.lower(): path / file for file in every if file.name.lower() in LISTS}
    try:
        if PARTITION in lists:
            rows = [(name, NUMBERS.get(value)) for name, value in _pairs(lists[PARTITION])]
        elif {NUMBERED, NAMES} <= lists.keys():
            names = dict(_pairs(lists[NAMES]))
            rows = [(names.get(number, ""), IN_TRAIN.get(value)) for number, value in _pairs(lists[NUMBERED])]
        else:
            return {}
    except UnreadableError:
        return {}
    return _of_files(rows, list_images(path).files)


def _of_files(rows: Sequence[tuple[str, str | None]], files: Sequence[Path]) -> dict[Path, str]:
    known, phases = known_names(files), dict[Path, str]()
    below = {file.relative_to(file.parts[0]).as_posix(): file for file in files if len(file.parts) > 1}
    for name, phase in rows:
        file = below.get(name) or next(iter(files_named(name, known, Path())), None)
        if phase and file:
            phases[file] = phase
    return phases if len(phases) > COVERED * len(files) else {}


def _pairs(path: Path) -> list[tuple[str, str]]:
    """The first and the last word of each line with two. Raises UnreadableError where it cannot be read."""
    lines = (line.rsplit(maxsplit=1) for line in read_text(path).splitlines())
    return [(words[0], words[1]) for words in lines if len(words) == 2]
