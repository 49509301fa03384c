"""`vaelab sweep`: one run once per combination of values, all of them one DVC experiment and one comparison."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from vaelab import artifacts
from vaelab.commands import completion
from vaelab.commands.project import check_root
from vaelab.commands.running import Address, Cpus, Gpus, Jobs, On, Remote, asked_for
from vaelab.errors import InputError

COMMA = re.compile(r",(?![^\[{]*[\]}])")  # but for those within a list or a mapping


def sweep(
    base: Annotated[
        str, typer.Argument(metavar="RUN", help="A run or a preset of params.yaml.", autocompletion=completion.runs)
    ],
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE,VALUE...", help="Such as lr=1e-3,5e-4 beta=1,4.")],
    data: Annotated[str | None, typer.Option(help="Data set of all runs.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Each combination once per seed: 0,1,2.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the experiment.")] = None,
    jobs: Jobs = None,
    on: On = None,
    address: Address = None,
    cpus: Cpus = 1,
    gpus: Gpus = 0,
    via_remote: Remote = False,
) -> None:
    """Run every combination of values, as one DVC experiment, and compare.

    vaelab sweep vae_medium lr=1e-4,5e-4 beta=1,4 -j 2
    """
    from vaelab.commands.compare import actions as comparing
    from vaelab.commands.compare.command import run
    from vaelab.commands.compare.selection import Selection, parsed_seeds
    from vaelab.params.reading import read_yaml
    from vaelab.params.resolve import merge

    check_root()
    asked = asked_for(jobs, on, address, cpus, gpus, via_remote)
    own = base_of(base, read_yaml(artifacts.PARAMS))
    found, _ = comparing.entries(comparing.Words(list(combinations(base, values))))
    selection = Selection(
        configurations={key: merge(own, entry) for key, entry in found.items()},
        data=data,
        seeds=parsed_seeds(seeds) if seeds is not None else [],
    )
    run(comparing.compose(selection, {}, [], name), asked)


def base_of(name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run, or a preset as a run, as params.yaml has it. Raises InputError where it has neither."""
    from vaelab.params.problems import suggestion

    runs, presets = raw.get("runs") or {}, raw.get("presets") or {}
    if name not in runs and name not in presets:
        raise InputError(f"no run or preset {name!r} in {artifacts.PARAMS}; {suggestion(name, {*runs, *presets})}")
    return ({"preset": name} if name in presets else {}) | (runs.get(name) or {})


def combinations(base: str, words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each combination of the values in `key=value,value` words: its name, and a word for each key.

    Raises:
        InputError: a word is not of that form, or two values give one name.
    """
    choices = []
    for word in words:
        key, equals, text = word.partition("=")
        values = COMMA.split(text)
        if not key or not equals or not all(values):
            raise InputError(f"{word!r}: expected key=value,value, such as beta=1,4")
        of_key = f"_{key.rpartition('.')[2]}_" if len(values) > 1 else ""
        choices.append([(of_key and of_key + _plain(value), f"{key}={value}") for value in values])
    names = set[str]()
    for chosen in itertools.product(*choices):
        name = base + "".join(part for part, _ in chosen)
        if name in names:
            raise InputError(f"{' '.join(word for _, word in chosen)}: another combination is named {name} too")
        names.add(name)
        yield name, [word for _, word in chosen]


def _plain(value: str) -> str:
    return re.sub(r"\W", "_", value.strip("[]{}\"' "))
