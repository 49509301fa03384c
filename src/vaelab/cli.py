"""The command `vaelab`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from vaelab import __version__, artifacts, storage
from vaelab.commands.compare.command import WithConfigurations, compare
from vaelab.commands.project import check_root
from vaelab.errors import InputError, exit_on_input_error
from vaelab.params.problems import listed, suggestion
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
    """Check params.yaml without running anything: all problems at once, and what has no effect or no run."""
    check_root()
    resolved = resolve(artifacts.PARAMS)
    for warning in (*resolved.warnings, *listed(resolved.unused)):
        print(f"warning: {warning}", file=sys.stderr)
    for run in resolved.runs.values():
        print(f"{run.name}: data {run.data}, preset {run.preset or 'none'}")


@app.command()
def show(run: Annotated[str, typer.Argument(help="A run's name, or a model file (.safetensors).")]) -> None:
    """Print a run's complete configuration, as resolved or as stored in a model file."""
    if run.endswith(".safetensors"):
        from dataclasses import asdict

        from vaelab.models.files import describe

        described = describe(Path(run))
        content = described._asdict() | {"info": asdict(described.info), "run": described.run.model_dump()}
    else:
        check_root()
        known = sorted(path.stem for path in artifacts.RUNS.glob("*.yaml"))
        if run not in known:
            hint = f"; where {artifacts.PARAMS} has it since, `dvc repro resolve` comes first"
            raise InputError(f"no run {run!r}; {suggestion(run, known)}{hint}")
        content = read_run(artifacts.resolved(run)).model_dump()
    print(yaml.safe_dump(content, sort_keys=False), end="")


@app.command()
def where() -> None:
    """Print where the report and the pictures of the active runs are."""
    check_root()
    places = [
        ("report", artifacts.COMPARISON_TEXT, f" (with pictures: {artifacts.COMPARISON_HTML})"),
        ("table", artifacts.COMPARISON_CSV, ""),
        ("comparison", artifacts.COMPARISON_PICTURES, "/"),
        *(("defects", folder, "/") for folder in sorted(artifacts.COMPARISON_DEFECTS.glob("*/"))),
        *(
            ("pictures", artifacts.plots(path.stem), "/ (checkpoints/, epochs.gif)")
            for path in sorted(artifacts.RUNS.glob("*.yaml"))
        ),
    ]
    for what, path, more in places:
        missing = "" if path.exists() else "; not there yet: dvc repro"
        print(f"{f'{what}:':<12}{path}{more}{missing}")


@app.command()
def clean(yes: Annotated[bool, typer.Option("--yes", help="Remove them.")] = False) -> None:
    """List what is left of runs and data sets that params.yaml no longer has; with --yes remove it."""
    from vaelab.commands import clean as cleaning

    check_root()
    found = resolve(artifacts.PARAMS)
    print(cleaning.clean(cleaning.gone(found.runs, found.datasets), yes))


@app.command()
def docs() -> None:
    """Write docs/params.md from the schema, and docs/playbook.md from the table of causes."""
    from vaelab.diagnosis.playbook import playbook
    from vaelab.params.document import params_document

    check_root()
    storage.write_text(Path("docs/params.md"), params_document())
    storage.write_text(Path("docs/playbook.md"), playbook())


@app.command()
def diagnose(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; none: all active ones.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="CAUSE", help="Say what a cause is.")] = None,
) -> None:
    """Say what is wrong with runs, why, and what to do, from what is saved of them."""
    from vaelab.commands import diagnose as diagnosing

    if explain is not None:
        print(diagnosing.explained(explain))
        return
    check_root()
    print(diagnosing.diagnosed(runs or [], as_json))


@app.command()
def treat(
    run: Annotated[str, typer.Argument(help="A run that was measured.")],
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


@app.command()
def quality(
    run: Annotated[str | None, typer.Argument(help="A trained run's name, or a model file (.safetensors).")] = None,
    config: Annotated[Path | None, typer.Option(help="A resolved run (.yaml): its limits and data.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A model file, instead of RUN.")] = None,
    data: Annotated[str | None, typer.Option(help="Prepared data set, folder of images, image or .npy.")] = None,
    phase: Annotated[str | None, typer.Option(help="Split of prepared data: train, val (default) or test.")] = None,
    num_samples: Annotated[int, typer.Option(min=1, max=64, help="Images that are shown.")] = 8,
    analyze_latents: Annotated[bool, typer.Option("--analyze-latents", help="Show how the latents lie.")] = False,
    batch: Annotated[bool, typer.Option("--batch", hidden=True, help="No effect: all are measured.")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder for images.csv and summary.json.")] = None,
    save_path: Annotated[Path, typer.Option(help="The picture (.png).")] = Path("quality.png"),
    seed: Annotated[int, typer.Option(min=0, help="Seeds the choice of images.")] = 0,
) -> None:
    """Judge a model's reconstructions: a table, a verdict beside baselines, and a picture."""
    from vaelab.commands.judge import quality as measuring
    from vaelab.commands.judge import quality_report as reporting
    from vaelab.commands.judge.target import choose

    if save_path.suffix != ".png":
        raise InputError(f"--save-path {save_path}: expected a name that ends in .png")
    if run is not None and not run.endswith(".safetensors"):
        check_root()
    target = choose(run, config, checkpoint)
    source = measuring.open_images(target, data, phase)
    found = measuring.quality(target, source, num_samples, seed)
    _left_out([*source.refused, *found.all.refused])
    lines = reporting.verdict_lines(target, found)
    shown = [*lines, "", *reporting.latent_lines(target, found)] if analyze_latents else lines
    print(f"measured: {found.counted}; shown: {reporting.shown_of(found)}", "", sep="\n")
    print(reporting.image_table(found), "", *shown, sep="\n")
    reporting.draw(target, found, shown, analyze_latents, save_path)
    written = reporting.write_report(target, found, report) if report else []
    print("", *(f"written: {path}" for path in [save_path, *written]), sep="\n")


@app.command()
def embed(
    run: Annotated[str, typer.Argument(help="A trained run's name, or a model file (.safetensors).")],
    data: Annotated[
        str, typer.Argument(metavar="INPUT", help="Prepared data set or name:phase, folder of images, image or .npy.")
    ],
    out: Annotated[Path, typer.Option(help="The array (.npy); its table is written beside it (.index.csv).")],
    spatial: Annotated[bool, typer.Option("--spatial", help="The encoder's lowest feature map instead.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, max=65536, help="Examples per forward pass.")] = 256,
) -> None:
    """Write what the encoder makes of each example: the posterior mean, float32 [N, L]."""
    from vaelab.commands.judge import embed as embedding
    from vaelab.commands.judge.target import of_run

    if not run.endswith(".safetensors"):
        check_root()
    written = embedding.embed(of_run(run), data, out, spatial, batch_size)
    _left_out(written.refused)
    print(f"{out}: float32 [{', '.join(map(str, written.shape))}], rows in {written.table}")


app.command(cls=WithConfigurations)(compare)


@app.command()
def dashboard(port: Annotated[int, typer.Option(min=1024, max=65535, help="Of this machine.")] = 8501) -> None:
    """Look at runs and samples in a browser, on this machine alone; needs the extra [dashboard]."""
    from vaelab.dashboard.command import serve

    check_root()
    raise typer.Exit(serve(port))


def _left_out(refused: list[str]) -> None:
    """Say which files could not be read, each once."""
    for line in dict.fromkeys(refused):
        print(f"left out: {line}", file=sys.stderr)


def main() -> None:
    """Run the command line."""
    exit_on_input_error(app)
