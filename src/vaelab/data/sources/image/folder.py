"""A directory of images, any nesting, converted file by file; what cannot be used is listed with the reason."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.info import PHASES, Preparation, image_info
from vaelab.data.sources.account import Account
from vaelab.data.sources.decoding import SUFFIXES, opened, page, page_numbers
from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.data.sources.image.outcome import Outcome, Page, page_name
from vaelab.data.sources.image_files import fitted, in_eight_bits, pixels_left_out, survey_values
from vaelab.data.sources.listing import Listing, list_images, printable, reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.values import Scale, scale_for
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder, Split


class Layout(NamedTuple):
    """What the sub-folders stand for."""

    own_splits: bool  # top folders train, val and test
    by_colour: bool  # no sub-folders to group by
    groups: tuple[str, ...]


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
    account = Account(where, listing.quarantined)
    found = survey_values((root / file for file in listing.files), settings.max_pixels)
    scale = scale_for(found, settings.value_range)
    writer, outcome = prepared.Writer(folder, prepared.SHARD_BYTES), Outcome(account, layout.groups)
    _convert(listing.files, layout, settings, scale, writer, outcome)
    _check(outcome, layout, settings, where)
    outcome.judge(found, scale, settings)
    account.warn(_warnings(listing.files, layout))
    others = {"ignored (no images)": listing.ignored.total(), "links to folders left out": len(listing.links_left_out)}
    account.tell(f"{len(outcome.kept)} files kept", others, folder / "meta.json")
    prepared_as = Preparation(settings.fit, value_scale={str(kind): ends for kind, ends in scale.items()})
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups, prepared_as)
    writer.finish(info, {
        "source": f"image files in {root}",
        "licence": "unknown",
        "split_rule": "top folders, as given" if layout.own_splits else "by file, in a seeded random order",
        "seed": settings.seed,
        "group_counts": outcome.levels.images_by_group(),
        **account.report(),
        **_files(outcome, listing),
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
    files: list[Path], layout: Layout, settings: ImageFolder, scale: Scale, writer: prepared.Writer, outcome: Outcome
) -> None:
    order = np.random.default_rng(settings.seed).permutation(len(files)).tolist()
    for number in progress(order, f"prepare {writer.folder.name}", "file"):
        file, name, pages = files[number], printable(files[number]), 0
        phase = file.parts[0] if layout.own_splits else _most_behind(outcome.examples, settings.split)
        try:
            for read in _pages(file, layout, settings, scale, outcome.account):
                group = _group(file, read.x, layout)
                index = np.full(len(read.x), len(outcome.kept), dtype=np.int32)
                writer.add(phase, {"x": read.x, "group": group, "file": index})
                outcome.add(phase, name, read, group)
                pages += 1
        except UnreadableError as error:
            outcome.account.quarantine(page_name(name, pages), str(error))
        outcome.finish(phase, name, pages)


def _pages(file: Path, layout: Layout, settings: ImageFolder, scale: Scale, account: Account) -> Iterator[Page]:
    """The pages of a file that can be used; what is wrong with another is added to the account."""
    if layout.own_splits and file.parts[0] not in PHASES:
        raise UnreadableError("outside the folders train, val and test, which are the splits")
    with opened(Path(settings.path) / file, settings.max_pixels) as source:
        for number in page_numbers(source):
            try:
                picture = in_eight_bits(page(source, number, settings.max_pixels), settings.colour, "white", scale)
                x, notes = fitted(picture, settings.size, settings.fit)
            except UnreadableError as error:
                account.quarantine(page_name(printable(file), number), str(error))
                continue
            width, height = picture.image.size
            yield Page(number, x, notes, width * height, pixels_left_out(picture.image, settings.size, settings.fit))


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
    bad = outcome.account.quarantined
    if not outcome.kept:
        raise InputError(f"{where}.path: none of {len(bad)} in {settings.path} can be used:{reasons(bad)}")
    needed = ("train", "val") if layout.own_splits else [phase for phase, share in settings.split if share]
    for phase in needed:
        if not outcome.examples[phase]:
            setting = f"path: folder {phase}" if layout.own_splits else f"split: {phase}"
            refused = f"; {len(bad)} cannot:{reasons(bad)}" if bad else ""
            raise InputError(f"{where}.{setting} is left empty: {len(outcome.kept)} files can be used{refused}")


def _warnings(files: list[Path], layout: Layout) -> list[str]:
    names = sorted(_top_folders(files) & set(PHASES))
    alone = f"the folders {', '.join(names)} are groups here: splits are train and val (and test) together"
    return [alone] if names and not layout.own_splits else []
