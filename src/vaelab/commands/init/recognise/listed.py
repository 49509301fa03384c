"""Lists without a header: CelebA's `000001.jpg 0`, CUB's numbers of images with 1 for training, `cats/1.jpg cat`."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.found import Found
from vaelab.commands.init.recognise.labels import LABEL
from vaelab.commands.init.recognise.pictures import images
from vaelab.data.sources.image.tabled_groups import MOST_GROUPS
from vaelab.data.sources.listing import list_images
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.split_tables import NUMBERS
from vaelab.data.sources.tables import FILES

PARTITION, NUMBERED, NAMES = "list_eval_partition.txt", "train_test_split.txt", "images.txt"
IN_TRAIN = {"1": "train", "0": "test"}
TABLES, RECORDS = (".csv", ".tsv"), (".jsonl", ".ndjson")  # records as Hugging Face has them beside images
ENDINGS, MOST_LISTS = (".txt", ".lst", *TABLES, *RECORDS), 30
COVERED = 0.9  # of the images
BETWEEN = re.compile(r"[\s,;]+")
PLAIN = re.compile(r"[^\w .+()-]")

Row = tuple[str, str, str]  # name of an image, split, class; the latter may be empty


class Lists(NamedTuple):
    """What lists say: the split and the class of each image, by its path below the data; and the lists."""

    folder_of: dict[Path, Path]
    said: str
    files: list[Path]


def listed(path: Path) -> Found | None:
    """Return the data set of images that lists name, which the copy has in folders by split and class; None without."""
    pictures = list_images(path).files
    lists = _lists(path, pictures) if pictures else None
    found = images(path, sorted(lists.folder_of)) if lists else None
    if lists is None or found is None:
        return None
    root = Path(found.settings["path"])
    moved = {folder / file.relative_to(root): file for file, folder in lists.folder_of.items()}
    others = [file for file in sorted(files_of(path)) if file not in set(pictures)]
    rest = [file.as_posix() for file in others if file not in lists.files]
    moved |= {file: file for file in others}
    return found._replace(
        settings={**found.settings, "path": Path()}, said=[*found.said, lists.said], rest=rest, moved=moved
    )


def _lists(path: Path, pictures: Sequence[Path]) -> Lists | None:
    """What the lists at a path say; None where none says it of nearly all images."""
    every = [file for file in sorted(files_of(path)) if file.suffix.lower() in ENDINGS][:MOST_LISTS]
    named = {file.name.lower(): file for file in every}
    rows: list[Row]
    if PARTITION in named:
        used = [named[PARTITION]]
        rows = [(name, NUMBERS.get(value, ""), "") for name, value in _pairs(path / used[0])]
    elif {NUMBERED, NAMES} <= named.keys():
        used = [named[NUMBERED], named[NAMES]]
        names = dict(_pairs(path / used[1]))
        rows = [(names.get(number, ""), IN_TRAIN.get(value, ""), "") for number, value in _pairs(path / used[0])]
    else:
        known = known_names(pictures)
        used = [file for file in every if file.suffix.lower() not in TABLES or _is_headless(path / file, known)]
        rows = [(name, _split(file), label) for file in used for name, label in _pairs(path / file)]
    return _placed(rows, pictures, used)


def _placed(rows: Iterable[Row], pictures: Sequence[Path], used: list[Path]) -> Lists | None:
    known = known_names(pictures)
    below = {file.relative_to(file.parts[0]).as_posix(): file for file in pictures if len(file.parts) > 1}
    found: dict[Path, tuple[str, str]] = {}
    for name, phase, label in rows:
        file = below.get(name) or next(iter(files_named(name, known, Path())), None)
        if file and (phase or label):
            found.setdefault(file, (phase, label))
    labels = Counter(label for _, label in found.values())
    phases = Counter(phase for phase, _ in found.values())
    split = whole(phase for phase in phases if phase) and all(phases)
    classes = 2 <= len(labels) <= MOST_GROUPS and 2 * len(labels) <= labels.total()
    if len(found) <= COVERED * len(pictures) or not (split or classes):
        return None
    parts = {file: ([phase] * split, [PLAIN.sub("_", label)] * classes) for file, (phase, label) in found.items()}
    told = [_told(f"{len(labels)} groups", labels)] * classes + [_told("splits of their own", phases)] * split
    said = f"{'; '.join(told)}, in lists; the copy has them in folders"
    return Lists({file: Path(*phase, *label) for file, (phase, label) in parts.items()}, said, used)


def _split(file: Path) -> str:
    """The split that a list speaks of: by its name, or by the folder at the top that it is in."""
    return split_named(file.stem) or (split_named(file.parts[0]) if len(file.parts) > 1 else None) or ""


def _told(what: str, counts: Counter[str]) -> str:
    first = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(6))
    return f"{what}: {first}{', ...' * (len(counts) > 6)}"


def _pairs(path: Path) -> list[tuple[str, str]]:
    """The words of each line of two; nothing where the file cannot be read, or most lines have others."""
    if path.suffix.lower() in RECORDS:
        return _records(path)
    try:
        lines = [BETWEEN.split(line.strip()) for line in read_text(path).splitlines() if line.strip()]
    except UnreadableError:
        return []
    pairs = [(words[0], words[1]) for words in lines if len(words) == 2]
    return pairs if 2 * len(pairs) > len(lines) else []


def _records(path: Path) -> list[tuple[str, str]]:
    """The file and the class of each line of JSON."""
    try:
        rows = [json.loads(line) for line in read_text(path).splitlines() if line.strip()]
    except (UnreadableError, ValueError, RecursionError):
        return []
    if not all(isinstance(row, dict) for row in rows):
        return []
    names = {key for row in rows for key in row}
    file = next((name for name in FILES if name in names), "")
    label = next((name for name in sorted(names) if LABEL.fullmatch(name)), "")
    return [(str(row[file]), str(row[label])) for row in rows if file in row and label in row]


def _is_headless(path: Path, known: dict[str, list[Path]]) -> bool:
    """Whether the first line of a table names an image."""
    return any(files_named(name, known, Path()) for name, _ in _pairs(path)[:1])
