"""The words of the commands that show what there is: where, open, tensorboard, notebook."""

from typing import Annotated

import typer

from vaelab.commands import completion
from vaelab.commands.extras import need
from vaelab.commands.project import need_project


def where() -> None:
    """Print where the report and the pictures of the active runs are."""
    from vaelab.commands import report

    need_project()
    report.where()


def open_(only_print: Annotated[bool, typer.Option("--print", help="Only print where it is.")] = False) -> None:
    """Open the report in a browser, where there is one, and print where it is."""
    from vaelab.commands import report

    need_project()
    report.open_report(only_print)


def tensorboard(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs; none: all.", autocompletion=completion.runs)
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Write the events that are there now, and end.")] = False,
    port: Annotated[int | None, typer.Option(min=1024, max=65535, help="Else 6006, or the next free one.")] = None,
) -> None:
    """Watch trainings, also queued ones, in TensorBoard: curves, and the same samples at every checkpoint.

    Needs: pip install 'vaelab[tensorboard]'
    """
    need_project()
    need("tensorboard", "tensorboard")
    from vaelab.commands.tensorboard import command as following

    following.tensorboard(runs or [], once, port)


def notebook(
    run: Annotated[str | None, typer.Argument(help="The run to look at first.", autocompletion=completion.runs)] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it anew, whatever was changed in it.")] = False,
) -> None:
    """Make notebooks/analysis.ipynb: pick runs and samples, plot, measure, export a table.

    Needs: pip install 'vaelab[notebook]'
    """
    need_project()
    need("notebook", "jupytext", "nbformat", "ipywidgets", "ipykernel")
    from vaelab.commands.notebook import command as writing

    print(writing.notebook(run, force))
