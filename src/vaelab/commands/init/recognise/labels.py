"""Tables and lists beside images: which column is the class, which the split, which what must not be parted."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.named_columns import is_number, is_unit
from vaelab.data.sources.file_columns import column_of_files, files_of_table, share_of_files
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, find_lists, known_names, listed_phases
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.split_tables import NUMBERED, USUAL, tabled_phases
from vaelab.data.sources.tables import Table, csv_table
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

ROWS = 50_000  # that are looked at
MOST_TABLES = 30
LABEL = re.compile(
    r"(?:.*[ _-])?(?:labels?|class(?:es)?|class_?names?|targets?|category|species|breed|dx|diagnos[ie]s|y|type)"
    r"(?:[ _-]?(?:names?|ids?))?", re.IGNORECASE)  # fmt: skip
CASE = re.compile(
    r"(?:.*[ _-])?(?:lesion|patient|subject|study|specimen|identity|person|animal|case)[ _-]?(?:id)?", re.I
)
MOST_CLASSES, FEWEST_OF_ONE = 100, 2  # groups, and rows of one on average
COVERED = 0.5  # of the images, that a table or lists must name


class Labels(NamedTuple):
    """Options of a data set of images that a table or lists give; why; and what to say of it."""

    settings: dict[str, Any]
    why: dict[str, str]
    said: list[str]
    files: list[Path]  # that are used, below the data


NOTHING = Labels({}, {}, [], [])


def labels_of(path: Path, root: Path, files: Sequence[Path]) -> Labels:
    """Return what tables and lists at a path say of images.

    Args:
        path: of the data.
        root: of the images, below it.
        files: the images, below `root`.
    """
    found = NOTHING
    every = sorted(files_of(path))
    tables = [file for file in every if table_ending(file) in (".csv", ".tsv")]
    for place in tables[:MOST_TABLES]:
        try:
            one = _of_table(path, place, root, files)
        except InputError:
            continue
        found = _joined(found, one)
    lists = _of_lists(path, every, root, files) if "split_lists" not in found.settings else NOTHING
    return _joined(found, lists)


def _joined(found: Labels, more: Labels) -> Labels:
    """Both; of an option that both have, that of the first."""
    new = {key: value for key, value in more.settings.items() if key not in found.settings}
    if not new:
        return found
    why = {key: text for key, text in more.why.items() if key in new}
    return Labels({**found.settings, **new}, {**found.why, **why}, found.said + more.said, found.files + more.files)


def _of_table(path: Path, place: Path, root: Path, files: Sequence[Path]) -> Labels:
    table = csv_table(path / place, place.as_posix())
    own = files_of_table(place, files)
    known = known_names(own)
    column = column_of_files(table, known, path / root)
    headless = files_named(column, known, path / root)  # its first line is a row, as in lists
    if headless or column not in table.names or not (cells := _cells(table)):
        return NOTHING
    named = cells.pop(column)
    if share_of_files(named, known, path / root) <= COVERED or len(set(named)) < COVERED * len(own):
        return NOTHING
    said, settings, why = list[str](), dict[str, Any](), dict[str, str]()
    if split := next((name for name in cells if _is_split(name, cells[name])), ""):
        del cells[split]
        if _gives_splits(path, place, split, root, files):
            settings["split_lists"] = place.with_name(f"{place.name}:{split}")
            why["split_lists"] = "guessed: the column says train, val or test"
    unit = next((name for name in cells if CASE.fullmatch(name) and _are_units(name, cells[name])), "")
    if unit:
        settings["group_by"] = place.with_name(f"{place.name}:{unit}")
        why["group_by"] = f"guessed: {len(set(cells.pop(unit))):,} in all; files of one are never in two splits"
    if label := _label(cells):
        settings["groups"] = place.with_name(f"{place.name}:{label}")
        why["groups"] = "guessed: the classes of the images, which are measured apart"
        said = [_told(label, cells)]
    return Labels(settings, why, said, [place]) if settings else NOTHING


def _cells(table: Table) -> dict[str, list[str]]:
    names = [name for name in table.names if name and table.names.count(name) == 1]
    cells: dict[str, list[str]] = {name: [] for name in names}
    for chunk in table.read(names, []):
        for name in names:
            cells[name] += [str(cell).strip() for cell in chunk.columns[name]]
        if len(cells[names[0]]) >= ROWS:
            break
    return cells if names and cells[names[0]] else {}


def _is_split(name: str, column: Sequence[str]) -> bool:
    values = set(column) - {""}
    if name.lower() == NUMBERED and values <= {"0", "1", "2"}:
        return len(values) > 1
    return name.lower() in USUAL and len(values) > 1 and all(map(split_named, values))


def _gives_splits(path: Path, place: Path, column: str, root: Path, files: Sequence[Path]) -> bool:
    try:
        phases = tabled_phases(files, path / place, column, path / root, "")
    except InputError:
        return False
    return len(phases) > COVERED * len(files)


def _are_units(name: str, column: Sequence[str]) -> bool:
    counts = Counter(column)
    return is_unit(name, column) or (
        "" not in counts and 10 <= len(counts) < len(column) and len(counts) > 0.05 * len(column)
    )


def _label(cells: Mapping[str, Sequence[str]]) -> str:
    """The column of classes, or those of 0 and 1 of which each row has one 1, joined by commas."""
    alone = len(cells) == 1  # beside the names of files
    fitting = [name for name in cells if alone or LABEL.fullmatch(name)]
    named = [name for name in fitting if _are_classes(cells[name], numbers=True)]
    if named:
        return named[0]
    marks = [
        name for name, column in cells.items() if {*map(_mark, column)} <= {0.0, 1.0} and not set(name) & {",", ":"}
    ]
    if len(marks) > 1 and all(sum(map(_mark, row)) == 1 for row in zip(*(cells[name] for name in marks), strict=True)):
        return ",".join(marks)
    return next((name for name, column in cells.items() if name not in marks and _are_classes(column, False)), "")


def _mark(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return -1.0


def _are_classes(column: Sequence[str], numbers: bool) -> bool:
    counts = Counter(cell for cell in column if cell)
    if not 2 <= len(counts) <= MOST_CLASSES * 10 or counts.total() < FEWEST_OF_ONE * len(counts):
        return False
    return numbers or (len(counts) <= MOST_CLASSES and not all(map(is_number, counts)))


def _told(label: str, cells: Mapping[str, Sequence[str]]) -> str:
    if label in cells:
        counts = Counter(cells[label]).most_common()
    else:
        columns = label.split(",")
        counts = Counter({name: sum(map(_mark, cells[name])) for name in columns}).most_common()
    first = ", ".join(f"{printable(name) or '(none)'} {int(count):,}" for name, count in counts[:6])
    return f"{len(counts)} groups, by label: {first}{', ...' * (len(counts) > 6)}"


def _of_lists(path: Path, every: Sequence[Path], root: Path, files: Sequence[Path]) -> Labels:
    """The folder of lists, train.txt and val.txt or test.txt, that name most images; those beside them need none."""
    best, most = NOTHING, COVERED * len(files)
    for folder in sorted({file.parent for file in every if file.suffix.lower() == ".txt"} - {root}):
        try:
            lists = find_lists(path / folder, None, "")
            phases = listed_phases(files, lists, path / root, "") if len(lists) > 1 and "train" in lists else {}
        except InputError:
            continue
        if len(phases) > most:
            most = len(phases)
            counts = Counter(phases.values())
            said = ", ".join(f"{file.name} {counts[phase]}" for phase, file in lists.items())
            why = f"guessed: {said}, of {len(files)} images"
            used = [folder / file.name for file in lists.values()]
            best = Labels({"split_lists": folder}, {"split_lists": why}, [], used)
    return best
