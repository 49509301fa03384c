"""The words of the commands that run the pipeline: repro."""

from typing import Annotated

import typer

from vaelab.commands import completion
from vaelab.commands.project import check_root


def repro(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; none: all.", autocompletion=completion.runs)
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, max=256, help="Runs at a time.")] = 2,
) -> None:
    """Do what dvc repro does, with several runs side by side, and the cores divided among them.

    What each run says goes to .scratch/logs/. A run that fails stops none of the others.
    """
    from vaelab.commands.repro.command import repro_or_exit

    check_root()
    raise typer.Exit(repro_or_exit(runs or [], jobs))
