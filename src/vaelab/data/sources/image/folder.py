"""A directory of images, any nesting, converted file by file; what cannot be used is listed with the reason."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import PHASES, Preparation, image_info
from vaelab.data.sources.account import Account
from vaelab.data.sources.common import tell, units_of
from vaelab.data.sources.decoding import SUFFIXES, opened, page, page_numbers
from vaelab.data.sources.given_splits import Given, Places, given_splits
from vaelab.data.sources.image.boxes.corners import Boxes, FileBoxes
from vaelab.data.sources.image.boxes.masks import marked
from vaelab.data.sources.image.boxes.opening import open_boxes, without_boxes
from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.data.sources.image.outcome import Outcome, Page, page_name
from vaelab.data.sources.image_files import fitted, in_eight_bits, pixels_left_out, survey_values
from vaelab.data.sources.listing import Listing, list_images, printable, reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.data.sources.values import Scale, scale_for
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder


class Layout(NamedTuple):
    """What the sub-folders stand for, and what else the files come with."""

    given: Given  # splits
    by_colour: bool  # no sub-folders to group by
    groups: tuple[str, ...]
    units: Mapping[str, str]  # what files share with others, by path: `group_by`
    boxes: Boxes | None = None  # of text


def prepare_image_folder(settings: ImageFolder, folder: Path) -> None:
    """Write the images [n, C, S, S] of all files below a directory, with `file`: index into meta.json's file_names.

    Lists or top folders of train and val (or test) are the splits, where there are such; else files are shared out.
    `group` is the next sub-folder; where there are none, colour or gray for RGB and "all" for gray. With boxes of text
    there are `text`, `page`, `top` and `left`, too.

    Raises:
        InputError: there is no directory, no image that can be used, no image with a box, or a split is left empty.
    """
    where, root = f"datasets.{folder.name}", Path(settings.path)
    if not root.is_dir():
        raise InputError(f"{where}.path: {root} is not a directory")
    listing = list_images(root)
    if not listing.files and not listing.quarantined:
        raise InputError(f"{where}.path: no image ({' '.join(SUFFIXES)}) in {root}, {listing.ignored.total()} others")
    units = units_of([file.as_posix() for file in listing.files], settings.group_by, f"{where}.group_by")
    layout = _layout(listing.files, Places(root, root, settings.split_lists, where, units), settings)
    if settings.boxes is not None:
        boxes = open_boxes(settings.boxes, listing.files, root, where)
        layout = layout._replace(boxes=boxes)
        listing = listing._replace(ignored=without_boxes(listing.ignored, boxes, root))
    found = survey_values((root / file for file in listing.files), settings.max_pixels)
    scale = scale_for(found, settings.value_range)
    writer, outcome = _converted(listing, layout, settings, scale, folder)
    account = outcome.account
    _check(outcome, layout, settings, where)
    account.said += layout.given.said
    tell(account, units, settings.group_by, {file.as_posix(): of for file, of in layout.given.phase_of.items()})
    outcome.judge_boxes(layout.boxes, settings)
    outcome.judge(found, scale, settings)
    account.warn(layout.given.warnings)
    others = {"ignored (no images)": listing.ignored.total(), "links to folders left out": len(listing.links_left_out)}
    account.tell(f"{len(outcome.kept)} files kept", others, folder / "meta.json")
    prepared_as = Preparation(settings.fit, value_scale={str(kind): ends for kind, ends in scale.items()})
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups, prepared_as)
    writer.finish(info, {
        "source": f"image files in {root}",
        "licence": "unknown",
        "split_rule": layout.given.rule + "; units of group_by stay whole" * (settings.group_by is not None),
        "seed": settings.seed,
        "group_counts": outcome.levels.images_by_group(),
        **account.report(), **outcome.twins.report(),
        **_files(outcome, listing),
        **cluster_report("file", [units[file.as_posix()] for file in outcome.files]),
        **(outcome.tally.report() if layout.boxes else {}),
        "value_scale": scale,
    })  # fmt: skip


def _files(outcome: Outcome, listing: Listing) -> dict[str, Any]:
    """What meta.json says of the files."""
    return {
        "ignored": dict(sorted(listing.ignored.items())),
        "links_left_out": listing.links_left_out,
        "pages": outcome.pages,
        "pixels_left_out": outcome.pixels_left_out,
        "file_names": outcome.kept,
    }


def _layout(files: list[Path], places: Places, settings: ImageFolder) -> Layout:
    given, colour, units = given_splits(files, places, settings.split, settings.seed), settings.colour, places.units
    folders = {_folder(file, given.depth) for file in given.phase_of or files}
    if folders - {"."}:
        return Layout(given, False, tuple(sorted(folders)), units)
    return Layout(given, colour == "rgb", COLOUR_GROUPS if colour == "rgb" else ("all",), units)


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
    different, place = np.unique([layout.units[file.as_posix()] for file in files], return_inverse=True)
    what = "units of group_by" if settings.group_by else "files"
    phases = phases_of(hashes(different.tolist(), settings.seed), settings.split, where, what)[place]
    return {files[index]: PHASES[phases[index]] for index in order}


def _converted(
    listing: Listing, layout: Layout, settings: ImageFolder, scale: Scale, folder: Path
) -> tuple[prepared.Writer, Outcome]:
    """What was written: once more where files that cannot be used took the share of others, as they do among few."""
    where, shares = f"datasets.{folder.name}", sum(share > 0 for _, share in settings.split)
    phase_of = _phases(listing.files, layout, settings, where)
    writer, outcome = _convert(phase_of, layout, settings, scale, folder, Account(where, listing.quarantined))
    if not layout.given.phase_of and shares <= len(outcome.files) < len(listing.files):
        again = _phases(outcome.files, layout, settings, where)
        if any(phase_of[file] != phase for file, phase in again.items()):
            account = Account(where, outcome.account.quarantined)
            writer, outcome = _convert(again, layout, settings, scale, folder, account)
    return writer, outcome


def _convert(
    phase_of: dict[Path, str], layout: Layout, settings: ImageFolder, scale: Scale, folder: Path, account: Account
) -> tuple[prepared.Writer, Outcome]:
    writer, outcome = prepared.Writer(folder, prepared.SHARD_BYTES), Outcome(account, layout.groups)
    for file, phase in progress(phase_of.items(), f"prepare {folder.name}", "file"):
        name, pages = printable(file), 0
        try:
            if not phase:
                raise UnreadableError(layout.given.left_out)
            boxes = outcome.tally.boxes_of(file, layout.boxes)
            for read in _pages(file, settings, scale, account, boxes):
                group = _group(file, read.x, layout)
                index = np.full(len(read.x), len(outcome.kept), dtype=np.int32)
                writer.add(phase, {"x": read.x, "group": group, "file": index, **outcome.marks(read)})
                outcome.add(phase, name, read, group)
                pages += 1
        except UnreadableError as error:
            account.quarantine(page_name(name, pages), str(error))
        outcome.finish(phase, file, pages)
    return writer, outcome


def _pages(
    file: Path, settings: ImageFolder, scale: Scale, account: Account, boxes: FileBoxes | None
) -> Iterator[Page]:
    """The pages of a file that can be used; what is wrong with another is added to the account."""
    with opened(Path(settings.path) / file, settings.max_pixels) as source:
        for number in page_numbers(source):
            try:
                picture = in_eight_bits(page(source, number, settings.max_pixels), settings.colour, "white", scale)
                x, notes = fitted(picture, settings.size, settings.fit)
            except UnreadableError as error:
                account.quarantine(page_name(printable(file), number), str(error))
                continue
            (width, height), out = picture.image.size, pixels_left_out(picture.image, settings.size, settings.fit)
            form = picture.orientation, (width, height), settings.size, settings.fit
            text = None if boxes is None else marked(boxes.on(number), *form)
            yield Page(number, x, notes, width * height, out, text)


def _group(file: Path, x: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.by_colour:
        return is_gray(x).astype(np.int32)
    index = 0 if layout.groups == ("all",) else layout.groups.index(_folder(file, layout.given.depth))
    return np.full(len(x), index, dtype=np.int32)


def _check(outcome: Outcome, layout: Layout, settings: ImageFolder, where: str) -> None:
    bad = outcome.account.quarantined
    if not outcome.kept:
        raise InputError(f"{where}.path: none of {len(bad)} in {settings.path} can be used:{reasons(bad)}")
    given = layout.given.phase_of
    needed = ("train", "val") if given else [phase for phase, share in settings.split if share]
    for phase in needed:
        if not outcome.examples[phase]:
            setting = ("path: folder" if layout.given.depth else "split_lists: list") if given else "split:"
            refused = f"; {len(bad)} cannot:{reasons(bad)}" if bad else ""
            raise InputError(f"{where}.{setting} {phase} is left empty: {len(outcome.kept)} files can be used{refused}")
