"""Directories of images for the tests of that source: written, described, and read back by file name."""

import io

import numpy as np
from PIL import Image
from stored import stored

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.params.datasets import ImageFolder, Split

S = 16  # side of the prepared images


def encoded(image, kind, **options):
    """The bytes of an image (or of an array) in a file format."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def folder_of(root, **values):
    defaults = {"size": S, "fit": "crop", "max_pixels": 20_000, "split": Split(train=0.5, val=0.5, test=0.0)}
    return ImageFolder(source="image_folder", path=str(root), **{**defaults, **values})


def by_name(folder):
    """The images of all splits [n, C, S, S] by file name, with their splits and group names."""
    meta, found = read_meta(folder), {}
    for phase in PHASES:
        arrays = stored(folder, phase)
        for row in range(len(arrays.get("x", []))):
            name = meta["file_names"][arrays["file"][row]]
            images, _, _ = found.setdefault(name, ([], phase, meta["groups"][arrays["group"][row]]))
            images.append(arrays["x"][row])
    return {name: (np.stack(images), phase, group) for name, (images, phase, group) in found.items()}


def reasons(folder):
    return {entry["file"]: entry["reason"] for entry in read_meta(folder)["quarantined"]}


def notes(folder):
    return {(entry["file"], entry["note"]) for entry in read_meta(folder)["notes"]}
