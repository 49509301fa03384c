"""Unpacking tar archives, with every Python that there is."""

import tarfile
from pathlib import Path


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack an archive, nothing outside of the folder. Before Python 3.11.4, links are left out."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    place = folder.resolve()
    plain = [member for member in archive if member.isfile() or member.isdir()]
    archive.extractall(folder, [one for one in plain if (place / one.name).resolve().is_relative_to(place)])
