"""Images of arrays as shards of image files, by split and class: train.zip with 7/0000012.png."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.commands.init.unfold.forms import Form
from vaelab.commands.init.unfold.levels import Levels, levels_of, picture
from vaelab.commands.init.unfold.roles import Part
from vaelab.data.format.info import PHASES
from vaelab.data.sources.progress import progress
from vaelab.storage import writing

CHUNK_BYTES = 2**24
PLAIN = re.compile(r"[^\w .+()-]")
SHOWN = 6
ALL = "images"  # where nothing says a split


class Written(NamedTuple):
    """What was written, to be said."""

    images: Counter[str]  # by split
    classes: Counter[str]
    missing: Counter[str]  # images with values that are no numbers, which become the lowest, by split
    levels: Levels


def levels_in(parts: Sequence[Part]) -> Levels:
    """Return how the values of all images become pixels."""
    return levels_of(chunk for part in parts for chunk in _chunks(part))


def write_shards(parts: Sequence[Part], levels: Levels, folder: Path) -> Written:
    """Write the images of all parts into shards of a folder, one for each split. Raises InputError: no room."""
    written = Written(Counter(), Counter(), Counter(), levels)
    total = sum(part.form.number for part in parts)
    with ExitStack() as stack, writing(folder), progress(None, "convert", "image", total) as bar:
        folder.mkdir(parents=True)
        archives: dict[str, zipfile.ZipFile] = {}
        for part in parts:
            name = part.phase or ALL
            if name not in archives:
                archives[name] = stack.enter_context(zipfile.ZipFile(folder / f"{name}.zip", "w"))
            classes = iter(part.classes or [""] * part.form.number)
            for chunk in _chunks(part):
                for image, text in zip(chunk, islice(classes, len(chunk)), strict=True):
                    _write(archives[name], name, image, text, written)
                bar.update(len(chunk))
    return written


def _write(archive: zipfile.ZipFile, name: str, image: np.ndarray, text: str, written: Written) -> None:
    place = f"{_plain(text)}/" if text else ""
    ending = ".tif" if written.levels.deep else ".png"
    archive.writestr(f"{place}{written.images[name]:07}{ending}", _file(image, written.levels))
    written.images[name] += 1
    written.classes[text] += 1
    written.missing[name] += image.dtype.kind == "f" and not np.isfinite(image).all()


def said(written: Written, form: Form) -> list[str]:
    """Return what became of arrays."""
    counts = ", ".join(f"{phase} {written.images[phase]:,}" for phase in (*PHASES, ALL) if written.images[phase])
    lines = [
        f"arrays of images, {form.width} × {form.height} pixels: {counts}; the copy has them as image files in shards"
    ]
    groups = [f"{text} {count:,}" for text, count in written.classes.most_common(SHOWN) if text]
    if groups:
        first = ", ".join(groups) + ", ..." * (len(written.classes) > SHOWN)
        lines.append(f"{len(written.classes)} groups, by label: {first}")
    lines += [written.levels.said] * bool(written.levels.said)
    missing = written.missing.total()
    return lines + [f"{missing:,} images hold values that are no numbers, which become black"] * bool(missing)


def _chunks(part: Part) -> Iterator[np.ndarray]:
    form = part.form
    rows = max(1, CHUNK_BYTES // (form.height * form.width * form.channels * part.named.array.dtype.itemsize))
    for start in range(0, form.number, rows):
        yield form.images(part.named.array, start, min(start + rows, form.number))


def _file(image: np.ndarray, levels: Levels) -> bytes:
    content = io.BytesIO()
    if levels.deep:
        picture(image, levels).save(content, "TIFF")
    else:
        picture(image, levels).save(content, "PNG", compress_level=1)
    return content.getvalue()


def _plain(text: str) -> str:
    return PLAIN.sub("_", text).strip(". ") or "_"
