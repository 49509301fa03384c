"""What lies at a path as a folder that a source can read: unpacked, converted, or as it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vaelab.commands.init.project import staged
from vaelab.commands.init.recognise import arrays as splits_of_arrays
from vaelab.commands.init.recognise.found import Found
from vaelab.commands.init.recognise.layouts import recognise
from vaelab.commands.init.unfold.archives import is_archive, unpacked, unpacked_folder
from vaelab.commands.init.unfold.arrays import Converted, converted
from vaelab.data.sources.image.layout import NO_GROUPS
from vaelab.data.sources.listing import list_images, printable
from vaelab.data.sources.paged_files import PAGED
from vaelab.errors import InputError

PAGES = (*PAGED, ".tif", ".tiff")  # files that hold many images
SPLITS = "splits of their own"  # which the counts of arrays say


class Unfolded(NamedTuple):
    """What was found, and where the files are that it speaks of."""

    found: Found
    path: Path


@contextmanager
def unfolded(source: Path, project: Path) -> Iterator[Unfolded]:
    """Yield what lies at a path; what is unpacked or converted for it is there while the block lasts.

    Raises:
        InputError: it cannot be used as it is; says what to do and to write.
    """
    name = source.name.split(".")[0] or "data"
    with staged(project) as room:
        place, said = source, list[str]()
        if source.is_file() and is_archive(source):
            inside = unpacked(source, room / "archive" / name)
            place, said = (inside, [f"{printable(source.name)} is unpacked in the copy"]) if inside else (source, said)
        if place.is_dir() and (inside := unpacked_folder(place, room / "archives" / name)):
            place, said = inside, [*said, "archives are unpacked in the copy"]
        with _named(place, source):
            yield _looked_at(place, source, room / name, said)


def _looked_at(place: Path, source: Path, target: Path, said: Sequence[str]) -> Unfolded:
    problem = None
    if _may_be_arrays(place):
        made = converted(place, target)
        if isinstance(made, Converted):
            found = recognise(made.folder)
            lines = [*made.said, *(line for line in found.said[1:] if not line.startswith(SPLITS)), *said]
            found = found._replace(said=lines, rest=[*found.rest, *made.rest])
            return Unfolded(_with_units(_with_range(found, made.value_range), made.units), made.folder)
        problem = made
    if place.is_file() and place.suffix.lower() in PAGES:
        target.mkdir()
        (target / place.name).symlink_to(place.resolve())
        place = target
    try:
        found = recognise(place)
    except InputError:
        if problem is not None:
            raise problem from None
        raise
    return Unfolded(found._replace(said=[*found.said, *said]), place)


def _with_range(found: Found, ends: list[float] | None) -> Found:
    """The same with the range of the values, where files have more than 8 bits."""
    if ends is None or ends[0] == ends[1]:
        return found
    size = found.why["size"].split("; more than")[0]
    why = {**found.why, "size": size, "value_range": "all values; they become black and white"}
    return found._replace(settings={**found.settings, "value_range": ends}, why=why)


def _with_units(found: Found, units: bool) -> Found:
    """The same where each group is a patient, or the like, that must be in one split."""
    if not units:
        return found
    why = {"group_by": "guessed: images of one such folder are never in two splits", "groups": "else each would be one"}
    settings = {**found.settings, "group_by": "^([^/]+)/", "groups": NO_GROUPS}
    return found._replace(settings=settings, why={**found.why, **why})


def _may_be_arrays(place: Path) -> bool:
    """Whether arrays are to be looked for: not beside images, nor where each split has a file, without labels."""
    if place.is_dir():
        if list_images(place).files:
            return False
        try:
            found = splits_of_arrays.splits(place)
        except InputError:
            return True
        return found is None or bool(found.rest)
    return place.is_file()


@contextmanager
def _named(place: Path, source: Path) -> Iterator[None]:
    """Name what the user has in errors, in place of what was made of it."""
    try:
        yield
    except InputError as error:
        if place == source:
            raise
        text = str(error).replace(place.as_posix(), source.as_posix())
        raise InputError(text) from None
