"""What pages need to know of a kind of data: one record, which each kind fills in its file."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaelab.data.format.info import DataInfo

if TYPE_CHECKING:  # it needs matplotlib, and the first page does not
    from vaelab.figures.canvas.tiles import Scale


class Shown(NamedTuple):
    """An example and what a run makes of it, as stored; where the data have defects, its score map and its mask."""

    original: np.ndarray
    reconstruction: np.ndarray
    scores: np.ndarray | None = None  # [h, h]
    mask: np.ndarray | None = None  # [R·S, R·S], 1 on defective pixels


class Look(NamedTuple):
    """What the user chose for all pictures of a page, so that they can be compared."""

    zoom: int = 1  # screen pixels to a pixel of an image; of other kinds as many times the usual tile
    error: float = 0.25  # the error that the last colour stands for, share of the range
    scores: "Scale | None" = None  # of score maps
    threshold: float = 0.5  # probability from which a tag counts as predicted


class Panel(NamedTuple):
    """A picture with its title, and what is seen on it for those who cannot see it."""

    title: str
    pixels: np.ndarray  # uint8 [h, w, 3]
    alt: str


class KindViews(NamedTuple):
    """The views of one kind of data."""

    noun: str  # for one example
    plural: str
    # one example as pixels, for galleries; two on one scale where they belong together
    tiles: Callable[[Sequence[np.ndarray], DataInfo], list[np.ndarray]]
    # original, reconstruction, difference ...
    panels: Callable[[Shown, DataInfo, Look], list[Panel]]
    # the colours of the difference in words, and as a bar of pixels where they are a scale
    legend: Callable[[Look], tuple[str, np.ndarray | None]]
    first: tuple[str, ...]  # measures that are shown first; the first of them sorts
    lists: Callable[[Shown, DataInfo, Look], dict[str, Sequence[str]]] | None = None  # of tags, by heading
    heat: Callable[[Look], tuple[str, np.ndarray] | None] | None = None  # as legend, of score maps
    uploads: bool = False  # whether a user's own files can be brought to this kind
