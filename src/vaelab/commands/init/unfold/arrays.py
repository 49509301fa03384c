"""Arrays of images, in one file or in a folder, as a folder of shards."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.commands.init.copying import check_space, files_of
from vaelab.commands.init.recognise.found import not_understood
from vaelab.commands.init.recognise.named_columns import FEWEST_UNITS
from vaelab.commands.init.recognise.structure import UNIT_FOLDER
from vaelab.commands.init.unfold.array_files import Named, Room, arrays_in, reader_of, told
from vaelab.commands.init.unfold.forms import FEWEST, form_of
from vaelab.commands.init.unfold.roles import Part, class_names, one_each, parts_of
from vaelab.commands.init.unfold.shards import ALL, levels_in, said, write_shards
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError

SHOWN, MOST_READ = 8, 2000
EXPECTED = """\
expected images as [N, H, W], [N, H, W, C] or [N, C, H, W], or as rows of a square's pixels, 10 at least. Save them,
  in Python, by np.savez("mine.npz", images=images, labels=labels), and `vaelab init --data mine.npz`; or as files,"""


class Converted(NamedTuple):
    """A folder of shards, and what to say of it."""

    folder: Path
    said: list[str]
    rest: list[str]  # arrays and files that are not used
    value_range: list[float] | None  # of files of more than 8 bits
    units: bool  # groups are patients, or the like


def converted(path: Path, folder: Path) -> Converted | InputError | None:
    """Write the images of arrays at a path as shards to a folder; None where there is no array.

    Args:
        path: a file, or a folder.
        folder: to be made.

    Returns:
        What was written; or why nothing was.
    """
    root = path.parent if path.is_file() else path
    every = [Path(path.name)] if path.is_file() else sorted(files_of(path))
    twice = {file.with_name(f"{file.name}.gz") for file in every}
    files = [file for file in every if file not in twice and reader_of(root / file)][:MOST_READ]
    if not files:
        return None
    others = [file for file in every if file not in {*files, *twice}]
    check_space(sum((root / file).stat().st_size for file in files), folder.parent, path)
    with ExitStack() as stack:
        scratch = folder.with_name(f"{folder.name}.unpacked")
        scratch.mkdir()
        arrays, wrong = _read(root, files, Room(scratch, stack))
        names = class_names(root, [file.name for file in others if file.parent == Path()])
        arrays += names
        others = [file for file in others if file not in {named.file for named in names}]
        if parts := _parts(arrays):
            return _written(parts, arrays, wrong, [file.as_posix() for file in others], path, folder)
    listed = "\n  ".join([*wrong, *map(told, arrays)][:SHOWN])
    return not_understood(path, f"holds no array of images:\n  {listed}", EXPECTED)


def _read(root: Path, files: Sequence[Path], room: Room) -> tuple[list[Named], list[str]]:
    arrays, wrong = list[Named](), list[str]()
    for file in files:
        try:
            arrays += arrays_in(root, file, room)
        except UnreadableError as error:
            wrong.append(f"{file.as_posix()}: {error}")
    return arrays, wrong


def _parts(arrays: Sequence[Named]) -> list[Part]:
    """The images of arrays; also where each file has one."""
    if parts := parts_of(arrays):
        return parts if sum(part.form.number for part in parts) >= FEWEST else []
    ones = one_each(arrays)
    if len(ones) < max(FEWEST, len({named.file for named in arrays}) / 2):
        return []
    parts = []
    for named in ones:
        one = named._replace(array=np.asarray(named.array[:])[None])
        form = form_of(np.broadcast_to(one.array, (2, *one.array.shape[1:])))
        if form:
            group = named.file.parts[0] if len(named.file.parts) > 1 else ""
            parts.append(Part(one, form._replace(number=1), "", [group] if group else []))
    return parts


def _written(
    parts: Sequence[Part], arrays: Sequence[Named], wrong: list[str], others: list[str], path: Path, folder: Path
) -> Converted | InputError:
    levels = levels_in(parts)
    if levels.classes:
        text = "whole numbers from 0 to less than 32, which are classes rather than levels"
        mend = 'Multiply them, where they are levels; save them, where they are classes: np.save("grids.npy", x),'
        return not_understood(path, f"{told(parts[0].named)}: {text}", mend, "source: npy, train: {place}/train.npy")
    written = write_shards(parts, levels, folder)
    used = {(part.named.file, part.named.key) for part in parts}
    rest = [told(named) for named in arrays if (named.file, named.key) not in used and form_of(named.array)]
    ends = [levels.low, levels.high] if levels.deep else None
    units = len(written.classes) >= FEWEST_UNITS and all(map(UNIT_FOLDER.fullmatch, written.classes))
    return Converted(
        folder, said(written, parts[0].form), [*wrong, *rest, *others], ends, units and ALL in written.images
    )
