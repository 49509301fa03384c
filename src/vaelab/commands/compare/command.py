"""The words of `vaelab compare`: `--config NAME key=value ...` takes any number of them, unlike other options."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from vaelab.commands.project import check_root
from vaelab.commands.running import Address, Cpus, Gpus, Jobs, On, Remote, asked_for
from vaelab.errors import InputError

if TYPE_CHECKING:
    from vaelab.commands.compare.experiments import Experiment
    from vaelab.commands.repro.command import Asked

OPTION = "--config"
KEY = "vaelab.configurations"


class WithConfigurations(TyperCommand):
    """A command whose --config options are read before its other words; `configurations` returns them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the configurations out of the words and read the rest as usual."""
        ctx.meta[KEY], rest = split(args)
        return super().parse_args(ctx, rest)


def configurations(context: typer.Context) -> list[tuple[str, list[str]]]:
    """Return the configurations that were typed: each its name and the words that follow, up to the next option."""
    return list(context.meta[KEY])


def split(words: Sequence[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Return the configurations among the words, and the other words; a --config without a name is left there."""
    found: list[tuple[str, list[str]]] = []
    rest: list[str] = []
    open_ = False  # whether words belong to the last configuration
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word.startswith(f"{OPTION}="):
            waiting[:0] = [OPTION, word.removeprefix(f"{OPTION}=")]
        elif word == OPTION and waiting and not waiting[0].startswith("-"):
            found.append((waiting.pop(0), []))
            open_ = True
        elif open_ and not word.startswith("-"):
            found[-1][1].append(word)
        else:
            open_ = False
            rest.append(word)
    return found, rest


def compare(
    context: typer.Context,
    everywhere: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes to all runs, such as epochs=3.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A suite or a preset of params.yaml: standard, beta, all ...")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME [KEY=VALUE]...", help="A configuration: data, preset, any option. Repeatable."),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data set of all runs.")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Each run once per seed: 0,1,2; alone: those of params.yaml.")
    ] = None,
    set_param: Annotated[list[str] | None, typer.Option("--set-param", "-S", help="As in dvc exp run.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the experiment.")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Put it into DVC's queue.")] = False,
    collect_only: Annotated[bool, typer.Option("--collect-only", help="Compare the results there are.")] = False,
    metrics_dir: Annotated[Path | None, typer.Option(help="Their folder; else workspace and experiments.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where that comparison goes: metrics/collected.")] = None,
    before: Annotated[str | None, typer.Option(help="A run that was measured; with --after: what changed.")] = None,
    after: Annotated[str | None, typer.Option(help="The run it is compared with.")] = None,
    jobs: Jobs = None,
    on: On = None,
    address: Address = None,
    cpus: Cpus = 1,
    gpus: Gpus = 0,
    via_remote: Remote = False,
) -> None:
    """Run configurations as one DVC experiment and compare them, or compare results that are there.

    vaelab compare --preset standard --seeds 0,1,2

    vaelab compare --config a preset=vae_small epochs=3 --config b data=tags lr=5e-4 beta=4 latent_dim=16

    vaelab compare --collect-only        vaelab compare --before vae_small --after vae_large
    """
    from vaelab.commands.compare import actions as comparing
    from vaelab.commands.compare.selection import Selection, parsed_seeds

    if metrics_dir is None:
        check_root()
    typed = configurations(context)
    asked = bool(preset or typed or seeds is not None or everywhere or data or set_param or name or queue)
    modes = [asked, collect_only or out is not None, before is not None or after is not None]
    if sum(modes) != 1 or (asked and metrics_dir is not None):
        raise InputError("expected --preset, --config or --seeds, or --collect-only, or --before with --after")
    if collect_only:
        print(comparing.collected(metrics_dir, out))
    elif asked:
        found, changes = comparing.entries(comparing.Words(typed, everywhere or []))
        selection = Selection(preset, found, data, parsed_seeds(seeds) if seeds is not None else [])
        elsewhere = asked_for(jobs, on, address, cpus, gpus, via_remote)
        if queue and elsewhere:
            raise InputError("expected --queue, or --on or -j: the queue has workers of its own")
        run(comparing.compose(selection, changes, set_param or [], name, queue), elsewhere)
    elif before and after:
        print(comparing.changed(before, after, metrics_dir), end="")
    else:
        raise InputError("--out goes with --collect-only, and --before with --after")


def run(experiment: "Experiment", elsewhere: "Asked | None") -> None:
    """Run an experiment, what went wrong said on stderr."""
    from vaelab.commands.compare import actions as comparing
    from vaelab.commands.compare.experiments import StageError

    try:
        print(comparing.run(experiment, elsewhere))
    except StageError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from here", file=sys.stderr)
        raise typer.Exit(130) from None
