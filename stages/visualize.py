"""Stage visualize: the pictures of one run in plots/runs/<run>/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import pandas as pd
import torch

from vaelab import artifacts
from vaelab.data.format.info import final_phase
from vaelab.errors import exit_on_input_error
from vaelab.evaluation.latent.decoding import interpolate, prior_grids, spectra, traverse
from vaelab.figures import checkpoints
from vaelab.figures.canvas.files import save_gif, save_png
from vaelab.figures.defects.epochs import film
from vaelab.figures.gallery import Material, pictures
from vaelab.measures.snapshots import read_snapshots
from vaelab.models.files import load_model
from vaelab.params.resolve import read_run


def main() -> None:
    """Draw the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    options, scores, plots = run.visualize, artifacts.scores(run.name), artifacts.plots(run.name)
    model, _, info, _ = load_model(artifacts.models(run.name) / "model.safetensors")
    snapshots = read_snapshots(artifacts.models(run.name) / "checkpoints")
    for snapshot in snapshots:
        save_png(checkpoints.checkpoint_picture(snapshot, info), plots / "checkpoints" / f"{snapshot.label}.png")
    save_png(checkpoints.filmstrip(snapshots, info), plots / "filmstrip.png")
    save_gif(checkpoints.animation(snapshots, info), plots / "epochs.gif")

    arrays, _ = artifacts.read_tensors(scores / "arrays.safetensors")
    metrics = artifacts.read_json(artifacts.evaluation(run.name))
    phase = final_phase(metrics)
    means, log_vars = (torch.from_numpy(arrays[f"{phase}_{name}"]) for name in ("mean", "log_var"))
    saved = arrays.get("samples")
    samples = prior_grids(model, info, options.prior_samples, options.seed) if saved is None else saved
    material = Material(
        run, info, phase, arrays, pd.read_csv(scores / "examples.csv"), pd.read_csv(scores / "dimensions.csv"),
        pd.read_csv(scores / "history.csv").assign(run=run.name), metrics, samples[: options.prior_samples],
        traverse(model, info, means, log_vars, options), interpolate(model, info, means, 4, options),
        spectra(arrays, phase, info),
    )  # fmt: skip
    for name, figure in pictures(material):
        save_png(figure, plots / f"{name}.png")
    if artifacts.score_maps(scores, "defects").exists():
        save_gif(film(run), plots / "defects.gif")


if __name__ == "__main__":
    exit_on_input_error(main)
