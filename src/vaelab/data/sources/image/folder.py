"""A directory of images, any nesting, converted file by file; what cannot be used is listed with the reason."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES, image_info
from vaelab.data.sources.image.groups import COLOUR_GROUPS, GroupLevels, is_gray
from vaelab.data.sources.image_files import SUFFIXES, UnreadableError, fitted, read_image
from vaelab.data.sources.listing import Listing, list_images, printable, reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder


class Layout(NamedTuple):
    """What the sub-folders stand for."""

    own_splits: bool  # top folders train, val and test
    by_colour: bool  # no sub-folders to group by
    groups: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of the files."""

    kept: list[Path]  # by the number in `file`
    examples: dict[str, int]  # files that were kept, by split
    quarantined: list[dict[str, str]]
    notes: list[dict[str, str]]


def prepare_image_folder(settings: ImageFolder, folder: Path) -> None:
    """Write the images [n, C, S, S] of all files below a directory, with `file`: index into meta.json's file_names.

    Top folders train and val (and test) are the splits, where there are both; else files are split at random.
    `group` is the next sub-folder; where there are none, colour or gray for RGB and "all" for gray.

    Raises:
        InputError: there is no directory, no image that can be used, or a split is left empty.
    """
    where, root = f"datasets.{folder.name}", Path(settings.path)
    if not root.is_dir():
        raise InputError(f"{where}.path: {root} is not a directory")
    listing = list_images(root)
    if not listing.files and not listing.quarantined:
        raise InputError(f"{where}.path: no image ({' '.join(SUFFIXES)}) in {root}, {listing.ignored.total()} others")
    layout = _layout(listing.files, settings.colour)
    writer, levels, outcome = _converted(listing, layout, settings, folder)
    _check(outcome, layout, settings, where)
    warnings = [f"{where}: {text}" for text in _warnings(listing.files, layout, levels)]
    _tell(outcome, listing, warnings, folder)
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups)
    report = {
        "source": f"image files in {root}",
        "licence": "unknown",
        "split_rule": "top folders, as given"
        if layout.own_splits
        else "by file, by a hash of its path below the directory",
        "seed": settings.seed,
        "group_counts": levels.images_by_group(),
        "warnings": warnings,
    }
    writer.finish(info, {**report, **_files(outcome, listing)})


def _files(outcome: Outcome, listing: Listing) -> dict[str, Any]:
    """What meta.json says of the files."""
    return {
        "quarantined": outcome.quarantined,
        "ignored": dict(sorted(listing.ignored.items())),
        "links_left_out": listing.links_left_out,
        "notes": outcome.notes,
        "file_names": [printable(file) for file in outcome.kept],
    }


def _layout(files: list[Path], colour: str) -> Layout:
    own = _top_folders(files) >= {"train", "val"}
    inside = [file for file in files if not own or file.parts[0] in PHASES]
    folders = {_folder(file, own) for file in inside}
    if folders - {"."}:
        return Layout(own, False, tuple(sorted(folders)))
    return Layout(own, colour == "rgb", COLOUR_GROUPS if colour == "rgb" else ("all",))


def _top_folders(files: list[Path]) -> set[str]:
    return {file.parts[0] for file in files if len(file.parts) > 1}


def _folder(file: Path, own_splits: bool) -> str:
    """Name of the folder that groups a file; a point where there is none."""
    parts = file.parts[own_splits:]
    return printable(parts[0]) if len(parts) > 1 else "."


def _phases(files: list[Path], layout: Layout, settings: ImageFolder, where: str) -> dict[Path, str]:
    """Split of each file, in the order in which they are written: that of their hashes, which mixes groups."""
    number = hashes((file.as_posix() for file in files), settings.seed)
    order = np.argsort(number)
    if layout.own_splits:
        return {files[index]: files[index].parts[0] for index in order}
    phases = phases_of(number, settings.split, where, "files")
    return {files[index]: PHASES[phases[index]] for index in order}


def _converted(
    listing: Listing, layout: Layout, settings: ImageFolder, folder: Path
) -> tuple[prepared.Writer, GroupLevels, Outcome]:
    """What was written: once more where files that cannot be used took the share of others, as they do among few."""
    where, shares = f"datasets.{folder.name}", sum(share > 0 for _, share in settings.split)
    phase_of = _phases(listing.files, layout, settings, where)
    writer, levels, outcome = _convert(listing, phase_of, layout, settings, folder)
    if not layout.own_splits and shares <= len(outcome.kept) < len(listing.files):
        again = _phases(outcome.kept, layout, settings, where)
        if any(phase_of[file] != phase for file, phase in again.items()):
            rest = listing._replace(quarantined=outcome.quarantined)
            writer, levels, outcome = _convert(rest, again, layout, settings, folder)
    return writer, levels, outcome


def _convert(
    listing: Listing, phase_of: dict[Path, str], layout: Layout, settings: ImageFolder, folder: Path
) -> tuple[prepared.Writer, GroupLevels, Outcome]:
    writer, levels = prepared.Writer(folder, prepared.SHARD_BYTES), GroupLevels(layout.groups)
    outcome = Outcome([], dict.fromkeys(PHASES, 0), [*listing.quarantined], [])
    for file, phase in progress(phase_of.items(), f"prepare {writer.folder.name}", "file"):
        try:
            x, notes = _read(file, layout, settings)
        except UnreadableError as error:
            outcome.quarantined.append({"file": printable(file), "reason": str(error)})
            continue
        group = _group(file, x, layout)
        arrays = {"x": x, "group": group, "file": np.full(len(x), len(outcome.kept), dtype=np.int32)}
        writer.add(phase, arrays)
        levels.add(phase, x, group)
        outcome.examples[phase] += 1
        outcome.kept.append(file)
        outcome.notes.extend({"file": printable(file), "note": note} for note in notes)
    return writer, levels, outcome


def _read(file: Path, layout: Layout, settings: ImageFolder) -> tuple[np.ndarray, list[str]]:
    if layout.own_splits and file.parts[0] not in PHASES:
        raise UnreadableError("outside the folders train, val and test, which are the splits")
    picture = read_image(Path(settings.path) / file, settings.max_pixels, settings.colour)
    return fitted(picture, settings.size, settings.fit)


def _group(file: Path, x: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.by_colour:
        return is_gray(x).astype(np.int32)
    index = 0 if layout.groups == ("all",) else layout.groups.index(_folder(file, layout.own_splits))
    return np.full(len(x), index, dtype=np.int32)


def _check(outcome: Outcome, layout: Layout, settings: ImageFolder, where: str) -> None:
    bad = outcome.quarantined
    if not outcome.kept:
        raise InputError(f"{where}.path: none of {len(bad)} in {settings.path} can be used:{reasons(bad)}")
    needed = ("train", "val") if layout.own_splits else [phase for phase, share in settings.split if share]
    for phase in needed:
        if not outcome.examples[phase]:
            setting = f"path: folder {phase}" if layout.own_splits else f"split: {phase}"
            refused = f"; {len(bad)} cannot:{reasons(bad)}" if bad else ""
            raise InputError(f"{where}.{setting} is left empty: {len(outcome.kept)} files can be used{refused}")


def _warnings(files: list[Path], layout: Layout, levels: GroupLevels) -> list[str]:
    names = sorted(_top_folders(files) & set(PHASES))
    alone = f"the folders {', '.join(names)} are groups here: splits are train and val (and test) together"
    lone = [alone] if names and not layout.own_splits else []
    return [*lone, *(levels.unlike_groups() if layout.by_colour else [])]


def _tell(outcome: Outcome, listing: Listing, warnings: list[str], folder: Path) -> None:
    left_out = {
        "quarantined": len(outcome.quarantined),
        "ignored (no images)": listing.ignored.total(),
        "links to folders left out": len(listing.links_left_out),
    }
    counts = ", ".join(f"{count} {what}" for what, count in left_out.items() if count)
    if counts:
        text = f"{len(outcome.kept)} files kept, {counts}: see {folder / 'meta.json'}"
        print(f"datasets.{folder.name}: {text}", file=sys.stderr)
    for text in warnings:
        print(f"warning: {text}", file=sys.stderr)
