"""What `vaelab add` does: a data set or a run more in params.yaml, whose comments and order stay."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from vaelab import artifacts, storage
from vaelab.commands import params_file
from vaelab.commands.compare.configurations import entry as configured
from vaelab.commands.compare.configurations import parsed, problems_of
from vaelab.commands.init import copying, tools
from vaelab.commands.init.given import Data, beside, looked_at, try_out, understood
from vaelab.commands.init.params_text import INDENT, flow, packaged_entry, with_entry
from vaelab.commands.init.project import staged
from vaelab.errors import InputError
from vaelab.params.problems import Problem, check, raise_problems, suggestion
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import resolve
from vaelab.params.schema import Params

HERE = Path()


def add_data(name: str, source: Path, in_place: bool) -> str:
    """Add a data set to params.yaml, and copy its data; return what to say. Raises InputError: nothing is changed."""
    _check_name("datasets", name)
    with looked_at(source, HERE, in_place, name) as data:
        return _add(name, data)


def _add(name: str, data: Data) -> str:
    written = _with("datasets", name, data.entry)
    written(_text())  # before anything is copied
    tracked = [data.place] if not Path(data.place).is_absolute() else []
    with _copied(data):
        told = try_out(HERE, data)
        tools.track(HERE, [place for place in tracked if not Path(f"{place}.dvc").exists()])
        params_file.change(written)
    changes = shlex.join(f"{key}={flow(value)}" for key, value in data.found.changes.items())
    run = f"vaelab add run {name} --data {name} --preset {data.preset} {changes}".strip()
    files = " ".join([artifacts.PARAMS.as_posix(), *(file for place in tracked for file in beside(place))])
    return "\n".join([*understood(data), *told, "", "next:", f"  {run}", f"  git add {files}", "  dvc repro"])


def add_run(name: str, data: str, preset: str | None, words: Sequence[str]) -> str:
    """Add a run to params.yaml, and the preset that it uses where it is not there; return what to say.

    Raises:
        InputError: a name is unknown, or a value wrong: all problems at once, and nothing is changed.
    """
    raw = read_yaml(artifacts.PARAMS)
    _check_name("runs", name)
    known = {**(raw.get("datasets") or {}), **(raw.get("starts") or {})}
    changes, wrong = parsed(words, "arguments")
    made, problems = configured(changes, "arguments")
    wrong += [*problems, *problems_of(name, made, f"runs.{name}")]
    if data not in known:
        wrong.append(Problem("--data", f"no data set {data!r} in {artifacts.PARAMS}; {suggestion(data, known)}"))
    raise_problems("vaelab add run", wrong)
    said, steps = list[str](), list[Callable[[str], str]]()
    if preset is not None and preset not in (raw.get("presets") or {}):
        steps.append(_with("presets", preset, _preset(preset, raw)))
        said.append(f"{artifacts.PARAMS}: presets.{preset}, as vaelab brings it")
    run: dict[str, Any] = {"data": data, **({"preset": preset} if preset else {}), **made}
    line = f"{INDENT}{name}: {flow(run)}\n"
    steps.append(_with("runs", name, line))
    params_file.change(lambda text: reduce(lambda so_far, step: step(so_far), steps, text), _resolves)
    return "\n".join([*said, f"{artifacts.PARAMS}: runs.{line.strip()}", "next: dvc repro"])


def _with(group: str, name: str, lines: str) -> Callable[[str], str]:
    """What adds an entry to the text of params.yaml."""
    return lambda text: with_entry(text, group, name, lines, artifacts.PARAMS)


def _resolves() -> None:
    resolve(artifacts.PARAMS)


def _check_name(group: str, name: str) -> None:
    """Refuse a name that params.yaml does not allow, or that is taken, before anything is looked at."""
    value: dict[str, Any] = {"source": "tags"} if group == "datasets" else {"data": ""}
    raise_problems("vaelab add", check(Params, {group: {name: value}}))
    if name in (read_yaml(artifacts.PARAMS).get(group) or {}):
        raise InputError(f"{artifacts.PARAMS}: {group}.{name} is there already; choose another name, or edit it there")


def _preset(name: str, raw: dict[str, Any]) -> str:
    """The lines of a preset of the package; problems name those of the project, too."""
    try:
        return packaged_entry("presets", name)
    except InputError as error:
        own = ", ".join(raw.get("presets") or {}) or "none"
        raise InputError(f"--preset: {error}; in {artifacts.PARAMS}: {own}") from None


@contextmanager
def _copied(data: Data) -> Iterator[None]:
    """Copy the data for a block that makes use of them; take them away again where it fails."""
    place, made = Path(data.place), [Path(data.place), Path(f"{data.place}.dvc")]
    if not data.files:
        yield
        return
    with staged(place.parent) as staging:
        copying.copy(data.source, staging / place.name, data.files)
        with storage.writing(place):  # which another command may have made meanwhile
            os.replace(staging / place.name, place)
    try:
        yield
    except BaseException:
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _text() -> str:
    text = artifacts.PARAMS.read_text(encoding="utf-8")
    if not isinstance(yaml.safe_load(text), dict):
        raise InputError(f"{artifacts.PARAMS}: expected a mapping of options")
    return text
