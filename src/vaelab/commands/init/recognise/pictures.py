"""Folders of images: photographs, or pages of documents."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.beside import beside_images
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.looks import Looks, looks, spread
from vaelab.commands.init.recognise.pages import Pages, pages_of
from vaelab.commands.init.recognise.structure import common_folder
from vaelab.data.sources.image_files import MAX_PIXELS
from vaelab.data.sources.listing import Listing, list_images

FEWEST = 10  # images; fewer leave nothing to measure on
ENOUGH = 60
LARGEST, FEW = 500_000_000, 5  # pixels of images that are looked at where all are larger than usual, and how many
SIDES = ((48, 64), (24, 32), (0, 16))  # from this side on, pixels, images are prepared with that one
STRETCHED = 1.5  # sides of images of which the centre is not nearly all
LATENTS = 1024  # of the preset `images`
VALUES_A_LATENT = 8  # at least; more latents copy an image rather than say what it is


def funsd(path: Path) -> Found | None:
    """Return the data set of scanned forms in FUNSD's layout; None where it is another."""
    lists = [path / name for name in ("data.train.txt", "data.val.txt")]
    if not all((path / name).is_dir() for name in ("images", "boxes")) or not all(file.is_file() for file in lists):
        return None
    pages = len(list_images(path / "images").files)
    said = [f"{pages} scanned pages with boxes of words, in FUNSD's layout"]
    why = {"size": "pages are cut into squares of this side, pixels"}
    return Found({"source": "funsd", "path": Path(), "size": 64}, "page_ink", said, why)


def images(path: Path, only: Sequence[Path] | None = None) -> Found | None:
    """Return the data set of a folder that holds images, whatever else it holds; None where there is none.

    Args:
        path: of the folder.
        only: these images, below it, and no others.
    """
    listing = list_images(path)
    listing = listing if only is None else listing._replace(files=sorted(only))
    if not listing.files:
        return None
    root = common_folder(listing.files)
    files = [file.relative_to(root) for file in listing.files]
    seen, pages = looks(path / root, files), pages_of(path / root, files)
    if not seen.seen and "max_pixels" in seen.reason:
        seen = looks(path / root, spread(files, FEW), LARGEST)
    if not seen.seen:
        why = f": {seen.reason}" if seen.reason else ""
        raise not_understood(path, f"{len(files)} images, of which none in {seen.unreadable} can be read{why}")
    if pages.number < FEWEST and not seen.pages:
        mend = f"expected {FEWEST} at least, to train on and to measure on. Add some,"
        raise not_understood(path, f"holds {len(files)} image{'s' * (len(files) > 1)}", mend)
    settings, why_of = options(seen)
    beside = beside_images(path, root, files, seen.pages)
    settings, why_of = {**settings, **beside.settings}, {**why_of, **beside.why}
    said = [*_counted(files, seen, pages), *beside.said]
    said += [f"{seen.unreadable} of a sample of {seen.seen + seen.unreadable} cannot be read"] * (seen.unreadable > 0)
    preset = "page_ink" if seen.pages else "images"
    changes = {} if seen.pages else narrowed(int(settings["size"]) ** 2 * (1 if seen.gray else 3))
    rest = _others(listing, beside.files)
    return Found({"source": "image_folder", "path": root, **settings}, preset, said, why_of, changes, rest)


def narrowed(values: int) -> dict[str, Any]:
    """Return the changes to a run of the preset `images` of images of so many values: an eighth of latents."""
    latents = 2 ** ((values // VALUES_A_LATENT).bit_length() - 1)
    return {"model": {"latent_dim": latents}} if latents < LATENTS else {}


def options(seen: Looks) -> tuple[dict[str, Any], dict[str, str]]:
    """Return settings of the data set that differ from the defaults, or that people change; and why."""
    size = next(size for least, size in SIDES if seen.side >= least)
    settings: dict[str, Any] = {"size": size}
    why = {"size": "pixels; twice of it takes four times as long"}
    if seen.pages:
        settings["fit"], why["fit"] = (
            "tile",
            "guessed: pages, mostly paper; they are cut into squares, so that text stays legible",
        )
    elif max(seen.height, seen.width) > STRETCHED * seen.side:
        settings["fit"], why["fit"] = "resize", f"the centre square of {seen.size}; tile: all squares of `size`"
    if seen.gray or seen.pages:
        reason = "guessed: the images of a sample are gray" if seen.gray else "guessed: pages; rgb keeps their colours"
        settings["colour"], why["colour"] = "gray", reason
    if seen.height * seen.width > MAX_PIXELS:
        settings["max_pixels"] = 2 * seen.height * seen.width
        why["max_pixels"] = "twice those of the files looked at; decoded, each takes 3 bytes a pixel"
    if seen.deep:
        why["size"] += "; more than 8 bits: value_range: [low, high] decides what becomes black and white"
    return settings, why


def _counted(files: Sequence[Path], seen: Looks, pages: Pages) -> list[str]:
    number = pages.said or f"{len(files):,} images"
    few = [f"fewer than {ENOUGH} images: little can be learnt from them"] * (pages.number < ENOUGH and not seen.pages)
    return [f"{number} ({_endings(files)}), {seen.size} (median)", *few]


def _endings(files: Sequence[Path]) -> str:
    counts = Counter(file.suffix.lower().removeprefix(".") or "without ending" for file in files)
    return ", ".join(ending for ending, _ in counts.most_common())


def _others(listing: Listing, used: Sequence[Path]) -> list[str]:
    ignored = listing.ignored - Counter(file.suffix.lower() for file in used)
    return [f"{count} {ending}" for ending, count in ignored.most_common() if ending != "(hidden)"]
