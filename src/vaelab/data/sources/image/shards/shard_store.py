"""The images of all shards below a directory as files: train/cat/7.jpg, by split, class and name, where known."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vaelab.data.sources.image.shards.archives import Tar, Zip
from vaelab.data.sources.image.shards.columns import Columns
from vaelab.data.sources.image.shards.members import Found, Shard, split_of, told_apart
from vaelab.data.sources.image.store import Store, for_a_moment
from vaelab.data.sources.listing import Listing, list_files, printable
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.data.sources.split_names import whole
from vaelab.errors import InputError
from vaelab.params.datasets import ImageShards

ARCHIVES: dict[str, Callable[[Path], Shard]] = {".tar": Tar, ".tgz": Tar, ".gz": Tar, ".zip": Zip}
COLUMNS = (".parquet", ".arrow")
MOST_OPEN = 50  # shards at once
ENDINGS = ".tar .tar.gz .tgz .zip .parquet .arrow"


@contextmanager
def shard_store(settings: ImageShards, where: str, scratch: Path) -> Iterator[Store]:
    """Yield the images of the shards that `path` names.

    Args:
        settings: of the data set.
        where: it is in params.
        scratch: folder in which an image is written while it is decoded.

    Raises:
        InputError: there is no shard, or a table has no column that is needed.
    """
    path = Path(settings.path)
    if not path.exists():
        raise InputError(f"{where}.path: {path} is not there; expected a shard or a directory of shards, {ENDINGS}")
    root = path if path.is_dir() else path.parent
    listing = list_files(root, is_shard) if path.is_dir() else Listing([Path(path.name)], [], Counter(), [])
    if not listing.files or not all(map(is_shard, listing.files)):
        raise InputError(f"{where}.path: no shard ({ENDINGS}) in {path}, {listing.ignored.total()} others")
    shards = [_shard(root / file, settings, where) for file in listing.files]
    try:
        yield _store(root, listing, shards, settings, scratch)
    finally:
        for shard in shards:
            shard.close()


def is_shard(path: Path) -> bool:
    """Return whether a file is a shard, by its ending."""
    ending = path.suffix.lower()
    return ending in COLUMNS or (ending in ARCHIVES and (ending != ".gz" or path.stem.lower().endswith(".tar")))


def _store(root: Path, listing: Listing, shards: list[Shard], settings: ImageShards, scratch: Path) -> Store:
    phases = {file: split_of(file) or "" for file in listing.files}
    given = whole(phase for phase in phases.values() if phase) and all(phases.values())
    named: list[tuple[str, int, Found]] = []
    for number, file in enumerate(progress(listing.files, "list", "shard")):
        shard, found = shards[number], list[Found]()
        try:
            check_regular(root / file)
            found = shard.images()
        except UnreadableError as error:
            listing.quarantined.append({"file": printable(file), "reason": str(error)})
        shard.close()
        listing.ignored.update(shard.others)
        folders = [phases[file]] * given
        named += [("/".join([*folders, *([one.label] * bool(one.label)), one.name]), number, one) for one in found]
    names = told_apart((listing.files[number].stem, name) for name, number, _ in named)
    places = {Path(name): (number, found) for name, (_, number, found) in zip(names, named, strict=True)}
    files, in_use = listing._replace(files=sorted(places)), list[int]()

    @contextmanager
    def at(file: Path) -> Iterator[Path]:
        number, found = places[file]
        if number not in in_use:
            in_use.append(number)
        if len(in_use) > MOST_OPEN:
            shards[in_use.pop(0)].close()
        with for_a_moment(scratch, found.name, shards[number].read(found)) as path:
            yield path

    def order(files: Sequence[Path], number: np.ndarray) -> np.ndarray:
        """Those of shards that must be read from first to last come last, shard by shard."""
        keys = [
            (0, 0, value) if shards[places[file][0]].random else (1, *_place(places[file]))
            for file, value in zip(files, number.tolist(), strict=True)
        ]
        return np.array(sorted(range(len(files)), key=keys.__getitem__), dtype=np.int64)

    return Store(root, files, at, order, f"images of {len(shards)} shards in {settings.path}")


def _place(place: tuple[int, Found]) -> tuple[int, int]:
    return place[0], place[1].at


def _shard(path: Path, settings: ImageShards, where: str) -> Shard:
    if path.suffix.lower() in COLUMNS:
        return Columns(path, settings.image, settings.label, where)
    return ARCHIVES[path.suffix.lower()](path)
