"""The words of the commands that run the pipeline: repro, run-one."""

from enum import StrEnum
from typing import Annotated

import typer

from vaelab.commands import completion
from vaelab.commands.extras import need
from vaelab.commands.project import check_root


class Place(StrEnum):
    """Where runs can be run, other than here."""

    ray = "ray"


def repro(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs; none: all.", autocompletion=completion.runs)
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("-j", "--jobs", min=1, max=256, help="Runs at a time, on this machine; else one for each core."),
    ] = None,
    on: Annotated[Place | None, typer.Option(help="On the machines of a Ray cluster.")] = None,
    address: Annotated[str | None, typer.Option(help="Of the cluster, auto: this machine's; else one is made.")] = None,
    cpus: Annotated[float, typer.Option(min=0.01, help="Of the cluster, for each run.")] = 1,
    gpus: Annotated[float, typer.Option(min=0, help="Of the cluster, for each run.")] = 0,
) -> None:
    """Do what dvc repro does, with several runs side by side, and the cores divided among them.

    What each run says goes to .scratch/logs/. A run that fails stops none of the others.
    """
    from vaelab.commands.repro.command import Asked, repro_or_exit
    from vaelab.commands.repro.on_ray import Resources

    check_root()
    if on is not None:
        need("ray", "ray")
    raise typer.Exit(repro_or_exit(Asked(runs or [], jobs, on, Resources(cpus, gpus, address))))


def run_one(
    index: Annotated[
        int | None, typer.Argument(min=0, help="Of the run, from 0; none: that of the job array, SLURM or Kubernetes.")
    ] = None,
) -> None:
    """Do the stages of one run in a copy of this project, for a job of a scheduler; docs/scaling.md.

    Outputs go to the cache that dvc cache dir names, from which dvc repro restores them here.
    """
    from vaelab.commands.repro import command

    check_root()
    raise typer.Exit(command.run_one(index))
