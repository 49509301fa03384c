"""The command `vaelab`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from vaelab import __version__, artifacts
from vaelab.errors import InputError, exit_on_input_error
from vaelab.params.problems import suggestion
from vaelab.params.resolve import read_run, resolve

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Train, measure, diagnose and compare variational autoencoders. The pipeline itself: dvc repro, dvc exp run."""
    if version:
        print(f"vaelab {__version__}")
        raise typer.Exit


@app.command()
def check() -> None:
    """Check params.yaml without running anything: all problems at once, and base values that have no effect."""
    resolved = resolve(artifacts.PARAMS)
    for warning in resolved.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for run in resolved.runs.values():
        print(f"{run.name}: data {run.data}, preset {run.preset or 'none'}")


@app.command()
def show(run: Annotated[str, typer.Argument(help="A run's name, or a model file (.safetensors).")]) -> None:
    """Print a run's complete configuration, as resolved or as stored in a model file."""
    if run.endswith(".safetensors"):
        from vaelab.models.files import read_description

        content = read_description(Path(run))
    else:
        known = sorted(path.stem for path in artifacts.RUNS.glob("*.yaml"))
        if run not in known:
            raise InputError(f"no run {run!r}; {suggestion(run, known)}")
        content = read_run(artifacts.resolved(run)).model_dump()
    print(yaml.safe_dump(content, sort_keys=False), end="")


@app.command()
def where() -> None:
    """Print where the report and the pictures of the active runs are."""
    print(f"report:     {artifacts.COMPARISON_TEXT} (with pictures: {artifacts.COMPARISON_MARKDOWN})")
    print(f"table:      {artifacts.COMPARISON_CSV}")
    print(f"comparison: {artifacts.COMPARISON_PICTURES}/")
    for path in sorted(artifacts.RUNS.glob("*.yaml")):
        print(f"pictures:   {artifacts.plots(path.stem)}/ (checkpoints/, epochs.gif)")


@app.command()
def docs() -> None:
    """Write docs/params.md from the schema."""
    from vaelab.params.document import params_document

    artifacts.write_text(Path("docs/params.md"), params_document())


def main() -> None:
    """Run the command line."""
    exit_on_input_error(app)
