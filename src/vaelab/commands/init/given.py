"""Data that a project is to have: looked at, copied, tried, and told of."""

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts
from vaelab.commands.init import copying
from vaelab.commands.init.params_text import entry, flow
from vaelab.commands.init.project import STAGING
from vaelab.commands.init.recognise.found import Found, name_of
from vaelab.commands.init.unfold.unfolding import unfolded
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

RAW = Path("data/raw")
TRIED = 200_000_000  # bytes of raw data that are prepared at once, to see whether they can be
WARNINGS = 4  # of stage prepare, that are said


class Data(NamedTuple):
    """Data that a project is to have: what was found, where it is, and where it will be."""

    found: Found
    name: str
    given: Path  # by the user
    source: Path  # the same, or what was made of it
    place: str  # as params.yaml has it
    files: dict[Path, Path]  # to be copied; none where they stay

    @property
    def size(self) -> int:
        """Bytes that are copied."""
        return copying.size_of(self.source, self.files) if self.files else 0

    @property
    def preset(self) -> str:
        """The preset of its run."""
        return self.found.preset

    @property
    def run(self) -> dict[str, Any]:
        """Its run, as in params.yaml."""
        return {"data": self.name, "preset": self.preset, **self.found.changes}

    @property
    def entry(self) -> str:
        """Its lines of params.yaml."""
        return entry(self.name, self.found.placed(self.place), self.found.why)


@contextmanager
def looked_at(source: Path, folder: Path, in_place: bool, name: str = "") -> Iterator[Data]:
    """Yield what lies at a path, and where it will be in the project of a folder; it is copied in the block.

    Raises:
        InputError: it cannot be understood, or there is no room for it.
    """
    if folder.resolve().is_relative_to(source.resolve()):
        text = f"{printable(source.as_posix())} holds the project itself, {printable(folder.as_posix())}"
        raise InputError(f"--data: {text}; name another folder for it")
    with unfolded(source, folder) as (found, path):
        yield _placed(found, path, source, folder, in_place, name or name_of(source))


def _placed(found: Found, path: Path, source: Path, folder: Path, in_place: bool, name: str) -> Data:
    """Data that were found at `path`, which is `source` or what was made of it."""
    inside = source.resolve().is_relative_to((folder / RAW).resolve()) and source.resolve() != (folder / RAW).resolve()
    if (in_place or inside) and (found.moved or path != source):
        text = "its files have to be put into other folders, or unpacked, which needs a copy"
        raise InputError(f"{printable(source.as_posix())}: {text}: without --in-place, from outside of {RAW}/")
    if inside:
        return Data(found, name, source, source, source.resolve().relative_to(folder.resolve()).as_posix(), {})
    if in_place:
        return Data(found, name, source, source, source.resolve().as_posix(), {})
    ending = "".join(path.suffixes[-2:]) if path.is_file() else ""
    place = RAW / f"{name}{ending}"
    if (folder / place).exists():
        raise InputError(f"{folder / place} is there already; choose another name")
    files = {Path(): Path()} if path.is_file() else dict(found.moved) or copying.files_of(path)
    made = Data(found, name, source, path, place.as_posix(), files)
    copying.check_space(made.size, folder, source)
    return made


def stage_data(staging: Path, data: Data) -> None:
    """Copy what is to be copied."""
    if data.files:
        copying.copy(data.source, staging / data.place, data.files)


def beside(place: str) -> list[str]:
    """Return the files that `dvc add` writes for data at a place."""
    return [f"{place}.dvc", (Path(place).parent / ".gitignore").as_posix()]


def understood(data: Data) -> list[str]:
    """Return what was understood of data, and what was guessed, in lines."""
    lines = [f"understood: {data.found.said[0]}", *(f"  {text}" for text in data.found.said[1:])]
    settings = data.found.placed(data.place)
    lines += [f"  {key}: {flow(settings[key])}  ({text})" for key, text in data.found.why.items() if key in settings]
    changed = "".join(f", {key}: {flow(value)}" for key, value in data.found.changes.items())
    reason = f"  ({data.found.why['preset']})" if "preset" in data.found.why else ""
    lines.append(f"  preset {data.preset}{changed}{reason}")
    if data.found.rest:
        rest = [printable(text) for text in data.found.rest]
        lines.append(f"not used: {', '.join(rest[:8])}{f' and {len(rest) - 8} more' if len(rest) > 8 else ''}")
    if data.files:
        lines.append(f"copied to {data.place}: {data.size / 1e6:,.1f} MB; what you have stays as it is")
    elif not data.place.startswith(RAW.as_posix()):
        lines.append(f"stays at {data.place}: DVC does not notice when it changes (`dvc repro -f prepare@{data.name}`)")
    return lines


def try_out(project: Path, data: Data) -> list[str]:
    """Prepare the data once, if they are there and not large; return what that counted.

    Raises:
        InputError: `dvc repro` would stop at them.
    """
    from vaelab.data.sources import prepare
    from vaelab.params.schema import Params

    if not (project / data.place).exists() or _bytes(data.source) > TRIED:
        return []
    settings = Params.model_validate({"datasets": {data.name: data.found.placed(data.place)}}).datasets[data.name]
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=project.resolve()) as place, chdir(project), _silence():
        target = Path(place).absolute() / data.name
        try:
            prepare(settings, target)
        except InputError as error:
            what = f"{printable(data.given.as_posix())}: understood as below, and cannot be prepared: {error}"
            mend = "mend the data, or start from `vaelab init DIR --example photos` and write in params.yaml, changed:"
            raise InputError(f"{what}\n{mend}\ndatasets:\n{data.entry}runs:\n  {data.name}: {flow(data.run)}") from None
        return [f"tried: {_examples(target)}"]


@contextmanager
def _silence() -> Iterator[None]:
    """Say nothing of what stage prepare will say again."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def _bytes(source: Path) -> int:
    return copying.size_of(source, {Path(): Path()} if source.is_file() else copying.files_of(source))


def _examples(prepared: Path) -> str:
    """How many examples are in each split, and how many files were left out, as meta.json says."""
    meta = json.loads((prepared / "meta.json").read_text(encoding="utf-8"))
    counts = ", ".join(f"{phase} {count:,}" for phase, count in meta["examples"].items())
    out = len(meta.get("quarantined", ()))
    warnings = "".join(f"\nwarning: {text}" for text in meta.get("warnings", ())[:WARNINGS])
    first = next((f"{entry['file']}: {entry['reason']}" for entry in meta.get("quarantined", ())), "")
    return f"{counts} examples" + (f"; {out} files left out, the first: {first}" if out else "") + warnings


def resolved(project: Path) -> Any:
    """Return the runs of a project. Raises InputError where they do not resolve."""
    from vaelab.params.resolve import resolve

    with chdir(project):
        return resolve(artifacts.PARAMS)
