"""Projects without data of one's own: the data sets and runs of the package's own params.yaml."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vaelab.commands.init.params_text import packaged_entry, packaged_value
from vaelab.errors import InputError
from vaelab.params.problems import suggestion

RUNS: dict[str, tuple[str, ...]] = {  # data set, and the runs of it, of the package's own or by preset
    "grids": ("grids", "option_a", "option_b"),
    "photos": ("photos",),
    "documents": ("page_ink",),
    "textures": ("fabric_local",),
    "tags": ("tags",),
}


class Example(NamedTuple):
    """An example: the lines of its data set, its runs, and the lines of the presets that these use."""

    dataset: str
    runs: dict[str, Mapping[str, Any]]
    presets: dict[str, str]


def example(name: str) -> Example:
    """Return the example of a name. Raises InputError where there is none."""
    if name not in RUNS:
        raise InputError(f"--example: no example {name!r}; {suggestion(name, RUNS)}")
    active = packaged_value("runs", RUNS[name][0]) if name != "documents" else {}
    runs = {run: packaged_value("runs", run) if active else {"data": name, "preset": run} for run in RUNS[name]}
    presets = {preset: packaged_entry("presets", preset) for preset in map(preset_of, runs, runs.values())}
    return Example(packaged_entry("datasets", name), runs, presets)


def preset_of(name: str, run: Mapping[str, Any]) -> str:
    """Return the preset of a run, which has its name where it says none."""
    return str(run.get("preset", name))
