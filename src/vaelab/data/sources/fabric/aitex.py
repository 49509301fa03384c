"""Strips of fabric with and without defects, in folders and under names as those of AITEX, as gray patches."""

from functools import partial
from pathlib import Path

import numpy as np

from vaelab.data.sources.fabric.aitex_files import NORMALS, find_files
from vaelab.data.sources.fabric.local_contrast import tone
from vaelab.data.sources.fabric.selvage import fabric_start
from vaelab.data.sources.fabric.splits import divide
from vaelab.data.sources.fabric.strips import NONE, Cutting, Strip, load, strides
from vaelab.data.sources.fabric.survey import Survey, check_defects, survey
from vaelab.data.sources.fabric.writer import write_strips
from vaelab.data.sources.image_files import UnreadableError
from vaelab.params.datasets import Aitex


def prepare_aitex(settings: Aitex, folder: Path) -> None:
    """Write patches [n, 1, S, S] of all strips that can be used; `group` is the fabric.

    Background and selvage at the left, and `margin` pixels more, are left out. Normal strips are split by fabric.

    Raises:
        InputError: folders, masks or normal strips are missing, or an option does not fit them.
    """
    where, found = f"datasets.{folder.name}", Survey()
    files = find_files(Path(settings.path), settings.fabrics, found, where)
    cutting = _cutting(settings)
    survey(files.strips, cutting, found, folder.name)
    for strip in files.malformed:
        found.quarantine(strip.name, _reason(strip, cutting, found))
    check_defects(sum(strip.defect != NONE for strip in files.strips), found, cutting, where)
    division = divide(found, settings.split, settings.val_defects, settings.seed, cutting, where)
    report = {
        "source": f"strips of fabric in {settings.path}",
        "licence": "unknown (AITEX states none: for research and evaluation, not to be passed on)",
        "split_rule": "by strip, fabric by fabric, in a seeded random order; strips with defects apart",
        "seed": settings.seed,
        "normalise": settings.normalise,
    }
    write_strips(folder, division, cutting, found, report, "fabric")


def _cutting(settings: Aitex) -> Cutting:
    general, train = strides(settings.size, settings.reduce, settings.stride, settings.train_stride)
    cutting = Cutting(settings.size, settings.reduce, general, train, "gray", "dropped", unit="strip")
    return cutting._replace(start=partial(_start, margin=settings.margin), tone=tone(settings))


def _start(pixels: np.ndarray, margin: int) -> int:
    """First column that is cut, of a strip [H, W, 1]."""
    column = fabric_start(pixels[..., 0])
    return 0 if column is None else column + margin


def _reason(strip: Strip, cutting: Cutting, found: Survey) -> str:
    """Why a strip of malformed name is left out."""
    try:
        twin = found.twin(load(strip, cutting), strip.name)
    except UnreadableError as error:
        return str(error)
    if twin:
        return f"malformed name; pixel-identical to {twin}: dropped"
    return f"malformed name: expected NNNN_DDD_FF.png, such as {NORMALS}/<serial>/0018_000_01.png"
