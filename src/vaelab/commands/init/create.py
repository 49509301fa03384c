"""What `vaelab init` does: looks at the data, writes a project that resolves and prepares, and commits it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from vaelab.commands.console import note
from vaelab.commands.init import tools
from vaelab.commands.init.examples import example, preset_of
from vaelab.commands.init.given import Data, beside, looked_at, resolved, stage_data, try_out, understood
from vaelab.commands.init.params_text import new_params, packaged_entry
from vaelab.commands.init.project import LOCAL, check_place, project_files, put, staged, write
from vaelab.commands.init.readme import readme
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

MESSAGE = "vaelab init"


def create(folder: Path, data: Path | None, example_name: str | None, in_place: bool) -> str:
    """Make a project and return what to say of it.

    Raises:
        InputError: the data cannot be understood, or the project cannot be put there; nothing is left of it.
    """
    tools.check_tools()
    check_place(folder)
    if data is not None and example_name is not None:
        raise InputError("--data and --example: expected one of them")
    if data is None:
        return _create_example(folder, example_name or "photos")
    with looked_at(data, folder, in_place) as found:
        return _create_own(folder, found)


def _create_own(folder: Path, data: Data) -> str:
    params = new_params(data.entry, {data.name: data.run}, {data.preset: packaged_entry("presets", data.preset)})
    what = f"Data: {'; '.join(data.found.said)}."
    files = project_files(params, readme(_title(folder), what, data.name, data.name, data.preset), folder)
    with staged(folder) as staging:
        write(staging, files)
        stage_data(staging, data)
        resolved(staging)
        told = try_out(staging, data)
        tracked = [data.place] if _is_tracked(folder, data) else []
        with put(staging, folder) as place:
            tools.make_repository(place)
            tools.track(place, tracked)
            author = tools.commit(place, [*_in_git(files), *(name for one in tracked for name in beside(one))], MESSAGE)
    return "\n".join([*understood(data), *told, *_next(folder, data.name, author)])


def _create_example(folder: Path, name: str) -> str:
    made = example(name)
    run = next(iter(made.runs))
    params = new_params(made.dataset, made.runs, made.presets)
    text = readme(_title(folder), f"Data: the example {name}.", name, run, preset_of(run, made.runs[run]))
    files = project_files(params, text, folder)
    with staged(folder) as staging:
        write(staging, files)
        resolved(staging)
        with put(staging, folder) as place:
            tools.make_repository(place)
            author = tools.commit(place, _in_git(files), MESSAGE)
    return "\n".join([f"example {name}: runs {', '.join(made.runs)}", *_next(folder, run, author)])


def _is_tracked(folder: Path, data: Data) -> bool:
    return not Path(data.place).is_absolute() and not (folder / f"{data.place}.dvc").exists()


def _title(folder: Path) -> str:
    return printable(folder.resolve().name) or "vaelab project"


def _in_git(files: Mapping[str, str]) -> list[str]:
    return [name for name in files if name != LOCAL]


def _next(folder: Path, run: str, author: str) -> list[str]:
    here = folder.resolve() == Path.cwd().resolve()
    if author:
        note(f"note: {author}")
    if (cache := tools.cache_outside(folder)) is not None:
        note(f"note: DVC can queue experiments of a path in ASCII alone: its cache is {cache} ({LOCAL})")
    if python := tools.other_python():
        note(f"note: `python` is {python}, not that of this vaelab: activate its environment before `dvc repro`")
    path = folder.as_posix()
    go = [] if here else [f"cd {shlex.quote(f'./{path}' if path.startswith('-') else path)}"]
    return ["", "next:", *(f"  {line}" for line in (*go, "dvc repro", "vaelab open", f"vaelab diagnose {run}"))]
