"""A directory of images, any nesting, converted file by file; what cannot be used is listed with the reason."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES, image_info
from vaelab.data.sources.given_splits import Given, Places, given_splits
from vaelab.data.sources.image.groups import COLOUR_GROUPS, GroupLevels, is_gray
from vaelab.data.sources.image_files import SUFFIXES, UnreadableError, fitted, read_image
from vaelab.data.sources.listing import Listing, list_images, printable, reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder


class Layout(NamedTuple):
    """What the sub-folders stand for."""

    given: Given  # splits that the files come with
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

    Lists or top folders of train and val (or test) are the splits, where there are such; else files are shared out.
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
    places = Places(root, root, settings.split_lists, where)
    layout = _layout(listing.files, given_splits(listing.files, places, settings.split, settings.seed), settings.colour)
    writer, levels, outcome = _converted(listing, layout, settings, folder)
    _check(outcome, layout, settings, where)
    unlike = levels.unlike_groups() if layout.by_colour else []
    warnings = [f"{where}: {text}" for text in (*layout.given.warnings, *unlike)]
    _tell(outcome, listing, layout.given.said, warnings, folder)
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups)
    report = {
        "source": f"image files in {root}",
        "licence": "unknown",
        "split_rule": layout.given.rule,
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


def _layout(files: list[Path], given: Given, colour: str) -> Layout:
    folders = {_folder(file, given.depth) for file in given.phase_of or files}
    if folders - {"."}:
        return Layout(given, False, tuple(sorted(folders)))
    return Layout(given, colour == "rgb", COLOUR_GROUPS if colour == "rgb" else ("all",))


def _folder(file: Path, depth: int) -> str:
    """Name of the folder that groups a file, below those of the splits; a point where there is none."""
    parts = file.parts[depth:]
    return printable(parts[0]) if len(parts) > 1 else "."


def _phases(files: list[Path], layout: Layout, settings: ImageFolder, where: str) -> dict[Path, str]:
    """Split of each file, in the order in which they are written: that of their hashes, which mixes groups."""
    number = hashes((file.as_posix() for file in files), settings.seed)
    order = np.argsort(number)
    if layout.given.phase_of:
        return {files[index]: layout.given.phase_of.get(files[index], "") for index in order}
    phases = phases_of(number, settings.split, where, "files")
    return {files[index]: PHASES[phases[index]] for index in order}


def _converted(
    listing: Listing, layout: Layout, settings: ImageFolder, folder: Path
) -> tuple[prepared.Writer, GroupLevels, Outcome]:
    """What was written: once more where files that cannot be used took the share of others, as they do among few."""
    where, shares = f"datasets.{folder.name}", sum(share > 0 for _, share in settings.split)
    phase_of = _phases(listing.files, layout, settings, where)
    writer, levels, outcome = _convert(listing, phase_of, layout, settings, folder)
    if not layout.given.phase_of and shares <= len(outcome.kept) < len(listing.files):
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
            if not phase:
                raise UnreadableError(layout.given.left_out)
            x, notes = _read(file, settings)
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


def _read(file: Path, settings: ImageFolder) -> tuple[np.ndarray, list[str]]:
    picture = read_image(Path(settings.path) / file, settings.max_pixels, settings.colour)
    return fitted(picture, settings.size, settings.fit)


def _group(file: Path, x: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.by_colour:
        return is_gray(x).astype(np.int32)
    index = 0 if layout.groups == ("all",) else layout.groups.index(_folder(file, layout.given.depth))
    return np.full(len(x), index, dtype=np.int32)


def _check(outcome: Outcome, layout: Layout, settings: ImageFolder, where: str) -> None:
    bad = outcome.quarantined
    if not outcome.kept:
        raise InputError(f"{where}.path: none of {len(bad)} in {settings.path} can be used:{reasons(bad)}")
    given = layout.given.phase_of
    needed = ("train", "val") if given else [phase for phase, share in settings.split if share]
    for phase in needed:
        if not outcome.examples[phase]:
            setting = ("path: folder" if layout.given.depth else "split_lists: list") if given else "split:"
            refused = f"; {len(bad)} cannot:{reasons(bad)}" if bad else ""
            raise InputError(f"{where}.{setting} {phase} is left empty: {len(outcome.kept)} files can be used{refused}")


def _tell(outcome: Outcome, listing: Listing, said: Sequence[str], warnings: list[str], folder: Path) -> None:
    for text in said:
        print(f"datasets.{folder.name}: {text}", file=sys.stderr)
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
