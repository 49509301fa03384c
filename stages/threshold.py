"""Stage threshold: the saved score maps of one run to a threshold, its measures, tables, curves and stamp."""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.anomaly.threshold import threshold_run
from vaelab.errors import end, exit_on_input_error
from vaelab.outputs import write_stamp
from vaelab.params.resolve import read_run


def main() -> None:
    """Find the threshold of the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    threshold_run(run.name, run.data, run.threshold)
    write_stamp(run.name, run.data)


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
