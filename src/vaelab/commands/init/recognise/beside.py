"""What lies beside images, or in the names of their folders: labels, patients, boxes."""

from collections.abc import Sequence
from pathlib import Path

from vaelab.commands.init.recognise.boxes import boxes_of
from vaelab.commands.init.recognise.labels import Labels, labels_of
from vaelab.commands.init.recognise.structure import structure, unit_folders
from vaelab.data.sources.image.layout import NO_GROUPS
from vaelab.data.sources.listing import printable

SHOWN = 8


def beside_images(path: Path, root: Path, files: Sequence[Path], pages: bool) -> Labels:
    """Return the options of a data set of images that what lies beside them gives.

    Args:
        path: of the data.
        root: of the images, below it.
        files: the images, below `root`.
        pages: whether they are pages of text.
    """
    found = labels_of(path, root, files)
    settings, why = dict(found.settings), dict(found.why)
    if "group_by" not in settings and (by := unit_folders(path / root, files)):
        settings["group_by"], why["group_by"] = by, "guessed: files of one such folder are never in two splits"
        if "groups" not in settings:
            settings["groups"], why["groups"] = NO_GROUPS, "guessed: else each such folder would be one"
    if "groups" not in settings and 2 * len({file.parent for file in files}) > len(files):
        settings["groups"], why["groups"] = NO_GROUPS, "guessed: most folders hold one image"
    grouped = [line for line in structure(path / root, files) if "groups" not in settings or " groups, " not in line]
    said = [*grouped, *found.said]
    boxes = boxes_of(path, root, files)
    if boxes and boxes.objects and not pages:
        objects = ", ".join(map(printable, boxes.objects[:SHOWN]))
        said.append(f"boxes of objects ({objects}) are not used: option `boxes` is for text")
    elif boxes:
        settings["boxes"] = boxes.place
        why["boxes"] = f"guessed: {boxes.said}; text measures are taken in them: for boxes of text"
    return Labels(settings, why, said, [*found.files, *(boxes.files if boxes else ())])
