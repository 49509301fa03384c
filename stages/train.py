"""Stage train: one run to its weights, checkpoints and history in models/<run>/.

It also draws each checkpoint at once, into the folder of pictures that belongs to stage visualize, and says after each
epoch what the history tells already. After a training that had to stop no later stage runs: its diagnosis is written
here, by the script of that stage.
"""

import gc
import subprocess
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.data.format.memory import keep_memory
from vaelab.data.format.prepared import read_info
from vaelab.diagnosis.early import Watcher
from vaelab.errors import InputError, end, exit_on_input_error
from vaelab.figures.canvas.files import save_png
from vaelab.figures.checkpoints import checkpoint_picture
from vaelab.params.resolve import read_run
from vaelab.training.loop import fit


def main() -> None:
    """Train the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    keep_memory(read_info(artifacts.prepared(run.data)))
    pictures = artifacts.plots(run.name) / "checkpoints"
    try:
        fit(
            run,
            artifacts.prepared(run.data),
            artifacts.models(run.name),
            lambda snapshot, info: save_png(checkpoint_picture(snapshot, info), pictures / f"{snapshot.label}.png"),
            Watcher(run),
        )
    except InputError:
        if (artifacts.failed(run.name) / "nonfinite.json").exists():
            subprocess.run([sys.executable, str(Path(__file__).with_name("diagnose.py")), run.name], check=False)
        raise


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
