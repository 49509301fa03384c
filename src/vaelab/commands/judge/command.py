"""The words of `vaelab quality` and `vaelab embed`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vaelab.commands import completion
from vaelab.commands.project import check_root
from vaelab.errors import InputError


def quality(
    run: Annotated[
        str | None,
        typer.Argument(help="A trained run's name, or a model file (.safetensors).", autocompletion=completion.runs),
    ] = None,
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
    reporting.show_images(found)
    print("", *shown, sep="\n")
    reporting.draw(target, found, shown, analyze_latents, save_path)
    written = reporting.write_report(target, found, report) if report else []
    print("", *(f"written: {path}" for path in [save_path, *written]), sep="\n")


def embed(
    run: Annotated[
        str,
        typer.Argument(help="A trained run's name, or a model file (.safetensors).", autocompletion=completion.runs),
    ],
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


def _left_out(refused: list[str]) -> None:
    """Say which files could not be read, each once."""
    for line in dict.fromkeys(refused):
        print(f"left out: {line}", file=sys.stderr)
