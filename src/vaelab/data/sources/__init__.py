"""Sources: each turns raw data into the prepared format. A room for each kind of raw data has a record of its own."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources import document, fabric, grid, image, tags
from vaelab.params.base import Block
from vaelab.params.datasets import Dataset

SOURCES: dict[type[Block], Callable[..., None]] = {
    **grid.SOURCES,
    **image.SOURCES,
    **document.SOURCES,
    **fabric.SOURCES,
    **tags.SOURCES,
}


def prepare(settings: Dataset, folder: Path) -> None:
    """Convert the raw data that `settings` names into `folder`. Raises InputError where the raw data are wrong."""
    SOURCES[type(settings)](settings, folder)
