"""The words of the commands repro and run-one, and of all that say how many runs at a time, and where."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.commands import completion
from vaelab.commands.extras import need
from vaelab.commands.project import check_root
from vaelab.errors import InputError

if TYPE_CHECKING:
    from vaelab.commands.repro.command import Asked


class Place(StrEnum):
    """Where runs can be run, other than here."""

    ray = "ray"


Jobs = Annotated[int | None, typer.Option("-j", "--jobs", min=1, max=256, help="Runs at a time, on this machine.")]
On = Annotated[Place | None, typer.Option(help="On the machines of a Ray cluster.")]
Address = Annotated[str | None, typer.Option(help="Of the cluster, auto: this machine's; else one is made.")]
Cpus = Annotated[float, typer.Option(min=0.01, help="Of the cluster, for each run.")]
Gpus = Annotated[float, typer.Option(min=0, help="Of the cluster, for each run; 2 or more: torchrun.")]
Remote = Annotated[bool, typer.Option("--via-remote", help="Its machines share no folder, but DVC's default remote.")]


def asked_for(
    jobs: int | None, on: Place | None, address: str | None, cpus: float, gpus: float, remote: bool
) -> "Asked | None":
    """Return how many runs at a time, and where; None where nothing was said of it.

    Raises:
        InputError: a package is missing, or an option has no effect.
    """
    from vaelab.commands.repro.command import Asked
    from vaelab.commands.repro.on_ray import Resources

    if on is None:
        if (address, cpus, gpus, remote) != (None, 1, 0, False):
            raise InputError("--address, --cpus, --gpus and --via-remote are of a cluster: expected --on ray with them")
        return Asked(jobs=jobs) if jobs is not None else None
    if jobs is not None:
        raise InputError("-j is of this machine, and a cluster takes as many runs as fit: expected -j or --on")
    if gpus > 1 and gpus % 1:
        raise InputError(f"--gpus {gpus:g}: expected a share of one GPU, or a whole number")
    need("ray", "ray")
    return Asked(on=on, resources=Resources(cpus, gpus, address), remote=remote)


def repro(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs; none: all.", autocompletion=completion.runs)
    ] = None,
    jobs: Jobs = None,
    on: On = None,
    address: Address = None,
    cpus: Cpus = 1,
    gpus: Gpus = 0,
    via_remote: Remote = False,
) -> None:
    """Do what dvc repro does, with several runs side by side: without -j one for each core. They share the cores.

    What each run says goes to .scratch/logs/. A run that fails stops none of the others.
    """
    from vaelab.commands.repro.command import Asked, repro_or_exit

    check_root()
    asked = asked_for(jobs, on, address, cpus, gpus, via_remote) or Asked()
    raise typer.Exit(repro_or_exit(asked._replace(runs=runs or [])))


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
