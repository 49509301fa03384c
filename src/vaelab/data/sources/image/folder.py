"""Files of images, in a directory or in shards, converted one by one; what cannot be used is listed with the reason."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import Preparation, image_info
from vaelab.data.sources.account import first_names
from vaelab.data.sources.common import tell, units_of
from vaelab.data.sources.decoding import SUFFIXES
from vaelab.data.sources.given_splits import Places
from vaelab.data.sources.image.boxes.opening import open_boxes, without_boxes
from vaelab.data.sources.image.converting import converted
from vaelab.data.sources.image.layout import Layout, layout_of
from vaelab.data.sources.image.outcome import Outcome
from vaelab.data.sources.image.shards.shard_store import shard_store
from vaelab.data.sources.image.store import Store, folder_store, scratch
from vaelab.data.sources.image_files import survey_values
from vaelab.data.sources.listing import Listing, list_images, reasons
from vaelab.data.sources.values import scale_for
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFiles, ImageFolder, ImageShards

FEW = 0.1  # of the files


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
    _prepare(folder_store(root, listing), settings, folder)


def prepare_image_shards(settings: ImageShards, folder: Path) -> None:
    """Write the images of all shards below a directory, as `prepare_image_folder` does those of files.

    Raises:
        InputError: as there; or there is no shard, or a table of images lacks a column.
    """
    with scratch() as room, shard_store(settings, f"datasets.{folder.name}", Path(room)) as store:
        if not store.listing.files:
            bad = store.listing.quarantined
            raise InputError(f"datasets.{folder.name}.path: no image in the shards of {settings.path}:{reasons(bad)}")
        _prepare(store, settings, folder)


def _prepare(store: Store, settings: ImageFiles, folder: Path) -> None:
    where, root, listing = f"datasets.{folder.name}", store.root, store.listing
    units = units_of([file.as_posix() for file in listing.files], settings.group_by, f"{where}.group_by")
    layout = layout_of(listing.files, Places(root, root, settings.split_lists, where, units), settings)
    if settings.boxes is not None:
        boxes = open_boxes(settings.boxes, listing.files, root, where)
        layout = layout._replace(boxes=boxes)
        listing = listing._replace(ignored=without_boxes(listing.ignored, boxes, root))
    found = survey_values(store.paths(), settings.max_pixels)
    scale = scale_for(found, settings.value_range)
    writer, outcome = converted(store, layout, settings, scale, folder)
    account = outcome.account
    _check(outcome, layout, settings, where)
    account.said += layout.given.said
    tell(account, units, settings.group_by, {file.as_posix(): of for file, of in layout.given.phase_of.items()})
    outcome.judge_boxes(layout.boxes, settings)
    outcome.judge(found, scale, settings)
    account.warn([*layout.given.warnings, *_few_pdfs(outcome.kept)])
    others = {"ignored (no images)": listing.ignored.total(), "links to folders left out": len(listing.links_left_out)}
    account.tell(f"{len(outcome.kept)} files kept", others, folder / "meta.json")
    prepared_as = Preparation(settings.fit, value_scale={str(kind): ends for kind, ends in scale.items()})
    info = image_info({"rgb": 3, "gray": 1}[settings.colour], settings.size, layout.groups, prepared_as)
    writer.finish(info, {
        "source": store.what,
        "licence": "unknown",
        "split_rule": layout.given.rule + "; units of group_by stay whole" * (settings.group_by is not None),
        "seed": settings.seed,
        "group_counts": outcome.levels.images_by_group(),
        **account.report(), **outcome.twins.report(),
        **_files(outcome, listing),
        **cluster_report("file", [units.get(file.as_posix(), file.as_posix()) for file in outcome.files]),
        **(outcome.tally.report() if layout.boxes else {}),
        "value_scale": scale,
    })  # fmt: skip


def _few_pdfs(names: Sequence[str]) -> list[str]:
    """What to warn of where PDFs are a few among images: a paper beside its data, perhaps."""
    pdfs = [name for name in names if name.lower().split(" (page ")[0].endswith(".pdf")]
    if not 0 < len(pdfs) < FEW * len(names):
        return []
    text = f"{len(pdfs)} of {len(names)} files are PDFs, whose pages are images here: {first_names(pdfs)}"
    return [f"{text}; move them elsewhere if they are none of the images"]


def _files(outcome: Outcome, listing: Listing) -> dict[str, Any]:
    """What meta.json says of the files."""
    return {
        "ignored": dict(sorted(listing.ignored.items())),
        "links_left_out": listing.links_left_out,
        "pages": outcome.pages,
        "pixels_left_out": outcome.pixels_left_out,
        "file_names": outcome.kept,
    }


def _check(outcome: Outcome, layout: Layout, settings: ImageFiles, where: str) -> None:
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
