"""Stage visualize: the pictures of one run in plots/runs/<run>/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import pandas as pd
import torch

from vaelab import artifacts
from vaelab.data.prepared import final_phase
from vaelab.errors import exit_on_input_error
from vaelab.evaluation.samples import prior_grids, traverse
from vaelab.evaluation.snapshots import read_snapshots
from vaelab.figures import checkpoints, classes, curves, latents
from vaelab.figures.files import save_gif, save_png
from vaelab.models.files import load_model
from vaelab.params.resolve import read_run


def main() -> None:
    """Draw the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    options, scores, plots = run.visualize, artifacts.scores(run.name), artifacts.plots(run.name)
    model, _, info, _ = load_model(artifacts.models(run.name) / "model.safetensors")
    arrays, _ = artifacts.read_tensors(scores / "arrays.safetensors")
    dimensions = pd.read_csv(scores / "dimensions.csv")
    history = pd.read_csv(scores / "history.csv").assign(run=run.name)
    metrics = artifacts.read_json(artifacts.evaluation(run.name))
    phase = final_phase(metrics)

    snapshots = read_snapshots(artifacts.models(run.name) / "checkpoints")
    for snapshot in snapshots:
        save_png(checkpoints.checkpoint_picture(snapshot, info), plots / "checkpoints" / f"{snapshot.label}.png")
    save_png(checkpoints.filmstrip(snapshots, info), plots / "filmstrip.png")
    save_gif(checkpoints.animation(snapshots, info), plots / "epochs.gif")

    count, means, log_vars = len(info.classes), arrays[f"{phase}_mean"], arrays[f"{phase}_log_var"]
    samples = prior_grids(model, options.prior_samples, options.seed)
    save_png(latents.prior_samples(samples, count), plots / "prior_samples.png")
    save_png(latents.posterior_histograms(means, log_vars, phase), plots / "posterior_histograms.png")
    save_png(latents.kl_per_dimension(dimensions, phase), plots / "kl_per_dimension.png")
    grids, moved, values, start = traverse(model, torch.from_numpy(means), torch.from_numpy(log_vars), options)
    name = f"{phase} grid {start}, the one with the largest KL"
    save_png(latents.traversals(grids, moved, values, count, name), plots / "traversals.png")

    recall = [metrics[phase][f"recall_{number}"] for number in range(count)]
    save_png(classes.recall_bars(recall, info.class_counts, info.classes, phase), plots / "recall.png")
    save_png(curves.training_curves(history), plots / "curves.png")


if __name__ == "__main__":
    exit_on_input_error(main)
