"""The command `vaelab`."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from vaelab import __version__, artifacts
from vaelab.commands import completion, console, ending, looking, running, words
from vaelab.commands.compare.command import WithConfigurations, compare
from vaelab.commands.compare.sweep import sweep
from vaelab.commands.init import command as projects
from vaelab.commands.judge import command as judging
from vaelab.commands.own_python import prefer_own_programs
from vaelab.commands.project import check_root, need_project
from vaelab.errors import InputError, exit_on_input_error
from vaelab.serving import command as serving

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say where an error comes from.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress bars and notes.")] = False,
) -> None:
    """Train, measure, diagnose and compare variational autoencoders. The pipeline itself: dvc repro, dvc exp run.

    -v and -q may stand behind a command too.
    """
    console.set_voice(verbose, quiet)
    if version:
        print(f"vaelab {__version__}")
        raise typer.Exit


app.command()(projects.init)


@app.command()
def check() -> None:
    """Check params.yaml without running anything: all problems at once, and what has no effect or no run."""
    from vaelab.commands.init.lock import differences
    from vaelab.params.problems import listed
    from vaelab.params.resolve import resolve

    check_root()
    if other := differences():
        console.note(f"warning: {other}")
    resolved = resolve(artifacts.PARAMS)
    for warning in (*resolved.warnings, *listed(resolved.unused)):
        console.note(f"warning: {warning}")
    rows = [(run.name, run.data, run.preset or "none") for run in resolved.runs.values()]
    plain = [f"{name}: data {data}, preset {preset}" for name, data, preset in rows]
    console.show_table(("run", "data", "preset"), rows, plain)


@app.command()
def show(
    run: Annotated[
        str, typer.Argument(help="A run's name, or a model file (.safetensors).", autocompletion=completion.runs)
    ],
) -> None:
    """Print a run's complete configuration: as params.yaml has it now, or as stored in a model file."""
    import yaml

    from vaelab.params.problems import suggestion
    from vaelab.params.resolve import read_run, resolve

    if run.endswith(".safetensors"):
        from dataclasses import asdict

        from vaelab.models.files import describe

        described = describe(Path(run))
        content = described._asdict() | {"info": asdict(described.info), "run": described.run.model_dump()}
    else:
        check_root()
        runs = resolve(artifacts.PARAMS).runs if artifacts.PARAMS.is_file() else {}
        before = {path.stem for path in artifacts.RUNS.glob("*.yaml")}
        if run not in before.union(runs):
            raise InputError(f"no run {run!r}; {suggestion(run, sorted(before.union(runs)))}")
        content = (runs.get(run) or read_run(artifacts.resolved(run))).model_dump()
    print(yaml.safe_dump(content, sort_keys=False), end="")


@app.command()
def clean(yes: Annotated[bool, typer.Option("--yes", help="Remove them.")] = False) -> None:
    """List what is left of runs and data sets that params.yaml no longer has; with --yes remove it."""
    from vaelab.commands import clean as cleaning
    from vaelab.params.resolve import resolve

    check_root()
    found = resolve(artifacts.PARAMS)
    print(cleaning.clean(cleaning.gone(found.runs, (*found.datasets, *found.starts)), yes))


@app.command()
def docs() -> None:
    """Write docs/params.md from the schema, docs/playbook.md from the causes; in a project of init, all pages."""
    from vaelab import storage
    from vaelab.commands.init.packaged import write_pages
    from vaelab.commands.init.pipeline import LOCK
    from vaelab.diagnosis.playbook import playbook
    from vaelab.params.document import params_document

    check_root()
    if Path(LOCK).is_file():
        write_pages(Path("docs"))
    storage.write_text(Path("docs/params.md"), params_document())
    storage.write_text(Path("docs/playbook.md"), playbook())


@app.command()
def diagnose(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Runs; none: all active ones.", autocompletion=completion.runs),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="CAUSE",
            help="Say what a cause is, and its numbers in the runs named.",
            autocompletion=completion.causes,
        ),
    ] = None,
) -> None:
    """Say what is wrong with runs, why, and what to do, from what is saved of them."""
    from vaelab.commands import diagnose as diagnosing

    if explain is not None:
        print(diagnosing.explained(explain, runs or [], as_json))
        return
    print(diagnosing.diagnosed(runs or [], as_json))


@app.command()
def treat(
    run: Annotated[str, typer.Argument(help="A run that was measured.", autocompletion=completion.runs)],
    budget: Annotated[str, typer.Option(help="Time for all tries: 90s, 30m, 2h.")] = "30m",
    tries: Annotated[int, typer.Option(min=1, max=100, help="Most tries.")] = 3,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be tried.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what was kept into params.yaml; tries nothing.")
    ] = False,
    random: Annotated[bool, typer.Option("--random", help="Random changes instead, as a control.")] = False,
) -> None:
    """Try what the diagnosis of a run prescribes, each as a DVC experiment; keep what helps."""
    from vaelab.commands.treat import command as treating

    check_root()
    treating.treat(run, treating.Asked(treating.seconds_of(budget), tries, dry_run, apply, random))


app.command()(running.repro)
app.command("run-one")(running.run_one)
app.add_typer(projects.add, name="add")
app.command()(projects.upgrade)
app.command()(judging.quality)
app.command()(judging.embed)
app.command(cls=WithConfigurations)(compare)
app.command()(sweep)
app.command()(looking.where)
app.command("open")(looking.open_)
app.command()(serving.score)
app.command()(serving.export)
app.command()(looking.tensorboard)
app.command()(looking.notebook)


@app.command()
def dashboard(
    port: Annotated[int | None, typer.Option(min=1024, max=65535, help="Else 8501, or the next free one.")] = None,
) -> None:
    """Look at runs and samples in a browser, on this machine alone.

    Needs: pip install 'vaelab[dashboard]'
    """
    from vaelab.dashboard.command import serve

    need_project()
    serve(port)


def _run() -> None:
    try:
        with ending.as_interrupts():
            words.command_of(app)(args=words.ordered(sys.argv[1:]))
    except InputError:
        if console.is_verbose():
            traceback.print_exc()
        raise


def main() -> None:
    """Run the command line."""
    prefer_own_programs()
    exit_on_input_error(_run)
