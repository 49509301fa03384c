"""A directory of images, any nesting, converted file by file; what cannot be used is listed with the reason."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES, image_info
from vaelab.data.sources.image.groups import COLOUR_GROUPS, GroupLevels, is_gray
from vaelab.data.sources.image_files import SUFFIXES, UnreadableError, fitted, read_image
from vaelab.data.sources.listing import Listing, list_images, printable, reasons
from vaelab.data.sources.progress import progress
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder, Split


class Layout(NamedTuple):
    """What the sub-folders stand for."""

    own_splits: bool  # top folders train, val and test
    by_colour: bool  # no sub-folders to group by
    groups: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of the files."""

    kept: list[str]  # names, by the number in `file`
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
    writer, levels = prepared.Writer(folder, prepared.SHARD_BYTES), GroupLevels(layout.groups)
    outcome = _convert(listing, layout, settings, writer, levels)
    _check(outcome, layout, settings, where)
    warnings = [f"{where}: {text}" for text in _warnings(listing.files, layout, levels)]
    _tell(outcome, listing, warnings, folder)
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups)
    report = {
        "source": f"image files in {root}",
        "licence": "unknown",
        "split_rule": "top folders, as given" if layout.own_splits else "by file, in a seeded random order",
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
        "file_names": outcome.kept,
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


def _convert(
    listing: Listing, layout: Layout, settings: ImageFolder, writer: prepared.Writer, levels: GroupLevels
) -> Outcome:
    outcome = Outcome([], dict.fromkeys(PHASES, 0), listing.quarantined, [])
    order = np.random.default_rng(settings.seed).permutation(len(listing.files)).tolist()
    for number in progress(order, f"prepare {writer.folder.name}", "file"):
        file = listing.files[number]
        try:
            x, notes = _read(file, layout, settings)
        except UnreadableError as error:
            outcome.quarantined.append({"file": printable(file), "reason": str(error)})
            continue
        phase = file.parts[0] if layout.own_splits else _most_behind(outcome.examples, settings.split)
        group = _group(file, x, layout)
        arrays = {"x": x, "group": group, "file": np.full(len(x), len(outcome.kept), dtype=np.int32)}
        writer.add(phase, arrays)
        levels.add(phase, x, group)
        outcome.examples[phase] += 1
        outcome.kept.append(printable(file))
        outcome.notes.extend({"file": printable(file), "note": note} for note in notes)
    return outcome


def _read(file: Path, layout: Layout, settings: ImageFolder) -> tuple[np.ndarray, list[str]]:
    if layout.own_splits and file.parts[0] not in PHASES:
        raise UnreadableError("outside the folders train, val and test, which are the splits")
    picture = read_image(Path(settings.path) / file, settings.max_pixels, settings.colour)
    return fitted(picture, settings.size, settings.fit)


def _most_behind(examples: Mapping[str, int], split: Split) -> str:
    """Split that lacks most to its share: so shares hold among the files that can be read, however many."""
    total = sum(examples.values()) + 1
    lacks = {phase: share * total - examples[phase] for phase, share in split}
    return max(lacks, key=lacks.__getitem__)


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
