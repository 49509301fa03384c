"""Arrays by name in files of many kinds: NumPy, MATLAB, HDF5, PyTorch, safetensors, MNIST's idx, CIFAR's batches.

Nothing that a file names is run: pickles and PyTorch's files are read as data, or not at all.
"""

import gzip
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.commands.init.unfold.nested import flat
from vaelab.commands.init.unfold.pickles import read_pickle
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import shortened

IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
CIFAR = 3072  # bytes of an image, before which its labels stand
STL = (3, 96, 96)
DAMAGED = (OSError, ValueError, TypeError, KeyError, EOFError, LookupError, ArithmeticError, MemoryError, RuntimeError,
           AttributeError, NotImplementedError, zlib.error, struct.error, zipfile.BadZipFile)  # fmt: skip
HDF5 = b"\x89HDF\r\n"
NEEDS_H5PY = "needs h5py, which is not installed: pip install h5py"


class Named(NamedTuple):
    """An array in a file."""

    file: Path
    key: str  # in the file; empty where it is the only one
    array: Any  # with shape, dtype and slices of its first axis


class Room(NamedTuple):
    """Where large files are unpacked to, and what is closed in the end."""

    folder: Path
    stack: ExitStack


Reader = Callable[[Path, Room], Iterator[tuple[str, Any]]]


def reader_of(path: Path) -> Reader | None:
    """Return what reads the arrays of a file, by its ending, or by its name and first bytes; None for other files."""
    ending = Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower()
    if ending in READERS:
        return READERS[ending]
    if "idx" in path.name and "ubyte" in path.name:
        return _idx
    if ending == ".bin" and any(word in path.name for word in ("batch", "train", "test", "unlabeled")):
        return _binary
    if ending in ("", ".meta") and not path.name.startswith(".") and _begins(path, b"\x80"):
        return _pickle
    return None


def arrays_in(path: Path, file: Path, room: Room) -> list[Named]:
    """Return the arrays of a file below a folder. Raises UnreadableError where it is damaged, or may run a program."""
    reader = reader_of(path / file)
    assert reader is not None
    try:
        return [Named(file, key, array) for key, array in reader(path / file, room)]
    except DAMAGED as error:
        raise UnreadableError(f"cannot be read: {shortened(error) or type(error).__name__}") from None


def _begins(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def _npy(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    yield "", np.load(path, mmap_mode="r", allow_pickle=False)


def _npz(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        for number, name in enumerate(archive.namelist()):
            unpacked = room.folder / f"{path.stem}-{number}.npy"
            with archive.open(name) as source, unpacked.open("wb") as target:
                shutil.copyfileobj(source, target)
            try:
                yield name.removesuffix(".npy"), np.load(unpacked, mmap_mode="r", allow_pickle=False)
            except ValueError:  # of Python objects
                unpacked.unlink()


def _idx(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    plain = path
    if path.suffix.lower() == ".gz":
        plain = room.folder / path.stem
        with gzip.open(path) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
    with plain.open("rb") as file:
        zero, kind, axes = struct.unpack(">HBB", file.read(4))
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
    if zero or kind not in IDX_TYPES:
        raise ValueError("no file of MNIST's kind (idx)")
    yield "", np.memmap(plain, IDX_TYPES[kind], "r", 4 + 4 * axes, shape)


def _binary(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    """CIFAR's binary version, of one label or two before each image, and STL-10's, of columns."""
    size = path.stat().st_size
    if path.name.endswith("X.bin") and not size % int(np.prod(STL)):
        yield "X", np.memmap(path, np.uint8, "r").reshape(-1, *STL).swapaxes(2, 3)
    elif path.name.endswith("y.bin"):
        yield "y", np.fromfile(path, np.uint8)
    else:
        labels = next((count for count in (1, 2) if size and not size % (CIFAR + count)), None)
        if labels is None:
            raise ValueError("its size is no multiple of that of CIFAR's images")
        rows = np.memmap(path, np.uint8, "r").reshape(-1, CIFAR + labels)
        yield "images", rows[:, labels:].reshape(-1, 3, 32, 32)
        yield "labels", np.array(rows[:, labels - 1])


def _pickle(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    yield from flat(read_pickle(path))


def _mat(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    from scipy.io import loadmat

    if not _begins(path, b"MATLAB 7.3"):
        yield from flat({key: value for key, value in loadmat(path).items() if not key.startswith("__")})
        return
    yield from ((key, _Turned(array)) for key, array in _hdf5(path, room))


class _Turned:
    """An array of HDF5 that MATLAB wrote, whose axes it turns around."""

    def __init__(self, array: Any) -> None:
        self.array, self.dtype, self.shape = array, array.dtype, array.shape[::-1]

    def __getitem__(self, part: slice) -> np.ndarray:
        turned: np.ndarray = np.asarray(self.array[..., part]).T
        return turned


def _hdf5(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    try:
        import h5py
    except ImportError:
        raise UnreadableError(NEEDS_H5PY) from None
    file = room.stack.enter_context(h5py.File(path, "r"))
    found: list[tuple[str, Any]] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape and item.dtype.kind in "buif":
            found.append((name, item))

    file.visititems(visit)
    yield from found


def _torch(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of an unpickler, which raises anything
        text = "is damaged, or holds more than tensors, and is not loaded, since that can run any program"
        raise UnreadableError(f"{text}; save its images with np.save") from error
    yield from flat(loaded)


def _safetensors(path: Path, room: Room) -> Iterator[tuple[str, Any]]:
    from safetensors import safe_open

    file = room.stack.enter_context(safe_open(path, "numpy"))
    for key in file.keys():  # noqa: SIM118  # it has no other way
        yield key, file.get_tensor(key)


READERS: dict[str, Reader] = {
    ".npy": _npy,
    ".npz": _npz,
    ".mat": _mat,
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5"), _hdf5),
    **dict.fromkeys((".pt", ".pth"), _torch),
    **dict.fromkeys((".pkl", ".pickle"), _pickle),
    ".safetensors": _safetensors,
}


def told(named: Named) -> str:
    """Return an array in words: its file, name, shape and type."""
    key = f" {named.key}" if named.key else ""
    return f"{printable(named.file.as_posix())}{key} {list(named.array.shape)} {named.array.dtype}"
