"""Sources of images: photographs and textures, folders of files, shards, NumPy files."""

from collections.abc import Callable

from vaelab.data.sources.image.crops import prepare_photos, prepare_textures
from vaelab.data.sources.image.folder import prepare_image_folder, prepare_image_shards
from vaelab.data.sources.image.npy import prepare_npy
from vaelab.params.base import Block
from vaelab.params.datasets import ImageFolder, ImageShards, Npy, Photos, Textures

SOURCES: dict[type[Block], Callable[..., None]] = {
    Photos: prepare_photos,
    Textures: prepare_textures,
    ImageFolder: prepare_image_folder,
    ImageShards: prepare_image_shards,
    Npy: prepare_npy,
}
