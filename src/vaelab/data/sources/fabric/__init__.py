"""Sources of strips of fabric (and other surfaces) with defects and their masks."""

from collections.abc import Callable

from vaelab.data.sources.fabric.aitex import prepare_aitex
from vaelab.data.sources.fabric.folder_masks import prepare_folder_masks
from vaelab.data.sources.fabric.mvtec import prepare_mvtec
from vaelab.params.base import Block
from vaelab.params.datasets import Aitex, FolderMasks, Mvtec

SOURCES: dict[type[Block], Callable[..., None]] = {
    Aitex: prepare_aitex,
    Mvtec: prepare_mvtec,
    FolderMasks: prepare_folder_masks,
}
