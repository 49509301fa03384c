"""Splits that files come with: top folders named for them (Train, valid, test), or lists of names (train.txt, val.txt),
or a column of a table.

Where there is train and test, but no val, the share of val is taken from train by a hash of each name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vaelab.data.sources.common import TABLE
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import find_lists, listed_phases
from vaelab.data.sources.split_names import perhaps_named, split_named, whole
from vaelab.data.sources.split_tables import table_beside, tabled_phases
from vaelab.data.sources.splits import parts_of_units
from vaelab.errors import InputError
from vaelab.params.datasets import Split


class Given(NamedTuple):
    """The splits of files, or none; and what is to be said of them."""

    phase_of: dict[Path, str]  # of the files that are in a split; none where files are to be shared out
    left_out: str  # why the others are in none
    rule: str  # for meta.json
    depth: int  # folders at the beginning of a path that name the split
    said: tuple[str, ...]  # what was found
    warnings: tuple[str, ...]


class Places(NamedTuple):
    """Where the files of a data set are, and lists of their names."""

    root: Path  # of the files
    beside: Path  # folder in which lists are looked for
    lists: str | None  # folder of lists, as the user names it
    where: str  # of the data set, in params
    units: Mapping[str, str] = {}  # what files share with others, by path below the root; by default nothing


def given_splits(files: Sequence[Path], places: Places, split: Split, seed: int) -> Given:
    """Return the splits that the files, relative to the root, come with; lists say more than folders.

    Raises:
        InputError: a list is missing or wrong: it names what is no file, or a file of another list.
    """
    if table := TABLE.fullmatch(places.lists or ""):
        return _with_val(_tabled(files, Path(table["path"]), table["column"], places), split, seed, places.units)
    lists = find_lists(places.beside, places.lists, places.where)
    if whole(lists):
        phases = listed_phases(files, lists, places.root, f"{places.where}.split_lists")
        names = ", ".join(f"{path.name} ({[*phases.values()].count(phase)})" for phase, path in lists.items())
        rule = f"lists {', '.join(path.name for path in lists.values())}, as given"
        said = f"the splits are those of {names}{_in_none(files, phases)}"
        given = Given(phases, "in no list of a split", rule, 0, (said,), ())
        return _with_val(given, split, seed, places.units)
    folders = _split_folders(files)
    if not whole(folders.values()):
        warnings = _warnings(files, folders, lists, places)
        beside = None if places.lists else table_beside(places.beside)
        return _beside(beside, files, places, split, seed, warnings) if beside else _none(warnings)
    phases = {file: folders[file.parts[0]] for file in files if file.parts[0] in folders and len(file.parts) > 1}
    said = ", ".join(f"{folder} is {phase}" for folder, phase in sorted(folders.items()) if folder != phase)
    left_out = "outside the folders train, val and test, which are the splits"
    given = Given(phases, left_out, "top folders, as given", 1, (f"of the folders, {said}",) if said else (), ())
    return _with_val(given, split, seed, places.units)


def _none(warnings: Sequence[str]) -> Given:
    return Given({}, "", "by a hash of the path", 0, (), tuple(warnings))


def _beside(
    table: tuple[Path, str], files: Sequence[Path], places: Places, split: Split, seed: int, warnings: list[str]
) -> Given:
    """As a table beside the files says; where it does not fit them, that is warned of."""
    path, column = table
    try:
        return _with_val(_tabled(files, path, column, places), split, seed, places.units)
    except InputError as error:
        option = f"{places.where}.split_lists"
        wrong = str(error).removeprefix(f"{option}: ")
        mend = f"to have them, mend it and set {option}: {path}:{column}"
        return _none(
            [*warnings, f"column {column!r} of a table looks like splits, which it does not give: {wrong}; {mend}"]
        )


def _tabled(files: Sequence[Path], path: Path, column: str, places: Places) -> Given:
    """As a table says."""
    phases = tabled_phases(files, path, column, places.root, f"{places.where}.split_lists")
    counts = ", ".join(f"{phase} {count}" for phase, count in sorted(Counter(phases.values()).items()))
    said = f"the splits are those of column {column} of {path}: {counts}{_in_none(files, phases)}"
    return Given(phases, f"in no split by {path}", f"column {column} of {path}, as given", 0, (said,), ())


def _in_none(files: Sequence[Path], phases: Mapping[Path, str]) -> str:
    """What to say of files that are in no split."""
    none = f"; {len(files) - len(phases)} of {len(files)} files are in none and left out"
    return none if len(phases) < len(files) else ""


def _split_folders(files: Sequence[Path], level: int = 0) -> dict[str, str]:
    """The split of each folder of a level that names one."""
    names = {file.parts[level] for file in files if len(file.parts) > level + 1}
    return {name: phase for name in names if (phase := split_named(name))}


def _with_val(given: Given, split: Split, seed: int, units: Mapping[str, str]) -> Given:
    """Val out of train, where there is none."""
    train = [file for file, phase in given.phase_of.items() if phase == "train"]
    if "val" in given.phase_of.values() or len(train) < 2:
        return given
    names = [units.get(file.as_posix(), file.as_posix()) for file in train]
    if len(set(names)) < 2:
        return given
    part = parts_of_units(names, (split.train, split.val), seed)
    val = [file for file, index in zip(train, part.tolist(), strict=True) if index]
    said = f"there is no val: {len(val)} of {len(train)} files of train are taken, by a hash of the path"
    rule = f"{given.rule}; val by a hash of the path, out of train"
    return given._replace(phase_of=given.phase_of | dict.fromkeys(val, "val"), rule=rule, said=(*given.said, said))


def _warnings(files: Sequence[Path], folders: dict[str, str], lists: dict[str, Path], places: Places) -> list[str]:
    """Folders and lists that look like splits, but are not taken as such."""
    found, instead = [], f"or give lists of names, train.txt and val.txt, in {places.where}.split_lists"
    tops = {file.parts[0] for file in files if len(file.parts) > 1}
    perhaps = {name: phase for name in tops if (phase := perhaps_named(name))}
    folders = perhaps if whole(perhaps.values()) else folders
    if folders:
        count = sum(file.parts[0] in folders for file in files if len(file.parts) > 1)
        names = ", ".join(sorted(map(printable, folders)))
        need = "splits are train and val (or test) together; add the folder that is missing, or name it so"
        found.append(f"the folders {names} are groups here, with {count} of {len(files)} files: {need}, {instead}")
    if lists:
        names = ", ".join(path.name for path in lists.values())
        found.append(f"{names} is not read: lists are train and val (or test) together, beside the files")
    inner = _split_folders(files, 1)
    if whole(inner.values()):
        above = Counter(file.parts[0] for file in files if len(file.parts) > 2 and file.parts[1] in inner)
        names = ", ".join(sorted(map(printable, inner)))
        path = f"{places.where}.path" + (f" may end in /{printable(*above)}" if len(above) == 1 else "")
        text = f"folders {names}, with {above.total()} of {len(files)} files, are below the top and no splits"
        found.append(f"{text}: {path}, {instead}")
    return found
