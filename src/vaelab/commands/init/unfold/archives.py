"""An archive, unpacked: .zip, and .tar, compressed or not."""

import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

from vaelab.commands.init.copying import check_space, files_of
from vaelab.commands.init.recognise.found import not_understood
from vaelab.commands.tars import extract
from vaelab.data.sources.listing import list_images
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import shortened
from vaelab.storage import writing

ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MOST = 4_000_000_000  # bytes, unpacked; larger ones are read as shards, as they are
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError,
           NotImplementedError)  # fmt: skip
WEBDATASET = (".cls", ".json", ".txt")  # beside each image
MOST_ARCHIVES = 20  # of a folder
JUNK = "__MACOSX"
ENTRY = "source: image_folder, path: {place}, size: 64"


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive, by its ending."""
    return path.name.lower().endswith(ENDINGS)


def unpacked(path: Path, folder: Path) -> Path | None:
    """Unpack an archive into a folder, and return where in it the data begin; None for shards, which are read packed.

    Raises:
        InputError: it is damaged, or has a password.
    """
    folder.mkdir(parents=True)
    try:
        with writing(folder):
            done = _zip(path, folder) if zipfile.is_zipfile(path) else _tar(path, folder)
    except DAMAGED as error:
        text = f"an archive that cannot be unpacked: {shortened(error) or type(error).__name__}"
        raise not_understood(path, text, "Unpack it,", ENTRY) from None
    if not done:
        return None
    shutil.rmtree(folder / JUNK, ignore_errors=True)
    return _inside(folder)


def unpacked_folder(path: Path, folder: Path) -> Path | None:
    """Unpack the archives in a folder that has tables beside them, as competitions do: train.zip, test.zip, train.csv.

    Returns:
        `folder`, with a folder for each archive and links to the other files; None where they are read packed.
    """
    files = sorted(files_of(path))
    archives = [file for file in files if is_archive(path / file)]
    tables = any(table_ending(file) in (".csv", ".tsv") for file in files)
    if not archives or not tables or len(archives) > MOST_ARCHIVES or list_images(path).files:
        return None
    folder.mkdir(parents=True)
    for number, file in enumerate(archives):
        inside = unpacked(path / file, folder.with_name(f"{folder.name}.{number}"))
        if inside is None:
            return None
        shutil.move(inside, folder / file.name.split(".")[0])
    for file in files:
        if file not in archives:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).symlink_to((path / file).resolve())
    return folder


def _zip(path: Path, folder: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if not _wanted(archive.namelist(), size):
            return False
        check_space(size, folder, path)
        archive.extractall(folder)
    return True


def _tar(path: Path, folder: Path) -> bool:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        size = sum(member.size for member in members)
        if not _wanted([member.name for member in members], size):
            return False
        check_space(size, folder, path)
        extract(archive, folder)
    return True


def _wanted(names: list[str], size: int) -> bool:
    """Whether an archive is small enough, and no WebDataset, in which each image has a class of its name."""
    classes = sum(name.endswith(".cls") for name in names)
    return size <= MOST and not classes


def _inside(folder: Path) -> Path:
    """The folder in a folder that holds nothing else, as archives are often made; not of one that says something."""
    items = [item for item in folder.iterdir() if not item.name.startswith(".")]
    return _inside(items[0]) if len(items) == 1 and items[0].is_dir() else folder
