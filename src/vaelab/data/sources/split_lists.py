"""Lists of names, one a line, that say which files are in which split: train.txt, val.txt, test.txt."""

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_names import split_named, whole
from vaelab.errors import InputError

ENDINGS = (".txt", ".lst")
BOTH = "trainval"  # list of train and val, which is that of train where there is no other
COMMENT = "#"
MAX_LISTED = 5
MAX_BYTES = 2**28


def find_lists(beside: Path, folder: str | None, where: str) -> dict[str, Path]:
    """Return the lists by split that `folder` holds, or where none is named, those beside the files.

    Raises:
        InputError: a folder is named and lacks them, or two lists are of one split.
    """
    root, place = (beside, f"{where}.path") if folder is None else (Path(folder), f"{where}.split_lists")
    if folder is not None and not root.is_dir():
        raise InputError(f"{place}: {root} is not a directory; expected one with train.txt and val.txt or test.txt")
    lists: dict[str, Path] = {}
    paths = [path for path in sorted(root.iterdir()) if path.suffix.lower() in ENDINGS and path.is_file()]
    both = not any(split_named(path.stem) == "train" for path in paths)
    for path in paths:
        phase = "train" if both and path.stem.lower() == BOTH else split_named(path.stem)
        if phase in lists:
            names = f"{printable(lists[phase].name)} and {printable(path.name)}"
            raise InputError(f"{place}: {names} in {root} are both lists of {phase}; expected one")
        if phase:
            lists[phase] = path
    if folder is not None and not whole(lists):
        found = ", ".join(printable(path.name) for path in lists.values()) or "none"
        raise InputError(f"{place}: expected train.txt and val.txt or test.txt in {root}; found {found}")
    return {phase: lists[phase] for phase in ("train", "val", "test") if phase in lists}


def listed_phases(files: Sequence[Path], lists: dict[str, Path], root: Path, place: str) -> dict[Path, str]:
    """Return the split of each file that a list names: by its path below `root`, or its name, with ending or without.

    Raises:
        InputError: a line names no file, or several, or a file is in two lists.
    """
    known, phases, count = known_names(files), dict[Path, str](), 0
    twice, unknown = list[str](), list[str]()
    for phase, path in lists.items():
        for line in _lines(path, place):
            found, count = _found(line, known, root), count + 1
            if not found and line.startswith(COMMENT):
                continue
            if len(found) > 1:
                names = ", ".join(printable(file.as_posix()) for file in found[:MAX_LISTED])
                raise InputError(f"{place}: {path.name}: {line!r} may be any of {names}; expected its path")
            if not found:
                unknown.append(f"{line!r} ({path.name})")
            elif phases.setdefault(found[0], phase) != phase:
                twice.append(f"{line!r} ({lists[phases[found[0]]].name}, {path.name})")
    if unknown:
        near = difflib.get_close_matches(unknown[0].split("'")[1], [file.as_posix() for file in files[:5000]], n=1)
        such = printable(near[0] if near else files[0].as_posix())
        text = f"{len(unknown)} names of {count} are no files below {root}, which has {such!r}: {_few(unknown)}"
        raise InputError(f"{place}: {text}")
    if twice:
        raise InputError(f"{place}: {len(twice)} names are in two lists; expected each in one: {_few(twice)}")
    return phases


def _lines(path: Path, place: str) -> Iterator[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{place}: {path}: {path.stat().st_size} bytes; expected a list of names, one a line")
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise InputError(f"{place}: {path}: cannot be read: {error.strerror or error}") from None
    yield from (line.strip() for line in lines if line.strip())


def known_names(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the files by what may name them."""
    known: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        for name in {file.as_posix(), file.with_suffix("").as_posix(), file.name, file.stem}:
            known[name].append(file)
    return known


def _found(line: str, known: Mapping[str, list[Path]], root: Path) -> list[Path]:
    """The files that a line names: the whole line, or what stands before a blank, a tab or a comma in it."""
    texts = (line, line.split(",")[0].split("\t")[0].strip(), line.split()[0])
    return next((found for text in texts if (found := files_named(text, known, root))), [])


def files_named(text: str, known: Mapping[str, list[Path]], root: Path) -> list[Path]:
    """Return the files that a name may mean, by `known_names`; none where there is no such file."""
    name = text.replace("\\", "/") if text not in known else text
    for start in ("", "./", f"{root.as_posix()}/", f"{root.name}/"):
        found = known.get(name.removeprefix(start), []) if name.startswith(start) else []
        exact = [file for file in found if file.as_posix() == name.removeprefix(start)]
        if found:
            return exact or found
    return []


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(printable, names[:MAX_LISTED])) + ", ..." * (len(names) > MAX_LISTED)
