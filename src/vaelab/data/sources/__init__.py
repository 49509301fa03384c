"""Sources: each turns raw data into the prepared format."""

from collections.abc import Callable
from pathlib import Path

from vaelab.data.sources import (
    aitex,
    arc,
    crops,
    documents,
    folder_masks,
    funsd,
    image_folder,
    mvtec,
    npy,
    tags,
    tags_csv,
)
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
    Documents: documents.prepare_documents,
    Funsd: funsd.prepare_funsd,
    ImageFolder: image_folder.prepare_image_folder,
    Aitex: aitex.prepare_aitex,
    Mvtec: mvtec.prepare_mvtec,
    FolderMasks: folder_masks.prepare_folder_masks,
    Npy: npy.prepare_npy,
    Tags: tags.prepare_tags,
    TagsCsv: tags_csv.prepare_tags_csv,
}


def prepare(settings: Dataset, folder: Path) -> None:
    """Convert the raw data that `settings` names into `folder`. Raises InputError where the raw data are wrong."""
    SOURCES[type(settings)](settings, folder)
