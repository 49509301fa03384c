"""What DVC notes of the stages of a run, in dvc.lock: apart for each run, and put together at once.

DVC reads params.yaml and dvc.lock whole for each stage, and writes dvc.lock whole after each, in Python: with 40 runs
that takes longer than short runs themselves. So a copy of the project has one run in both files, leaves its part of
dvc.lock in the scratch folder, and the project takes in all parts at once, with the outputs from the cache.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vaelab import artifacts, storage
from vaelab.commands.compare.experiments import dvc_beside
from vaelab.errors import InputError
from vaelab.params.reading import read_yaml
from vaelab.params.starts import starts_from

LOCK = Path("dvc.lock")
NOTES = artifacts.SCRATCH / "notes"  # a file for each run
ENTRY = re.compile(r"^  (\S+):\n((?:    .*\n)+)", re.MULTILINE)  # of dvc.lock, as DVC writes it
FILE = re.compile(r"^    - path: (.+)\n      hash: md5\n      md5: '?([0-9a-f]{32})'?$", re.MULTILINE)  # no folder


def reduce(folder: Path, run: str, stages: Sequence[str]) -> None:
    """Leave one run in params.yaml and dvc.lock of a copy of the project, and those that it starts from.

    Args:
        folder: the copy.
        run: its name.
        stages: names of the stages that each run has.
    """
    params = read_yaml(folder / artifacts.PARAMS)
    needed = [run]
    while (before := starts_from(params, needed[-1])) and before not in needed:
        needed.append(before)
    params["runs"] = {name: params["runs"][name] for name in needed}
    if starts := params.pop("starts", None):
        params["starts"] = {name: start for name, start in starts.items() if start["run"] in needed}
    params.pop("suites", None)
    storage.write_yaml(folder / artifacts.PARAMS, params)
    text = _read(folder / LOCK)
    known = {
        name: entry for name, entry in _entries(text).items()
        if name.partition("@")[0] not in stages or name.partition("@")[2] in needed
    }  # fmt: skip
    (folder / LOCK).write_text(_with(text, known), encoding="utf-8")


def keep(folder: Path, run: str, addresses: Sequence[str]) -> None:
    """Leave what DVC has noted of a run in a copy of the project where `take_in` looks for it, and of which options.

    Args:
        folder: the copy.
        run: its name.
        addresses: of its stages, as DVC calls them.
    """
    known = _entries(_read(folder / LOCK))
    own = {name: known[name] for name in addresses if name in known}
    if own:
        text = f"# {_digest(folder / artifacts.resolved(run))}\n{_with('', own)}"
        with suppress(InputError):  # where there is no room for it, dvc repro does the same at length
            storage.write_text(folder / NOTES / f"{run}.lock", text)


def take_in(runs: Sequence[str]) -> None:
    """Put what copies have left of these runs into dvc.lock, and their outputs where they belong.

    A note of other options, as of an experiment, is nothing to us. What the cache does not have, `dvc repro` makes.
    """
    found = {run: path for run in runs if (path := NOTES / f"{run}.lock").is_file()}
    new: dict[str, str] = {}
    for run, path in found.items():
        text = _read(path)
        if text.startswith(f"# {_digest(artifacts.resolved(run))}\n"):
            new |= _entries(text)
    if new:
        text = _read(LOCK)
        storage.write_text(LOCK, _with(text, _entries(text) | new))
        command = [sys.executable, "-m", "vaelab.commands.repro.checkout"]
        subprocess.run(command, input="\n".join(new), capture_output=True, encoding="utf-8")
        _uncached("".join(entry.partition("    outs:\n")[2] for entry in new.values()))
    for path in found.values():
        path.unlink(missing_ok=True)  # another command may have taken it


def _uncached(outs: str) -> None:
    """Put files where they belong that git has and the cache, too: `dvc checkout` leaves those alone."""
    asked = subprocess.run([dvc_beside(), "cache", "dir"], capture_output=True, encoding="utf-8", check=True)
    cache = Path(asked.stdout.strip()) / "files" / "md5"
    for name, digest in FILE.findall(outs):
        path, kept = Path(name), cache / digest[:2] / digest[2:]
        if kept.is_file() and _digest(path) != digest:
            with storage.atomic(path) as temporary:
                shutil.copyfile(kept, temporary)


def _digest(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else ""


def _read(lock: Path) -> str:
    return lock.read_text(encoding="utf-8") if lock.is_file() else ""


def _entries(text: str) -> dict[str, str]:
    """The stages of a dvc.lock."""
    return dict(ENTRY.findall(text))


def _with(text: str, entries: Mapping[str, str]) -> str:
    """A dvc.lock with these stages in place of its own."""
    head, _, rest = (ENTRY.sub("", text) or "schema: '2.0'\n").partition("stages:\n")
    stages = "".join(f"  {name}:\n{entry}" for name, entry in entries.items())
    return f"{head}stages:\n{stages}{rest}" if stages else f"{head}{rest}"
