"""The words of `vaelab score` and `vaelab export`."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from vaelab.commands import completion

MOST_LISTED = 20  # files that cannot be read, on the terminal; the table has all
UNREAD, FLAGGED = 3, 1  # exit codes
MODEL = typer.Argument(help="A run's name, a model file, or an exported folder.", autocompletion=completion.runs)


def score(
    model: Annotated[str, MODEL],
    data: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder of images, image or .npy.")],
    out: Annotated[Path, typer.Option(help="The table (.csv).")],
    maps: Annotated[Path | None, typer.Option(help="Folder for a picture of each flagged image's anomaly map.")] = None,
    group: Annotated[str | None, typer.Option(help="Group of all images; default: their first sub-folder.")] = None,
    fail_flagged: Annotated[bool, typer.Option("--fail-flagged", help="Exit with 1 where one is flagged.")] = False,
) -> None:
    """Flag the images of a folder that the run's threshold calls anomalous. Exit code 3 where some cannot be read."""
    from vaelab.serving.folder import score_folder
    from vaelab.serving.loading import load

    loaded = load(model)
    assert loaded.detector  # fitted, or read, before the clock runs
    begun = time.monotonic()
    written = score_folder(loaded, data, out, maps, group)
    seconds = time.monotonic() - begun
    for line in written.refused[:MOST_LISTED]:
        print(f"not scored: {line}", file=sys.stderr)
    if len(written.refused) > MOST_LISTED:
        print(f"not scored: and {len(written.refused) - MOST_LISTED} more; {out} has all", file=sys.stderr)
    speed = written.pictures / max(seconds, 1e-9)
    counts = f"{written.pictures} images scored, {written.flagged} flagged (score above {written.threshold:.4g})"
    print(f"{out}: {counts}, {len(written.refused)} could not be read; {seconds:.1f} s, {speed:.3g} images/s")
    if written.refused:
        raise typer.Exit(UNREAD)
    if fail_flagged and written.flagged:
        raise typer.Exit(FLAGGED)


def export(
    run: Annotated[str, MODEL],
    out: Annotated[Path, typer.Option(help="The folder; files of an earlier export are replaced.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="Also ONNX: encoder, decoder, scores; extra onnx.")] = False,
    torch: Annotated[bool, typer.Option("--torch", help="Also programs of torch.export: encoder, decoder.")] = False,
    licence: Annotated[str, typer.Option("--license", help="Of the weights, as the Hub names it: mit ...")] = "other",
    data_license: Annotated[str, typer.Option(help="Of the data, for the card; default: what is known.")] = "",
) -> None:
    """Write a run as a folder that goes elsewhere: weights, scores, graphs, a model card; as the Hub takes it."""
    from vaelab.serving.export.folder import export as exporting

    print(*(f"{out}/{line}" for line in exporting(run, out, onnx, torch, licence, data_license)), sep="\n")
