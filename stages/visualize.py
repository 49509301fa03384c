"""Stage visualize: the pictures of one run in plots/runs/<run>/."""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.data.format.memory import keep_memory
from vaelab.errors import end, exit_on_input_error
from vaelab.evaluation.latent.decoding import decode_run
from vaelab.evaluation.scores.scoring import save_scores
from vaelab.figures.canvas.files import save_gif, save_pngs
from vaelab.figures.checkpoints import animation, checkpoint_pictures
from vaelab.figures.defects.film import film
from vaelab.figures.run import read_material, run_pictures
from vaelab.measures.snapshots import read_snapshots
from vaelab.params.resolve import read_run


def main() -> None:
    """Draw the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    plots, decoded = artifacts.plots(run.name), decode_run(run)
    keep_memory(decoded.info)
    snapshots = read_snapshots(artifacts.models(run.name) / "checkpoints")
    save_pngs(checkpoint_pictures(snapshots, decoded.info), plots)
    save_gif(animation(snapshots, decoded.info, plots), plots / "epochs.gif")
    save_pngs(run_pictures(read_material(run, decoded)), plots)
    if artifacts.score_maps(artifacts.scores(run.name), "defects").exists():
        save_gif(film(run, save_scores), plots / "defects.gif")


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
