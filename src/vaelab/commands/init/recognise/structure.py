"""What the folders of images, and lists beside them, say of splits and groups."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vaelab.commands.init.recognise.named_columns import FEWEST_UNITS
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.split_tables import table_beside

SHOWN = 6
UNIT_FOLDER = re.compile(
    r"(?:patient|subject|participant|specimen|animal|case|pat|sub|p|s)[ _-]?\d+|[A-Z][A-Z_-]+[_-]\d{3,}(?:[-_]\w+)*",
    re.IGNORECASE | re.ASCII,
)


def structure(root: Path, files: Sequence[Path]) -> list[str]:
    """Return what to say of splits and groups of files below `root`, which the source takes by itself."""
    given = _splits(root, files)
    return [*given, *_groups(files, bool(given))]


def unit_folders(root: Path, files: Sequence[Path]) -> str:
    """Return the expression that finds the folder of a patient in a path, P012 or subject_7; empty where none is."""
    if _splits(root, files):
        return ""
    for depth in range(min(len(file.parts) for file in files) - 1):
        names = {file.parts[depth] for file in files}
        if len(names) >= FEWEST_UNITS and all(map(UNIT_FOLDER.fullmatch, names)):
            return f"^{'[^/]+/' * depth}([^/]+)/"
    return ""


def common_folder(files: Sequence[Path]) -> Path:
    """Return the folder that holds all files, so that it is no group."""
    root = Path()
    while len(tops := {file.relative_to(root).parts[0] for file in files}) == 1:
        (top,) = tops
        if any(file.relative_to(root).parts[1:] == () for file in files):
            break
        root /= top
    return root


def _splits(root: Path, files: Sequence[Path]) -> list[str]:
    """What to say of splits that the files come with, which the source takes."""
    tops = Counter(file.parts[0] for file in files if len(file.parts) > 1)
    named = {top: count for top, count in tops.items() if split_named(top)}
    lists = [file.name for file in sorted(root.iterdir()) if file.suffix in (".txt", ".lst") and split_named(file.stem)]
    if whole(phase for top in named if (phase := split_named(top))):
        return [f"splits of their own, in folders: {', '.join(f'{top} {count}' for top, count in named.items())}"]
    if whole(phase for name in lists if (phase := split_named(Path(name).stem))):
        return [f"splits of their own, in lists: {', '.join(lists)}"]
    if beside := table_beside(root):
        return [f"splits of their own, in column {beside[1]} of {printable(beside[0].name)}"]
    return []


def _groups(files: Sequence[Path], given: bool) -> list[str]:
    """What to say of folders that are groups."""
    depth = 1 if given and all(len(file.parts) > 1 for file in files) else 0
    groups = Counter(file.parts[depth] for file in files if len(file.parts) > depth + 1)
    if len(groups) < 2:
        return []
    first = ", ".join(f"{printable(name)} {count}" for name, count in groups.most_common(SHOWN))
    return [f"{len(groups)} groups, by folder: {first}{', ...' if len(groups) > SHOWN else ''}"]
