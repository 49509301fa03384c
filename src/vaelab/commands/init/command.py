"""The arguments of `vaelab init`, `vaelab upgrade` and `vaelab add`."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.commands.project import check_root

InPlace = Annotated[bool, typer.Option("--in-place", help="Do not copy the data: use them where they are.")]

add = typer.Typer(no_args_is_help=True, help="Add a data set or a run to params.yaml.")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project; new, or this one.")] = Path(),
    data: Annotated[
        Path | None, typer.Option(help="Images, masks beside them, arrays, a table of tags, ARC tasks: looked at.")
    ] = None,
    example: Annotated[
        str | None, typer.Option(metavar="NAME", help="Instead: grids, photos, documents, textures or tags.")
    ] = None,
    in_place: InPlace = False,
) -> None:
    """Make a project, with git and DVC, of data that are looked at; `dvc repro` then trains, measures and compares."""
    from vaelab.commands.init.create import create

    print(create(folder, data, example, in_place))


def upgrade() -> None:
    """Take the installed version of vaelab into this project: the pipeline, and vaelab.lock, on which stages depend."""
    from vaelab.commands.init import upgrade as upgrading

    check_root()
    print(upgrading.upgrade())


@add.command("data")
def add_data(
    name: Annotated[str, typer.Argument(help="Of the data set.")],
    path: Annotated[Path, typer.Argument(help="What lies there is looked at, as by init.")],
    in_place: InPlace = False,
) -> None:
    """Add a data set: look at data, copy them to data/raw, write what was understood into params.yaml."""
    from vaelab.commands.init import adding

    check_root()
    print(adding.add_data(name, path, in_place))


@add.command("run")
def add_run(
    name: Annotated[str, typer.Argument(help="Of the run.")],
    data: Annotated[str, typer.Option(help="Data set of params.yaml.")],
    changes: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Options: beta=4 lr=5e-4.")] = None,
    preset: Annotated[str | None, typer.Option(help="Of params.yaml or of vaelab, from which it is copied.")] = None,
) -> None:
    """Add a run: its data set, preset and options; checked, and written into params.yaml."""
    from vaelab.commands.init import adding

    check_root()
    print(adding.add_run(name, data, preset, changes or []))
