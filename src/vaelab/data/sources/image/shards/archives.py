"""Images in archives: .tar, also compressed, and .zip. WebDataset's 7.cls is the class of 7.jpg."""

import gzip
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vaelab.data.sources.decoding import SUFFIXES
from vaelab.data.sources.image.shards.members import Found, check_bytes, safe
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import shortened

CLASS, CLASS_BYTES = ".cls", 100
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
           RuntimeError, LookupError, AttributeError, TypeError, struct.error)  # fmt: skip


class Archive:
    """What is the same for all archives: names of members become images and classes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.others: Counter[str] = Counter()

    def images(self) -> list[Found]:
        """Return the images, with their classes."""
        found, classes = list[Found](), dict[str, str]()
        try:
            for name, at, size, text in self._members():
                if text is not None:
                    classes[_key(name)] = text
                elif Path(name).name.startswith("."):
                    self.others["(hidden)"] += 1
                elif Path(name).suffix.lower() in SUFFIXES:
                    found.append(Found(safe(name), at, size))
                else:
                    self.others[Path(name).suffix.lower() or "(none)"] += 1
        except DAMAGED as error:
            raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None
        return [one._replace(label=classes.get(_key(one.name), "")) for one in found]

    def _members(self) -> Iterator[tuple[str, int, int, str | None]]:
        """Name, place and size of each file, and its text where that is a class."""
        raise NotImplementedError


class Tar(Archive):
    """A .tar; where it is compressed, it is read from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.random = path.suffix.lower() == ".tar"
        self.unpacked: gzip.GzipFile | None = None

    def _members(self) -> Iterator[tuple[str, int, int, str | None]]:
        with tarfile.open(self.path, "r:" if self.random else "r:gz") as archive:
            for member in archive:
                if not member.isreg() or member.issparse():
                    continue
                text = None
                if member.name.endswith(CLASS) and (file := archive.extractfile(member)):
                    text = _text(file.read(CLASS_BYTES))
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
                yield member.name, member.offset_data, member.size, text

    def read(self, found: Found) -> bytes:
        """Return the bytes of an image."""
        check_bytes(found.size)
        try:
            if self.random:
                with self.path.open("rb") as file:
                    file.seek(found.at)
                    content = file.read(found.size)
            else:
                self.unpacked = self.unpacked or gzip.GzipFile(self.path)
                self.unpacked.seek(found.at)
                content = self.unpacked.read(found.size)
        except DAMAGED as error:
            raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None
        if len(content) < found.size:
            raise UnreadableError(f"damaged: the archive ends {found.size - len(content)} bytes before it")
        return content

    def close(self) -> None:
        """Let go of the file."""
        if self.unpacked is not None:
            self.unpacked.close()
            self.unpacked = None


class Zip(Archive):
    """A .zip, which keeps a table of what it holds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.random = True
        self.archive: zipfile.ZipFile | None = None

    def _members(self) -> Iterator[tuple[str, int, int, str | None]]:
        archive = self._opened()
        for number, entry in enumerate(archive.infolist()):
            if not entry.is_dir():
                text = None
                if entry.filename.endswith(CLASS):
                    with archive.open(entry) as file:
                        text = _text(file.read(CLASS_BYTES))
                yield entry.filename, number, entry.file_size, text

    def read(self, found: Found) -> bytes:
        """Return the bytes of an image; no more are unpacked than the table says."""
        check_bytes(found.size)
        try:
            archive = self._opened()
            with archive.open(archive.filelist[found.at]) as file:
                return file.read(found.size)
        except DAMAGED as error:
            raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None

    def close(self) -> None:
        """Let go of the file."""
        if self.archive is not None:
            self.archive.close()
            self.archive = None

    def _opened(self) -> zipfile.ZipFile:
        self.archive = self.archive or zipfile.ZipFile(self.path)
        return self.archive


def _key(name: str) -> str:
    """What the files of one sample have in common: all before the first point of the name."""
    folder, _, last = safe(name).rpartition("/")
    return f"{folder}/{last.partition('.')[0]}"


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip()
